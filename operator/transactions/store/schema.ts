/** The agent's database: what it has sent, and what it waits for. */
import { type Generated, type Kysely, type Migration, sql } from 'kysely'
import { openDatabase } from '../../../core/storage/database.js'
import type { TransactionFacts, TransactionState } from './transaction.js'

export interface TransactionsTable {
  id: Generated<number>
  /** Rows of one sender and nonce are one replaced by the other: at most one of them is ever mined. */
  sender: string
  nonce: number
  vault: string
  way: string
  to_address: string
  kind: TransactionFacts['kind']
  /** A JSON array of 0x-prefixed hex. */
  public_keys: string
  /** These three a registration has, and no other. */
  start_index: number | null
  registry_root: string | null
  /** Seconds since 1970, as created_at. */
  deadline: number | null
  /** A uint256 in decimal, where the manager's signature holds for one. */
  manager_nonce: string | null
  created_at: number
  state: TransactionState
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
  transaction_id: number
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
  transactions: TransactionsTable
  attempts: AttemptsTable
  notes: NotesTable
}

const registrations: Migration = {
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

/** Registrations become one kind of transaction among others. */
const kinds: Migration = {
  async up(database: Kysely<unknown>) {
    await sql`CREATE TABLE transactions (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('registration', 'funding', 'withdrawal', 'consolidation')),
      sender TEXT NOT NULL, nonce INTEGER NOT NULL, vault TEXT NOT NULL, way TEXT NOT NULL,
      to_address TEXT NOT NULL, public_keys TEXT NOT NULL, start_index INTEGER, registry_root TEXT,
      deadline INTEGER, manager_nonce TEXT, created_at INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('sent', 'mined', 'final', 'failed', 'superseded')),
      block_number INTEGER, block_hash TEXT, mined_hash TEXT, gas_used INTEGER,
      index_checked INTEGER NOT NULL DEFAULT 0, failure TEXT,
      CHECK ((kind = 'registration') =
        (start_index IS NOT NULL AND registry_root IS NOT NULL AND deadline IS NOT NULL))) STRICT`.execute(
      database,
    )
    await sql`INSERT INTO transactions (id, kind, sender, nonce, vault, way, to_address, public_keys, start_index,
      registry_root, deadline, created_at, state, block_number, block_hash, mined_hash, gas_used, index_checked,
      failure) SELECT id, 'registration', sender, nonce, vault, way, to_address, public_keys, start_index,
      registry_root, deadline, created_at, state, block_number, block_hash, mined_hash, gas_used, index_checked,
      failure FROM registrations`.execute(database)
    await sql`CREATE TABLE attempts_of_transactions (
      hash TEXT PRIMARY KEY, transaction_id INTEGER NOT NULL REFERENCES transactions (id),
      raw TEXT NOT NULL, max_fee TEXT NOT NULL, max_priority_fee TEXT NOT NULL,
      created_at INTEGER NOT NULL) STRICT`.execute(database)
    await sql`INSERT INTO attempts_of_transactions SELECT * FROM attempts ORDER BY rowid`.execute(database)
    await sql`DROP TABLE attempts`.execute(database)
    await sql`DROP TABLE registrations`.execute(database)
    await sql`ALTER TABLE attempts_of_transactions RENAME TO attempts`.execute(database)
    await sql`CREATE INDEX attempts_of_transaction ON attempts (transaction_id)`.execute(database)
    await sql`CREATE INDEX transactions_by_state ON transactions (state)`.execute(database)
  },
}

/** Opens the agent's database file. Throws as openDatabase does. */
export function openOperatorDatabase(file: string): Promise<Kysely<OperatorSchema>> {
  return openDatabase<OperatorSchema>(file, 'operator', {
    '001-registrations': registrations,
    '002-kinds-of-transactions': kinds,
  })
}
