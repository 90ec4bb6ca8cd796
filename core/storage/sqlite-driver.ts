/**
 * Kysely's driver for libsql. libsql runs in the event loop's thread, so that SQLite must never wait there: with a
 * busy timeout a lock of another process would stop every request.
 *
 * A prepared statement that fails with SQLITE_BUSY stays active until it is collected, and as long as it is, SQLite
 * commits nothing of what its connection is told further, though it says that it did. So statements that write run
 * only when the write lock is held already, and the lock is taken with exec(), which leaves no statement behind.
 */
import { setTimeout } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import type Sqlite from 'libsql'
import { databaseTrouble, isDatabaseTrouble, type NamedDatabase } from './database-trouble.js'
import type { DatabaseWatch } from './watch.js'

/** Milliseconds for which a lock of another process is waited for, in all. */
const PATIENCE = 1_000
/** Milliseconds between two attempts to get the lock. */
const PAUSE = 10

/** Statements that need no write lock. */
const READS = /^\s*(select|pragma|explain|values)\b/i

export interface SqliteDriverParts {
  readonly connection: Sqlite.Database
  /** Opens one more connection to the same database, without waiting for locks. Throws as libsql does. */
  readonly reconnect: () => Sqlite.Database
  readonly named: NamedDatabase
  readonly watch: DatabaseWatch
}

/** One connection, which one transaction at a time has to itself. */
export class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  #turn: Promise<void> = Promise.resolve()
  #endTurn: () => void = () => undefined

  constructor(parts: SqliteDriverParts) {
    this.#connection = new SqliteConnection(parts)
  }

  async init(): Promise<void> {
    // The connection is open.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn
    let end: () => void = () => undefined
    this.#turn = new Promise((resolve) => {
      end = resolve
    })
    await before
    this.#endTurn = end
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#endTurn()
  }

  async beginTransaction(_connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await this.#connection.begin(settings.accessMode === 'read only' ? 'DEFERRED' : 'IMMEDIATE')
  }

  async commitTransaction(): Promise<void> {
    this.#connection.commit()
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.rollback()
  }

  async destroy(): Promise<void> {
    this.#connection.close()
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #reconnect: () => Sqlite.Database
  readonly #named: NamedDatabase
  readonly #watch: DatabaseWatch
  /** Undefined where a statement stayed active in the last one. */
  #connection: Sqlite.Database | undefined
  #inTransaction = false
  /** Rows changed in the transaction. */
  #changed = 0
  /** When the lock was first missed; undefined when it was got last time. */
  #missedSince: number | undefined

  constructor({ connection, reconnect, named, watch }: SqliteDriverParts) {
    this.#connection = connection
    this.#reconnect = reconnect
    this.#named = named
    this.#watch = watch
  }

  /** Takes the write lock, or with DEFERRED a snapshot to read from. @throws UnavailableError DATABASE_LOCKED */
  async begin(mode: 'IMMEDIATE' | 'DEFERRED'): Promise<void> {
    // There is one only where its end failed.
    this.rollback()
    await this.#patiently(() => this.#connected().exec(`BEGIN ${mode}`))
    this.#inTransaction = true
    this.#changed = 0
  }

  commit(): void {
    try {
      this.#connected().exec('COMMIT')
    } catch (error) {
      throw this.#troubleOf(error)
    }
    this.#inTransaction = false
    if (this.#changed > 0) this.#watch.report(undefined)
  }

  /** Some failures have ended the transaction already. */
  rollback(): void {
    this.#inTransaction = false
    if (this.#connection?.inTransaction === true) this.#connection.exec('ROLLBACK')
  }

  /** Brings what is in the log into the file first: a copy of the file alone would lack it. */
  close(): void {
    try {
      this.#connection?.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // The log stays beside the file, and is read when it is opened again.
    }
    this.#connection?.close()
  }

  #connected(): Sqlite.Database {
    this.#connection ??= this.#reconnect()
    return this.#connection
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction) return this.#run<R>(sql, parameters)
    if (READS.test(sql)) return this.#patiently(() => this.#read<R>(sql, parameters))
    await this.begin('IMMEDIATE')
    try {
      const result = this.#run<R>(sql, parameters)
      this.commit()
      return result
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { rows } = await this.executeQuery<R>(CompiledQuery.raw(query.sql, [...query.parameters]))
    for (const row of rows) yield { rows: [row] }
  }

  /** A connection with a statement that stays active would go on reading what was there then. */
  #read<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const connection = this.#connected()
    try {
      return run<R>(connection, sql, parameters)
    } catch (error) {
      if (isBusy(error)) {
        connection.close()
        this.#connection = undefined
      }
      throw error
    }
  }

  #run<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const connection = this.#connected()
    if (!connection.inTransaction) {
      throw new Error('the transaction is over, and nothing more may be done as if it were not')
    }
    try {
      const result = run<R>(connection, sql, parameters)
      const changed = result.numAffectedRows ?? (READS.test(sql) ? 0 : result.rows.length)
      this.#changed += Number(changed)
      return result
    } catch (error) {
      throw this.#troubleOf(error)
    }
  }

  /** Waits for a lock of another process. Once it was missed for long, nobody else waits for it in vain. */
  async #patiently<T>(attempt: () => T): Promise<T> {
    for (;;) {
      try {
        const result = attempt()
        this.#missedSince = undefined
        return result
      } catch (error) {
        if (!isBusy(error)) throw this.#troubleOf(error)
        this.#missedSince ??= performance.now()
        if (performance.now() - this.#missedSince >= PATIENCE) throw this.#troubleOf(error)
      }
      await setTimeout(PAUSE)
    }
  }

  #troubleOf(error: unknown): unknown {
    const trouble = databaseTrouble(error, this.#named)
    if (isDatabaseTrouble(trouble)) this.#watch.report(trouble)
    return trouble
  }
}

function run<R>(connection: Sqlite.Database, sql: string, parameters: readonly unknown[]): QueryResult<R> {
  const statement = connection.prepare(sql)
  const values = parameters.map(toDatabase)
  if (statement.reader) return { rows: statement.all(values).map((row) => fromDatabase(row) as R) }
  const { changes, lastInsertRowid } = statement.run(values)
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
}

function isBusy(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY')
}

/** libsql aborts the process on a boolean parameter and returns ArrayBuffers: both are converted here. */
function toDatabase(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  return value === undefined ? null : value
}

function fromDatabase(row: unknown): unknown {
  const entries = Object.entries(row as Record<string, unknown>)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof ArrayBuffer ? new Uint8Array(value) : value]),
  )
}
