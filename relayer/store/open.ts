import type { Kysely } from 'kysely'
import { openDatabase } from '../../core/storage/database.js'
import type { DatabaseWatch } from '../../core/storage/watch.js'
import { exitMigrations } from './migrations.js'
import type { ExitsSchema } from './schema.js'
import { type TokensSchema, tokensMigration } from './tokens.js'

export type RelayerSchema = ExitsSchema & TokensSchema

export type RelayerDatabase = Kysely<RelayerSchema>

/** By name; they run in the names' order. */
export const RELAYER_MIGRATIONS = { ...exitMigrations, '002-tokens': tokensMigration }

/** Opens the relayer's database and brings it to the newest schema. Throws as openDatabase does. */
export function openRelayerDatabase(file: string, watch?: DatabaseWatch): Promise<RelayerDatabase> {
  return openDatabase<RelayerSchema>(file, 'relayer', RELAYER_MIGRATIONS, watch)
}
