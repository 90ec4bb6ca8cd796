/** What SQLite fails with when the machine, not the statement, is at fault: as errors a person can act on. */
import { DvtExitError, UnavailableError } from '../errors.js'

/** What the troubles are told of: whose database, and its file. */
export interface NamedDatabase {
  /** As in "the relayer’s database". */
  readonly owner: string
  readonly file: string
}

/**
 * The typed error of a result code of SQLite (https://www.sqlite.org/rescode.html). Whatever it was asked to
 * store then is not stored. The messages name no path: callers elsewhere are shown them.
 * @returns the error itself where it is of another kind, a fault of the statement for example
 */
export function databaseTrouble(error: unknown, { owner, file }: NamedDatabase): unknown {
  const { code } = error as { readonly code?: unknown }
  if (error instanceof DvtExitError || typeof code !== 'string') return error
  const [, primary] = /^SQLITE_([A-Z]+)/.exec(code) ?? []
  const details = (hint: string) => ({ cause: error, hint })
  switch (primary) {
    case 'FULL':
      return new UnavailableError(
        'DATABASE_FULL',
        `the ${owner}’s database cannot grow, its disk is full`,
        details(`Free space where ${file} is`),
      )
    case 'BUSY':
    case 'LOCKED':
      return new UnavailableError(
        'DATABASE_LOCKED',
        `another process holds the ${owner}’s database`,
        details(`Find out what else has ${file} open, and end it`),
      )
    case 'IOERR':
    case 'READONLY':
    case 'CANTOPEN':
    case 'PERM':
    case 'NOLFS':
    case 'NOMEM':
    case 'PROTOCOL':
      return new UnavailableError(
        'DATABASE_UNAVAILABLE',
        `the ${owner}’s database cannot be read or written (${code})`,
        details(`Look at the disk, the quota and the permissions of ${file}`),
      )
    case 'CORRUPT':
    case 'NOTADB':
      return new DvtExitError(
        'DATABASE_DAMAGED',
        `the ${owner}’s database is damaged (${code})`,
        details(`Keep ${file} aside, check the disk, and put back a backup`),
      )
    default:
      return error
  }
}

/** Whether it is one of databaseTrouble's. */
export function isDatabaseTrouble(error: unknown): error is DvtExitError {
  return error instanceof DvtExitError && TROUBLES.has(error.code)
}

const TROUBLES: ReadonlySet<string> = new Set([
  'DATABASE_FULL',
  'DATABASE_LOCKED',
  'DATABASE_UNAVAILABLE',
  'DATABASE_DAMAGED',
])
