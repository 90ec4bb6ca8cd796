import type { Kysely } from 'kysely'
import { openDatabase } from '../../core/storage/database.js'
import { type TokensSchema, tokensMigration } from './tokens.js'

/** Opens the relayer's database. Throws as openDatabase does. */
export function openRelayerDatabase(file: string): Promise<Kysely<TokensSchema>> {
  return openDatabase<TokensSchema>(file, 'relayer', { '002-tokens': tokensMigration })
}
