/** What is in a relayer's database, all of it as it was at one moment. */
import type { Kysely } from 'kysely'
import { ConfigurationError } from '../../core/errors.js'
import { openDatabaseForReading } from '../../core/storage/database.js'
import { Checkpoint } from '../store/checkpoints.js'
import type { RelayerSchema } from '../store/open.js'
import type {
  ClaimedSharingsTable,
  DepositSignaturesTable,
  MessagesTable,
  OraclePartsTable,
  SignatureSharesTable,
} from '../store/schema.js'
import { faultsOf, missingMigrations } from './whole.js'

export interface DatabaseContents {
  /** What SQLite finds wrong, one line each. */
  readonly faults: readonly string[]
  /** Names the key that the shares are encrypted with; undefined where there never was one. */
  readonly keyFingerprint: unknown
  /** What the Keeper's follower keeps. */
  readonly oracles: unknown
  readonly messages: readonly MessagesTable[]
  readonly shares: readonly SignatureSharesTable[]
  readonly parts: readonly OraclePartsTable[]
  readonly depositSignatures: readonly DepositSignaturesTable[]
  readonly claimedSharings: readonly ClaimedSharingsTable[]
}

/**
 * Reads it, also while a relayer writes.
 * @throws ConfigurationError OLDER_DATABASE, NO_DATABASE, FOREIGN_DATABASE, DATABASE_UNREADABLE
 * @throws DvtExitError NEWER_DATABASE, DATABASE_DAMAGED; UnavailableError as queries do
 */
export async function readContents(file: string): Promise<DatabaseContents> {
  const database = openDatabaseForReading<RelayerSchema>(file, 'relayer')
  try {
    const missing = await missingMigrations(database)
    if (missing.length > 0) {
      throw new ConfigurationError('OLDER_DATABASE', `${file} was written by an older version of dvt-exit`, {
        hint: 'Start the relayer with it once, or restore it: that brings it to the current schema',
      })
    }
    return await database.transaction().setAccessMode('read only').execute(readAll)
  } finally {
    await database.destroy()
  }
}

async function readAll(snapshot: Kysely<RelayerSchema>): Promise<DatabaseContents> {
  return {
    faults: await faultsOf(snapshot),
    keyFingerprint: await new Checkpoint(snapshot, 'share-key').load(),
    oracles: await new Checkpoint(snapshot, 'oracles').load(),
    messages: await snapshot.selectFrom('messages').selectAll().execute(),
    shares: await snapshot.selectFrom('signature_shares').selectAll().execute(),
    parts: await snapshot.selectFrom('sealed_parts').selectAll().execute(),
    depositSignatures: await snapshot.selectFrom('deposit_signatures').selectAll().execute(),
    claimedSharings: await snapshot.selectFrom('claimed_sharings').selectAll().execute(),
  }
}
