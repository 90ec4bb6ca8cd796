/**
 * SQLite under Kysely, for all parts: one file a part, write-ahead log, every commit synced to the disk. Shares and
 * roots are bytes, numbers beyond 2^53 (share indexes) are text, booleans 0 or 1, times seconds.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Kysely, type Migration, Migrator, sql } from 'kysely'
import Sqlite from 'libsql'
import { ConfigurationError, DvtExitError, describeError } from '../errors.js'
import { databaseTrouble } from './database-trouble.js'
import { AtomicSqliteDialect } from './sqlite-dialect.js'
import { DatabaseWatch } from './watch.js'

/** The parts that keep a database, with the number that marks a file as theirs (PRAGMA application_id). */
const APPLICATION_IDS = { relayer: 0x64767472, 'ssv-follower': 0x64767473, operator: 0x6476746f } as const
export type DatabaseOwner = keyof typeof APPLICATION_IDS

/** Milliseconds for which the opening waits for a lock; nothing else runs then. */
const OPENING_PATIENCE = 1_000
/** Bytes that the log is cut to when it is begun anew. SQLite does that each 4 MB, unless somebody reads for long. */
const MOST_LOG_BYTES = 16 * 1024 * 1024

/** What is set on each connection. What is deleted is overwritten. Locks are waited for by the driver. */
const SETTINGS = `PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
  PRAGMA journal_size_limit = ${MOST_LOG_BYTES}; PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 0`
const READING_SETTINGS = 'PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 0'

/**
 * Opens the database of one part, makes it (mode 0600) where it is not there, and brings it to the newest
 * schema. While it is in use its queries fail with DATABASE_FULL, DATABASE_LOCKED, DATABASE_UNAVAILABLE
 * (UnavailableError) or DATABASE_DAMAGED (DvtExitError) where the machine is at fault; nothing of the transaction
 * is stored then.
 * @param file a path, or :memory:
 * @param watch is told of such troubles
 * @throws ConfigurationError DATABASE_UNREADABLE, FOREIGN_DATABASE, DATABASE_WRITABLE_BY_OTHERS, DATABASE_WITHOUT_LOG
 */
export async function openDatabase<Schema>(
  file: string,
  owner: DatabaseOwner,
  migrations: Readonly<Record<string, Migration>>,
  watch: DatabaseWatch = new DatabaseWatch(),
): Promise<Kysely<Schema>> {
  if (file !== ':memory:') prepareFile(file)
  const database = kyselyOver<Schema>({ file, owner }, watch, (connection) => {
    claim(connection, file, owner)
    keepLog(connection, file)
    connection.exec(SETTINGS)
  })
  const { error } = await new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...migrations }) },
  }).migrateToLatest()
  if (error === undefined) return database
  await database.destroy()
  if (error instanceof DvtExitError) throw error
  throw new ConfigurationError('DATABASE_UNREADABLE', `cannot bring ${file} to the current schema`, {
    cause: error,
    hint: 'It may have been written by a newer version of dvt-exit',
  })
}

/**
 * Opens a database that is there to read from it, also while another process uses it. Nothing is changed: the schema
 * is that of whoever wrote it last.
 * @throws ConfigurationError NO_DATABASE, DATABASE_UNREADABLE, FOREIGN_DATABASE, DATABASE_WRITABLE_BY_OTHERS
 */
export function openDatabaseForReading<Schema>(file: string, owner: DatabaseOwner): Kysely<Schema> {
  assertThere(file)
  return kyselyOver<Schema>({ file, owner }, new DatabaseWatch(), (connection) => {
    assertOwner(connection, file, owner)
    connection.exec(READING_SETTINGS)
  })
}

/**
 * Writes a consistent copy of a database, also while another process uses it. What was deleted is not in the copy.
 * @param copy a file that is empty, or not there
 * @throws ConfigurationError as openDatabaseForReading does; UnavailableError and DvtExitError as queries do
 */
