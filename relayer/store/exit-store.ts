/** Every query about wanted messages, their shares and what is made of them. Each change is one transaction. */
import { type Kysely, sql } from 'kysely'
import { ConfigurationError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { Listing } from '../exits/listing.js'
import { isExit } from '../exits/message.js'
import {
  type DisprovenShare,
  type MessageId,
  type MessageRecord,
  messageName,
  type OpenShare,
  type ShareRecord,
} from '../exits/records.js'
import { planRequest } from '../exits/request.js'
import type { OracleShares } from '../exits/service.js'
import { Checkpoint } from './checkpoints.js'
import { disprovenSharesOf } from './disproven-shares.js'
import { batches, messageFromRow, messageToRow, openShareFromRow, shareToRow } from './rows.js'
import type { ExitsSchema } from './schema.js'
import { applySettlement, type Settlement } from './settlement.js'
import type { ShareCipher } from './share-cipher.js'
import { type NewShare, placeShares } from './share-placement.js'
import {
  assertRoom,
  deleteMessage,
  deleteShare,
  messageIdOf,
  messagesOf,
  publicKeysOf,
  sharesOf,
} from './statements.js'

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
  async request(asked: readonly MessageId[], limits: RequestLimits): Promise<readonly MessageRecord[]> {
    return this.#database.transaction().execute(async (transaction) => {
      const existing = await messagesOf(transaction, publicKeysOf(asked))
      const { highest } = await transaction
        .selectFrom('messages')
        .select((expression) => expression.fn.max('asked_order').as('highest'))
        .executeTakeFirstOrThrow()
      const plan = planRequest(existing, asked, { ...limits, order: Number(highest ?? 0) + 1 })
      await assertRoom(transaction, existing, plan.insert, limits.mostKeys)
      for (const record of plan.remove) await deleteMessage(transaction, record)
      for (const batch of batches(plan.insert)) {
        await transaction.insertInto('messages').values(batch.map(messageToRow)).execute()
      }
      for (const batch of batches(plan.touch)) {
        await transaction
          .insertInto('messages')
          .values(batch.map(messageToRow))
          .onConflict((conflict) =>
            conflict.columns(['public_key', 'message']).doUpdateSet({
              asked_at: sql.ref('excluded.asked_at'),
              asked_order: sql.ref('excluded.asked_order'),
            }),
          )
          .execute()
      }
      return [...plan.insert, ...plan.shownAgain]
    })
  }

  /** All messages of these keys. */
  messagesOf(publicKeys: readonly PublicKeyHex[]): Promise<MessageRecord[]> {
    return messagesOf(this.#database, publicKeys)
  }

  /** All shares of these keys, without their bytes. */
  sharesOf(publicKeys: readonly PublicKeyHex[]): Promise<ShareRecord[]> {
    return sharesOf(this.#database, publicKeys)
  }

  /** The shares of one message with their bytes. @throws DvtExitError SHARE_UNREADABLE */
  async openSharesOf({ publicKey, message }: MessageId): Promise<OpenShare[]> {
    const rows = await this.#database
      .selectFrom('signature_shares')
      .selectAll()
      .where('public_key', '=', publicKey)
      .where('message', '=', message)
      .orderBy('share_order')
      .execute()
    return rows.map((row) => openShareFromRow(row, this.#cipher))
  }

  /** Tells equal shares of a key and index from different ones. */
  digest(publicKey: PublicKeyHex, shareIndex: bigint, signature: Uint8Array): string {
    return this.#cipher.digest(publicKey, shareIndex, signature)
  }

  /** The shares of these keys that were found wrong. */
  disprovenOf(publicKeys: readonly PublicKeyHex[]): Promise<DisprovenShare[]> {
    return disprovenSharesOf(this.#database, publicKeys)
  }

  /**
   * Stores shares, encrypted; those whose message is gone, and those that are there already, are left out.
   * @returns those for which there is no room
   */
  async addShares(shares: readonly NewShare[]): Promise<readonly NewShare[]> {
    if (shares.length === 0) return []
    return this.#database.transaction().execute(async (transaction) => {
      const publicKeys = publicKeysOf(shares)
      const messages = await messagesOf(transaction, publicKeys)
      const { insert, evict, refused } = placeShares(
        shares,
        messages,
        await sharesOf(transaction, publicKeys),
      )
      for (const share of evict) await deleteShare(transaction, share)
      for (const batch of batches(insert)) {
        const rows = batch.map((share) => shareToRow(share, this.#cipher))
        await transaction.insertInto('signature_shares').values(rows).execute()
      }
      return refused
    })
  }

  /** Stores what a step found out, all of it or nothing; nothing where the message is gone. */
  async settle(id: MessageId, found: Settlement): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const kept = await messagesOf(transaction, [id.publicKey])
      if (!kept.some(({ message }) => message === id.message)) return
      await applySettlement(transaction, id, found)
    })
  }

  /** The oracle parts of these keys' exits for one set of oracles, by messageName. */
  async partsOf(publicKeys: readonly PublicKeyHex[], setHash: Hex): Promise<Map<string, OracleShares>> {
    const parts = new Map<string, OracleShares>()
    for (const batch of batches(publicKeys)) {
      const rows = await this.#database
        .selectFrom('sealed_parts')
        .selectAll()
        .where('set_hash', '=', setHash)
        .where('public_key', 'in', batch)
        .execute()
      for (const row of rows) {
        parts.set(messageName(messageIdOf(row)), {
          publicKeys: JSON.parse(row.public_key_shares) as PublicKeyHex[],
          encryptedExitSignatures: JSON.parse(row.encrypted_signatures) as Hex[],
        })
      }
    }
    return parts
  }

  /** The names (messageName) of all exits that have their parts for a set of oracles. */
  async readyExits(setHash: Hex): Promise<Set<string>> {
    const rows = await this.#database
      .selectFrom('sealed_parts')
      .select(['public_key', 'message'])
      .where('set_hash', '=', setHash)
      .execute()
    return new Set(rows.map((row) => messageName(messageIdOf(row))))
  }

  /** Every message, and the shares whose index is shown. */
  async listed(): Promise<Listing> {
    const messages = await this.#database.selectFrom('messages').selectAll().execute()
    const shares = await this.#database
      .selectFrom('signature_shares')
      .select(['public_key', 'message', 'share_index'])
      .where('listed', '=', 1)
      .execute()
    return {
      messages: messages.map(messageFromRow),
      shares: shares.map((row) => ({ ...messageIdOf(row), shareIndex: BigInt(row.share_index) })),
    }
  }

  /** The whole signatures of these keys' deposits, 96 bytes, by messageName. */
  async depositSignatures(publicKeys: readonly PublicKeyHex[]): Promise<Map<string, Hex>> {
    const signatures = new Map<string, Hex>()
    for (const batch of batches(publicKeys)) {
      const rows = await this.#database
        .selectFrom('deposit_signatures')
        .selectAll()
        .where('public_key', 'in', batch)
        .execute()
      for (const row of rows) signatures.set(messageName(messageIdOf(row)), row.signature as Hex)
    }
    return signatures
  }

  /** The names (messageName) of all deposits that have their signature. */
  async readyDeposits(): Promise<Set<string>> {
    const rows = await this.#database
      .selectFrom('deposit_signatures')
      .select(['public_key', 'message'])
      .execute()
    return new Set(rows.map((row) => messageName(messageIdOf(row))))
  }

  /**
   * Messages that have shares and no result: after a restart their work goes on.
   * @param setHash the oracles for which exits have their parts; undefined where they are not known
   */
  async unfinished(setHash: Hex | undefined): Promise<MessageId[]> {
    const rows = await this.#database
      .selectFrom('signature_shares')
      .select(['public_key', 'message'])
      .distinct()
      .execute()
    const exits = setHash === undefined ? undefined : await this.readyExits(setHash)
    const deposits = await this.readyDeposits()
    return rows.map(messageIdOf).filter((id) => {
      const name = messageName(id)
      return isExit(id.message) ? exits?.has(name) === false : !deposits.has(name)
    })
  }

  /** Every key of which something is wanted. */
  async publicKeys(): Promise<PublicKeyHex[]> {
    const rows = await this.#database.selectFrom('messages').select('public_key').distinct().execute()
    return rows.map((row) => row.public_key)
  }

  /** Deletes what nobody asked for since, with its shares and what was made of them. @returns how many messages */
  async deleteAskedBefore(time: number): Promise<number> {
    const { numDeletedRows } = await this.#database
      .deleteFrom('messages')
      .where('asked_at', '<', time)
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  /** Deletes all that is wanted of these keys, with shares and what was made of them. @returns how many messages */
  async deleteKeys(publicKeys: readonly PublicKeyHex[]): Promise<number> {
    return this.#database.transaction().execute(async (transaction) => {
      let deleted = 0
      for (const batch of batches(publicKeys)) {
        const { numDeletedRows } = await transaction
          .deleteFrom('messages')
          .where('public_key', 'in', batch)
          .executeTakeFirst()
        deleted += Number(numDeletedRows)
      }
      return deleted
    })
  }
}
