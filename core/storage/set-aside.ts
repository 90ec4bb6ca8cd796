/** Moving a database out of the way without losing what is only in its log. */
import { existsSync } from 'node:fs'
import { link, rename } from 'node:fs/promises'
import Sqlite from 'libsql'
import { ConfigurationError } from '../errors.js'

/**
 * Gives a database a second name, under which it stays when another file takes its first one.
 * @throws ConfigurationError DATABASE_IN_USE where any process has it open
 */
export async function setAside(file: string, former: string): Promise<void> {
  if (!settleLog(file)) {
    for (const log of ['-wal', '-shm']) {
      if (existsSync(`${file}${log}`)) await rename(`${file}${log}`, `${former}${log}`)
    }
  }
  try {
    await link(file, former)
  } catch {
    // There are file systems without links.
    await rename(file, former)
  }
}

/** Brings the log into the file and ends it. @returns false where the file is too damaged for that */
function settleLog(file: string): boolean {
  const connection = new Sqlite(file)
  try {
    // SQLite grants this only to whoever has the file alone.
    connection.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK; PRAGMA journal_mode = DELETE',
    )
    return true
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    if (typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(code)) return false
    throw new ConfigurationError('DATABASE_IN_USE', `another process uses ${file}`, {
      cause: error,
      hint: 'Stop it first',
    })
  } finally {
    connection.close()
  }
}
