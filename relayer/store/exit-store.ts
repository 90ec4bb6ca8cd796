/** Every query about exits, shares and oracle parts. Each change is one transaction. */
import { type Kysely, sql } from 'kysely'
import { ConfigurationError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import { listShownExits } from '../exits/listing.js'
import { type ExitId, type ExitRecord, exitName, type OpenShare, type ShareRecord } from '../exits/records.js'
import { planRequest } from '../exits/request.js'
import type { ListedExit, OracleShares } from '../exits/service.js'
import { Checkpoint } from './checkpoints.js'
import { batches, exitFromRow, exitToRow, openShareFromRow, shareToRow } from './rows.js'
import type { ExitsSchema } from './schema.js'
import type { ShareCipher } from './share-cipher.js'
import { type NewShare, placeShares } from './share-placement.js'
import {
  assertRoom,
  deleteElsewhere,
  deleteExit,
  deleteShare,
  exitIdOf,
  exitsOf,
  insertParts,
  publicKeysOf,
  sharesOf,
  updateShare,
} from './statements.js'

/** What one step of the work on an exit found out. */
export interface Settlement {
  /** Right shares, each with the public share that it verified under, null where the signature proved it. */
  readonly proven?: readonly { readonly share: ShareRecord; readonly verifiedUnder: PublicKeyHex | null }[]
  /** Wrong shares: deleted. */
  readonly wrong?: readonly ShareRecord[]
  /** Shares that stay, but whose every subset failed: unlisted. */
  readonly tried?: readonly ShareRecord[]
  /** Shares of which nothing is known any more. */
  readonly unproven?: readonly ShareRecord[]
  /** What the oracles get, once and for all for this set. */
  readonly parts?: OracleShares & { readonly setHash: Hex }
}

export interface RequestLimits {
  /** Seconds since 1970. */
  readonly now: number
  /** Seconds, see planRequest. */
  readonly touchAfter: number
  /** Public keys with exits, at most. */
  readonly mostKeys: number
}

export class ExitStore {
  readonly #database: Kysely<ExitsSchema>
  readonly #cipher: ShareCipher

  private constructor(database: Kysely<ExitsSchema>, cipher: ShareCipher) {
    this.#database = database
    this.#cipher = cipher
  }

  /** @throws ConfigurationError FOREIGN_KEY_FILE where the database's shares were encrypted with another key */
  static async open(database: Kysely<ExitsSchema>, cipher: ShareCipher): Promise<ExitStore> {
    const fingerprint = new Checkpoint(database, 'share-key')
    const kept = await fingerprint.load()
    if (kept === undefined) {
      await fingerprint.save(cipher.fingerprint())
    } else if (kept !== cipher.fingerprint()) {
      throw new ConfigurationError(
        'FOREIGN_KEY_FILE',
        'the shares in the database were encrypted with another key',
        { hint: 'Set RELAYER_KEY_FILE to the key that belongs to it, or start with a new database' },
      )
    }
    return new ExitStore(database, cipher)
  }

  /**
   * Starts exits, or notes that they were asked for again.
   * @returns the exits that the list shows from now on and did not before
   * @throws DvtExitError TOO_MANY_EXITS, and nothing of the request is stored
   */
  async request(asked: readonly ExitId[], limits: RequestLimits): Promise<readonly ExitRecord[]> {
    return this.#database.transaction().execute(async (transaction) => {
      const existing = await exitsOf(transaction, publicKeysOf(asked))
      const { highest } = await transaction
        .selectFrom('exits')
        .select((expression) => expression.fn.max('asked_order').as('highest'))
        .executeTakeFirstOrThrow()
      const plan = planRequest(existing, asked, { ...limits, order: Number(highest ?? 0) + 1 })
      await assertRoom(transaction, existing, plan.insert, limits.mostKeys)
      for (const exit of plan.remove) await deleteExit(transaction, exit)
      for (const batch of batches(plan.insert)) {
        await transaction.insertInto('exits').values(batch.map(exitToRow)).execute()
      }
      for (const batch of batches(plan.touch)) {
        await transaction
          .insertInto('exits')
          .values(batch.map(exitToRow))
          .onConflict((conflict) =>
            conflict.columns(['public_key', 'validator_index']).doUpdateSet({
              asked_at: sql.ref('excluded.asked_at'),
              asked_order: sql.ref('excluded.asked_order'),
            }),
          )
          .execute()
      }
      return [...plan.insert, ...plan.shownAgain]
    })
  }

  /** All exits of these keys. */
  exitsOf(publicKeys: readonly PublicKeyHex[]): Promise<ExitRecord[]> {
    return exitsOf(this.#database, publicKeys)
  }

  /** All shares of these keys, without their bytes. */
  sharesOf(publicKeys: readonly PublicKeyHex[]): Promise<ShareRecord[]> {
    return sharesOf(this.#database, publicKeys)
  }

  /** The shares of one exit with their bytes. @throws DvtExitError SHARE_UNREADABLE */
  async openSharesOf(exit: ExitId): Promise<OpenShare[]> {
    const rows = await this.#database
      .selectFrom('shares')
      .selectAll()
      .where('public_key', '=', exit.publicKey)
      .where('validator_index', '=', exit.validatorIndex)
      .orderBy('share_order')
      .execute()
    return rows.map((row) => openShareFromRow(row, this.#cipher))
  }

  /** Tells equal shares of a key and index from different ones. */
  digest(publicKey: PublicKeyHex, shareIndex: bigint, signature: Uint8Array): string {
    return this.#cipher.digest(publicKey, shareIndex, signature)
  }

  /** Stores shares, encrypted; those whose exit is gone, and those that are there already, are left out. */
  async addShares(shares: readonly NewShare[]): Promise<void> {
    if (shares.length === 0) return
    await this.#database.transaction().execute(async (transaction) => {
      const publicKeys = publicKeysOf(shares)
      const exits = await exitsOf(transaction, publicKeys)
      const { insert, evict } = placeShares(shares, exits, await sharesOf(transaction, publicKeys))
      for (const share of evict) await deleteShare(transaction, share)
      for (const batch of batches(insert)) {
        const rows = batch.map((share) => shareToRow(share, this.#cipher))
        await transaction.insertInto('shares').values(rows).execute()
      }
    })
  }

  /** Stores what a step found out, all of it or nothing; nothing where the exit is gone. */
  async settle(exit: ExitId, found: Settlement): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const exits = await exitsOf(transaction, [exit.publicKey])
      if (!exits.some((kept) => kept.validatorIndex === exit.validatorIndex)) return
      for (const share of found.wrong ?? []) await deleteShare(transaction, share)
      for (const share of found.tried ?? []) {
        await updateShare(transaction, share, { state: 'tried', listed: 0 })
      }
      for (const share of found.unproven ?? []) {
        await updateShare(transaction, share, { state: 'candidate', verified_under: null })
      }
      for (const { share, verifiedUnder } of found.proven ?? []) {
        await updateShare(transaction, share, { state: 'proven', listed: 1, verified_under: verifiedUnder })
        await deleteElsewhere(transaction, share)
      }
      if (found.parts !== undefined) await insertParts(transaction, exit, found.parts)
    })
  }

  /** The oracle parts of these keys' exits for one set of oracles, by exitName. */
  async partsOf(publicKeys: readonly PublicKeyHex[], setHash: Hex): Promise<Map<string, OracleShares>> {
    const parts = new Map<string, OracleShares>()
    for (const batch of batches(publicKeys)) {
      const rows = await this.#database
        .selectFrom('oracle_parts')
        .selectAll()
        .where('set_hash', '=', setHash)
        .where('public_key', 'in', batch)
        .execute()
      for (const row of rows) {
        parts.set(exitName(exitIdOf(row)), {
          publicKeys: JSON.parse(row.public_key_shares) as PublicKeyHex[],
          encryptedExitSignatures: JSON.parse(row.encrypted_signatures) as Hex[],
        })
      }
    }
    return parts
  }

  /** The names (exitName) of all exits that have their parts for a set of oracles. */
  async readyExits(setHash: Hex): Promise<Set<string>> {
    const rows = await this.#database
      .selectFrom('oracle_parts')
      .select(['public_key', 'validator_index'])
      .where('set_hash', '=', setHash)
      .execute()
    return new Set(rows.map((row) => exitName(exitIdOf(row))))
  }

  /** What `GET /exits` shows. @param ready names of the exits that have their parts */
  async list(ready: ReadonlySet<string>): Promise<ListedExit[]> {
    const exits = await this.#database
      .selectFrom('exits')
      .selectAll()
      .orderBy('created_at')
      .orderBy('asked_order')
      .orderBy('validator_index')
      .execute()
    const shares = await this.#database
      .selectFrom('shares')
      .select(['public_key', 'validator_index', 'share_index'])
      .where('listed', '=', 1)
      .execute()
    const listed = shares.map((row) => ({ ...exitIdOf(row), shareIndex: BigInt(row.share_index) }))
    return listShownExits(exits.map(exitFromRow), listed, ready)
  }

  /** Exits that have shares and no parts for this set of oracles: after a restart their work goes on. */
  async unfinished(setHash: Hex): Promise<ExitId[]> {
    const rows = await this.#database
      .selectFrom('shares')
      .select(['public_key', 'validator_index'])
      .distinct()
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('oracle_parts')
              .select('set_hash')
              .where('set_hash', '=', setHash)
              .whereRef('oracle_parts.public_key', '=', 'shares.public_key')
              .whereRef('oracle_parts.validator_index', '=', 'shares.validator_index'),
          ),
        ),
      )
      .execute()
    return rows.map(exitIdOf)
  }

  /** Every key that has an exit. */
  async publicKeys(): Promise<PublicKeyHex[]> {
    const rows = await this.#database.selectFrom('exits').select('public_key').distinct().execute()
    return rows.map((row) => row.public_key)
  }

  /** Deletes the exits that nobody asked for since, with their shares and parts. @returns how many */
  async deleteAskedBefore(time: number): Promise<number> {
    const { numDeletedRows } = await this.#database
      .deleteFrom('exits')
      .where('asked_at', '<', time)
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  /** Deletes all exits of these keys, with their shares and parts. @returns how many */
  async deleteKeys(publicKeys: readonly PublicKeyHex[]): Promise<number> {
    let deleted = 0
    for (const batch of batches(publicKeys)) {
      const { numDeletedRows } = await this.#database
        .deleteFrom('exits')
        .where('public_key', 'in', batch)
        .executeTakeFirst()
      deleted += Number(numDeletedRows)
    }
    return deleted
  }
}
