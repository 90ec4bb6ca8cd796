/** The database of a relayer that runs: its alone, and watched. */
import { describeError } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import { databaseAnswers, probeDatabase } from '../core/storage/database.js'
import { isDatabaseTrouble } from '../core/storage/database-trouble.js'
import { lockDatabase } from '../core/storage/lock.js'
import { DatabaseWatch } from '../core/storage/watch.js'
import type { Closing } from './closing.js'
import { openRelayerDatabase, type RelayerDatabase } from './store/open.js'

/** Milliseconds between two looks whether a trouble is over. */
const PROBE_INTERVAL = 5_000

export interface ServedDatabase {
  readonly database: RelayerDatabase
  /** Whether it can be read and written now. */
  works(): Promise<boolean>
  /** Calls the listener when it can be written again after a time in which it could not. */
  onRecovery(listener: () => void): void
}

/**
 * Opens the database, and closes it with everything else. A file is one relayer's: what it knows of sharings and lists
 * it keeps in memory beside it. What keeps it from being written is logged once when it begins and once when it is over.
 * @throws ConfigurationError DATABASE_IN_USE, and as openRelayerDatabase does
 */
export async function serveDatabase(file: string, logger: Logger, closing: Closing): Promise<ServedDatabase> {
  if (file !== ':memory:') {
    const unlock = await lockDatabase(file)
    closing.add('database lock', async () => unlock())
  }
  const watch = new DatabaseWatch()
  const database = await openRelayerDatabase(file, watch)
  closing.add('database', () => database.destroy())
  watch.onChange((trouble) => {
    if (trouble === undefined) logger.info('the database can be written again')
    else
      logger.error({ code: trouble.code }, `${describeError(trouble)}. Until then changes are answered 503`)
  })
  const timer = setInterval(() => {
    if (watch.trouble !== undefined) void probe(database, logger)
  }, PROBE_INTERVAL)
  closing.add('database watch', async () => clearInterval(timer))
  return {
    database,
    works: async () => watch.trouble === undefined && (await databaseAnswers(database)),
    onRecovery: (listener) =>
      watch.onChange((trouble) => {
        if (trouble === undefined) listener()
      }),
  }
}

/** What comes of it, the watch is told. */
async function probe(database: RelayerDatabase, logger: Logger): Promise<void> {
  try {
    await probeDatabase(database)
  } catch (error) {
    if (!isDatabaseTrouble(error)) logger.error({ err: error }, 'cannot look at the database')
  }
}
