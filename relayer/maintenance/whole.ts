/** Whether a file is a whole database of a relayer, of this version or an older one. */
import { type Kysely, sql } from 'kysely'
import { DvtExitError } from '../../core/errors.js'
import { openDatabaseForReading } from '../../core/storage/database.js'
import { RELAYER_MIGRATIONS, type RelayerSchema } from '../store/open.js'

/**
 * Reads every page of it, and changes nothing.
 * @param name what the file is called in messages
 * @returns the migrations that it lacks
 * @throws DvtExitError BACKUP_UNUSABLE
 */
export async function assertWhole(file: string, name: string): Promise<readonly string[]> {
  let database: Kysely<RelayerSchema> | undefined
  try {
    database = openDatabaseForReading<RelayerSchema>(file, 'relayer')
    const faults = await faultsOf(database)
    if (faults.length > 0) throw new Error(faults.slice(0, 3).join('; '))
    return await missingMigrations(database)
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(file, 'it')
    throw new DvtExitError('BACKUP_UNUSABLE', `${name} is no whole database of a relayer: ${reason}`, {
      cause,
      hint: 'Take another backup',
    })
  } finally {
    await database?.destroy()
  }
}

/** What SQLite finds wrong with the file or with what refers to each other in it, one line each. */
export async function faultsOf(database: Kysely<RelayerSchema>): Promise<string[]> {
  const { rows: pages } = await sql<{ integrity_check: string }>`PRAGMA integrity_check`.execute(database)
  const { rows: orphans } = await sql<{
    table: string
    rowid: number
  }>`PRAGMA foreign_key_check`.execute(database)
  return [
    ...pages.map((row) => row.integrity_check).filter((line) => line !== 'ok'),
    ...orphans.map(({ table, rowid }) => `row ${rowid} of ${table} belongs to a message that is not there`),
  ]
}

/**
 * The migrations of this version that the database has not seen.
 * @throws DvtExitError NEWER_DATABASE
 */
export async function missingMigrations(database: Kysely<RelayerSchema>): Promise<readonly string[]> {
  const known = Object.keys(RELAYER_MIGRATIONS).sort()
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration`.execute(database)
  const seen = rows.map(({ name }) => name)
  const unknown = seen.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new DvtExitError('NEWER_DATABASE', `it was written by a newer version of dvt-exit (${unknown})`, {
      hint: 'Use that version',
    })
  }
  return known.filter((name) => !seen.includes(name))
}
