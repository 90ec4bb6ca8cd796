import type { Kysely } from 'kysely'
import { openDatabase } from '../../core/storage/database.js'
import { exitMigrations } from './migrations.js'
import type { ExitsSchema } from './schema.js'
import { type TokensSchema, tokensMigration } from './tokens.js'

export type RelayerSchema = ExitsSchema & TokensSchema

export type RelayerDatabase = Kysely<RelayerSchema>

/** Opens the relayer's database and brings it to the newest schema. Throws as openDatabase does. */
export function openRelayerDatabase(file: string): Promise<RelayerDatabase> {
  return openDatabase<RelayerSchema>(file, 'relayer', { ...exitMigrations, '002-tokens': tokensMigration })
}
