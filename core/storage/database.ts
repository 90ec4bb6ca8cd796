/**
 * SQLite under Kysely, for all parts: one file a part, write-ahead log, every commit synced to the disk.
 * Conversions between the database's types and ours live here alone: shares and roots are bytes, numbers
 * beyond 2^53 (share indexes) are text, booleans 0 or 1, times seconds.
 */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  Kysely,
  type Migration,
  Migrator,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  sql,
} from 'kysely'
import Sqlite from 'libsql'
import { ConfigurationError, describeError } from '../errors.js'

/** The parts that keep a database, with the number that marks a file as theirs (PRAGMA application_id). */
const APPLICATION_IDS = { relayer: 0x64767472, 'ssv-follower': 0x64767473, operator: 0x6476746f } as const
export type DatabaseOwner = keyof typeof APPLICATION_IDS

/**
 * Opens the database of one part, makes it (mode 0600) where it is not there, and brings it to the newest
 * schema.
 * @param file a path, or :memory:
 * @throws ConfigurationError DATABASE_UNREADABLE, FOREIGN_DATABASE, DATABASE_WRITABLE_BY_OTHERS
 */
export async function openDatabase<Schema>(
  file: string,
  owner: DatabaseOwner,
  migrations: Readonly<Record<string, Migration>>,
): Promise<Kysely<Schema>> {
  const database = new Kysely<Schema>({ dialect: new AtomicDialect({ database: open(file, owner) }) })
  const { error } = await new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...migrations }) },
  }).migrateToLatest()
  if (error !== undefined) {
    await database.destroy()
    throw new ConfigurationError('DATABASE_UNREADABLE', `cannot bring ${file} to the current schema`, {
      cause: error,
      hint: 'It may have been written by a newer version of dvt-exit',
    })
  }
  return database
}

/** SQLite can undo changes of the schema: a process killed among the migrations leaves none of them behind. */
class AtomicDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new AtomicAdapter()
  }
}

class AtomicAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

function open(file: string, owner: DatabaseOwner): SqliteDatabase {
  let connection: Sqlite.Database
  try {
    if (file !== ':memory:') prepareFile(file)
    connection = new Sqlite(file)
    connection.exec('PRAGMA busy_timeout = 5000')
    assertOwner(connection, file, owner)
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    throw new ConfigurationError(
      'DATABASE_UNREADABLE',
      `cannot open database ${file}: ${describeError(cause)}`,
      {
        cause,
        hint: 'It must be an SQLite file, or be absent, in a folder that this user may write',
      },
    )
  }
  return adapt(connection)
}

/** Before SQLite sees the file: its journals get the mode that the file has then. */
function prepareFile(file: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  if ((statSync(file).mode & 0o022) !== 0) {
    throw new ConfigurationError('DATABASE_WRITABLE_BY_OTHERS', `${file} can be written by other users`, {
      hint: `Run chmod 600 ${file}`,
    })
  }
  chmodSync(file, 0o600)
}

function assertOwner(connection: Sqlite.Database, file: string, owner: DatabaseOwner): void {
  const wanted = APPLICATION_IDS[owner]
  const row = connection.prepare('SELECT application_id AS id FROM pragma_application_id').get([]) as {
    id: number
  }
  const tables = connection.prepare('SELECT count(*) AS n FROM sqlite_master').get([]) as { n: number }
  if (row.id === 0 && tables.n === 0) {
    connection.exec(`PRAGMA application_id = ${wanted}`)
  } else if (row.id !== wanted) {
    throw new ConfigurationError('FOREIGN_DATABASE', `${file} is not a database of the ${owner}`, {
      hint: 'Give each part a database file of its own',
    })
  }
}

/** libsql aborts the process on a boolean parameter and returns ArrayBuffers: both are converted here. */
function adapt(connection: Sqlite.Database): SqliteDatabase {
  return {
    close: () => {
      // The library leaves the log beside the file, and a copy of the file alone would lack what is in it.
      connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      connection.close()
    },
    prepare(query) {
      const statement = connection.prepare(query)
      return {
        reader: statement.reader,
        all: (parameters) => statement.all(parameters.map(toDatabase)).map((row) => fromDatabase(row)),
        run: (parameters) => statement.run(parameters.map(toDatabase)),
        *iterate(parameters) {
          for (const row of statement.all(parameters.map(toDatabase))) yield fromDatabase(row)
        },
      }
    },
  }
}

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

/** Whether the database answers, for health checks. */
export async function databaseAnswers<Schema>(database: Kysely<Schema>): Promise<boolean> {
  try {
    await sql`SELECT 1`.execute(database)
    return true
  } catch {
    return false
  }
}
