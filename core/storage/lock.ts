/** One process a database: an advisory lock that ends with the process, however it ends. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Sqlite from 'libsql'
import { ConfigurationError, describeError } from '../errors.js'

/**
 * Takes the lock of a database file, or fails at once. It is a second SQLite file beside it, FILE.lock (mode
 * 0600), held in an exclusive transaction: the operating system frees it with the process. Reading the
 * database itself stays possible for everyone. A file is the same by whatever symbolic link it is named.
 * @returns what gives the lock back
 * @throws ConfigurationError DATABASE_IN_USE, DATABASE_UNREADABLE
 */
export async function lockDatabase(file: string): Promise<() => void> {
  const lockFile = `${existsSync(file) ? realpathSync(file) : file}.lock`
  let connection: Sqlite.Database | undefined
  try {
    mkdirSync(dirname(resolve(lockFile)), { recursive: true, mode: 0o700 })
    closeSync(openSync(lockFile, 'a', 0o600))
    chmodSync(lockFile, 0o600)
    connection = new Sqlite(lockFile)
    connection.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    connection?.close()
    throw isBusy(cause) ? inUse(file, cause) : unusable(lockFile, cause)
  }
  const held = connection
  return () => held.close()
}

function isBusy(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY')
}

function inUse(file: string, cause: unknown): ConfigurationError {
  return new ConfigurationError('DATABASE_IN_USE', `another dvt-exit uses ${file}`, {
    cause,
    hint: 'Stop the other one, or give this one a DATABASE of its own',
  })
}

function unusable(lockFile: string, cause: unknown): ConfigurationError {
  return new ConfigurationError('DATABASE_UNREADABLE', `cannot lock ${lockFile}: ${describeError(cause)}`, {
    cause,
    hint: 'It must be in a folder that this user may write, or be absent',
  })
}
