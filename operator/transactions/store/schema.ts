/** The agent's database: what it has sent, and what it waits for. */
import { type Generated, type Kysely, type Migration, sql } from 'kysely'
import { openDatabase } from '../../../core/storage/database.js'
import type { RegistrationState } from './registration.js'

export interface RegistrationsTable {
  id: Generated<number>
  /** Rows of one sender and nonce are one replaced by the other: at most one of them is ever mined. */
  sender: string
  nonce: number
  vault: string
  way: string
  to_address: string
  /** A JSON array of 0x-prefixed hex. */
  public_keys: string
  start_index: number
  registry_root: string
  /** Seconds since 1970, as created_at. */
  deadline: number
  created_at: number
  state: RegistrationState
  /** Where it was mined; for a superseded one the block at which that was seen, without a hash. */
  block_number: number | null
  block_hash: string | null
  mined_hash: string | null
  gas_used: number | null
  index_checked: number
  failure: string | null
}
export interface AttemptsTable {
  hash: string
  registration_id: number
  raw: string
  /** Wei, as max_priority_fee. */
  max_fee: string
  max_priority_fee: string
  created_at: number
}
interface NotesTable {
  name: string
  value: string
}
export interface OperatorSchema {
  registrations: RegistrationsTable
  attempts: AttemptsTable
  notes: NotesTable
}

const migration: Migration = {
  async up(database: Kysely<unknown>) {
    await sql`CREATE TABLE registrations (
      id INTEGER PRIMARY KEY, sender TEXT NOT NULL, nonce INTEGER NOT NULL, vault TEXT NOT NULL,
      way TEXT NOT NULL, to_address TEXT NOT NULL, public_keys TEXT NOT NULL, start_index INTEGER NOT NULL,
      registry_root TEXT NOT NULL, deadline INTEGER NOT NULL, created_at INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('sent', 'mined', 'final', 'failed', 'superseded')),
      block_number INTEGER, block_hash TEXT, mined_hash TEXT, gas_used INTEGER,
      index_checked INTEGER NOT NULL DEFAULT 0, failure TEXT) STRICT`.execute(database)
    await sql`CREATE TABLE attempts (
      hash TEXT PRIMARY KEY, registration_id INTEGER NOT NULL REFERENCES registrations (id),
      raw TEXT NOT NULL, max_fee TEXT NOT NULL, max_priority_fee TEXT NOT NULL,
      created_at INTEGER NOT NULL) STRICT`.execute(database)
    await sql`CREATE INDEX attempts_of_registration ON attempts (registration_id)`.execute(database)
    await sql`CREATE INDEX registrations_by_state ON registrations (state)`.execute(database)
    await sql`CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT`.execute(database)
  },
}

/** Opens the agent's database file. Throws as openDatabase does. */
export function openOperatorDatabase(file: string): Promise<Kysely<OperatorSchema>> {
  return openDatabase<OperatorSchema>(file, 'operator', { '001-registrations': migration })
}
