import { existsSync, realpathSync } from 'node:fs'
import { type Kysely, sql } from 'kysely'
import { ConfigurationError, DvtExitError, describeError } from '../../core/errors.js'
import { lockDatabase } from '../../core/storage/lock.js'
import { copyInto, place, withDraftOf } from '../../core/storage/new-file.js'
import { setAside } from '../../core/storage/set-aside.js'
import { openRelayerDatabase } from '../store/open.js'
import { assertWhole } from './whole.js'

export interface RestoreParts {
  /** The backup. */
  readonly file: string
  /** The database that it becomes. */
  readonly database: string
  /** Whether it may take the place of one that is there. */
  readonly replace: boolean
  readonly now: Date
}

/**
 * Makes a backup the relayer's database, in the current schema. Nothing but the file is brought: no key.
 * @returns what the database that was there is called now, undefined where there was none
 * @throws ConfigurationError DATABASE_IN_USE, DATABASE_EXISTS; DvtExitError BACKUP_UNUSABLE, and nothing is changed
 */
export async function restore({ file, replace, now, ...parts }: RestoreParts): Promise<string | undefined> {
  const database = existsSync(parts.database) ? realpathSync(parts.database) : parts.database
  const unlock = await lockDatabase(database)
  try {
    const former = existsSync(database) ? `${database}.before-restore-${stamp(now)}` : undefined
    if (former !== undefined && !replace) throw alreadyThere(database)
    await withDraftOf(database, async (draft) => {
      await readBackup(draft, file)
      if (former !== undefined) await setAside(database, former)
      await place(draft, database)
    })
    return former
  } finally {
    unlock()
  }
}

/** Works on a copy: the backup itself stays as it is. */
async function readBackup(draft: string, file: string): Promise<void> {
  try {
    await copyInto(draft, file)
  } catch (cause) {
    throw new DvtExitError('BACKUP_UNUSABLE', `cannot read ${file}: ${describeError(cause)}`, { cause })
  }
  await assertWhole(draft, file)
  const [found, expected] = await Promise.all([objectsOf(draft), objectsOf(':memory:')])
  if (found.join() === expected.join()) return
  // A trigger, for example, would run with everything that the relayer stores.
  throw new DvtExitError('BACKUP_UNUSABLE', `${file} holds more or less than a relayer’s database`, {
    hint: 'Take a file that `dvt-exit relayer backup` wrote',
  })
}

/** The tables, indexes, views and triggers, brought to the current schema. */
async function objectsOf(file: string): Promise<string[]> {
  const database = await openRelayerDatabase(file)
  try {
    const { rows } = await sql<{ type: string; name: string }>`SELECT type, name FROM sqlite_master`.execute(
      database as Kysely<unknown>,
    )
    return rows.map(({ type, name }) => `${type} ${name}`).sort()
  } finally {
    await database.destroy()
  }
}

function alreadyThere(database: string): ConfigurationError {
  return new ConfigurationError('DATABASE_EXISTS', `${database} is there already`, {
    hint: 'With --replace-database the backup takes its place, and it is kept beside',
  })
}

/** 20261121T101500Z */
function stamp(now: Date): string {
  return now.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
}