export function copyDatabase(file: string, owner: DatabaseOwner, copy: string): void {
  assertThere(file)
  const connection = opened(file, (fresh) => assertOwner(fresh, file, owner))
  try {
    connection.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
  } catch (error) {
    throw databaseTrouble(error, { owner, file: copy })
  } finally {
    connection.close()
  }
}

function kyselyOver<Schema>(
  named: { readonly file: string; readonly owner: DatabaseOwner },
  watch: DatabaseWatch,
  setUp: (connection: Sqlite.Database) => void,
): Kysely<Schema> {
  const connection = opened(named.file, setUp)
  const reconnect = () => connect(named.file, 0, setUp)
  return new Kysely<Schema>({ dialect: new AtomicSqliteDialect({ connection, reconnect, named, watch }) })
}

function assertThere(file: string): void {
  if (!existsSync(file)) {
    throw new ConfigurationError('NO_DATABASE', `there is no database ${file}`, {
      hint: 'Name the one in use with --database, or with DATABASE',
    })
  }
  assertOthersCannotWrite(file)
}

/** A first connection. @throws ConfigurationError DATABASE_UNREADABLE, and what setUp throws */
function opened(file: string, setUp: (connection: Sqlite.Database) => void): Sqlite.Database {
  try {
    return connect(file, OPENING_PATIENCE, setUp)
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
}

/** A connection that is set up, or closed again. @param patience milliseconds that it waits for locks */
function connect(
  file: string,
  patience: number,
  setUp: (connection: Sqlite.Database) => void,
): Sqlite.Database {
  const connection = new Sqlite(file)
  try {
    connection.exec(`PRAGMA busy_timeout = ${patience}`)
    setUp(connection)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** SQLite says nothing where it cannot keep one. */
function keepLog(connection: Sqlite.Database, file: string): void {
  if (file === ':memory:') return
  const [row] = connection.prepare('PRAGMA journal_mode = WAL').all([]) as { journal_mode: string }[]
  if (row?.journal_mode === 'wal') return
  throw new ConfigurationError(
    'DATABASE_WITHOUT_LOG',
    `SQLite cannot keep a write-ahead log beside ${file}`,
    {
      hint: 'Put the database on a local disk, not on a network file system',
    },
  )
}

/** Before SQLite sees the file: its journals get the mode that the file has then. */
function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    assertOthersCannotWrite(file)
    chmodSync(file, 0o600)
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    throw new ConfigurationError('DATABASE_UNREADABLE', describeError(cause), { cause })
  }
}

function assertOthersCannotWrite(file: string): void {
  for (const part of [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]) {
    const mode = statSync(part, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & 0o022) === 0) continue
    throw new ConfigurationError('DATABASE_WRITABLE_BY_OTHERS', `${part} can be written by other users`, {
      hint: `Run chmod 600 ${part}`,
    })
  }
}

/** Marks a new file as this part's. @throws ConfigurationError FOREIGN_DATABASE */
function claim(connection: Sqlite.Database, file: string, owner: DatabaseOwner): void {
  const tables = connection.prepare('SELECT count(*) AS n FROM sqlite_master').get([]) as { n: number }
  if (applicationIdOf(connection) === 0 && tables.n === 0) {
    connection.exec(`PRAGMA application_id = ${APPLICATION_IDS[owner]}`)
  } else {
    assertOwner(connection, file, owner)
  }
}

function assertOwner(connection: Sqlite.Database, file: string, owner: DatabaseOwner): void {
  if (applicationIdOf(connection) === APPLICATION_IDS[owner]) return
  throw new ConfigurationError('FOREIGN_DATABASE', `${file} is not a database of the ${owner}`, {
    hint: 'Give each part a database file of its own',
  })
}

function applicationIdOf(connection: Sqlite.Database): number {
  const row = connection.prepare('SELECT application_id AS id FROM pragma_application_id').get([])
  return (row as { id: number }).id
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

/** Writes something that changes nothing: whether the database takes what is written. Throws as queries do. */
export async function probeDatabase<Schema>(database: Kysely<Schema>): Promise<void> {
  await sql`UPDATE kysely_migration_lock SET is_locked = is_locked`.execute(database)
}
