/** Public shares that sidecars claim, of keys in no given cluster: kept, so that they count after a restart too. */
import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { PublicKeyHex } from '../../core/hex.js'
import { parseJson, stringifyJson } from '../../core/json.js'
import type { DistributedValidator } from '../../core/signer.js'
import type { PublicSharesSource } from '../exits/sharings.js'
import type { ClaimedSharingsTable, ExitsSchema } from '../store/schema.js'
import { deleteProvenUnder } from '../store/statements.js'

/** A sharing that somebody claimed, and who did first. */
export interface ClaimedSharing extends DistributedValidator {
  readonly caller: string
  /** Seconds since 1970. */
  readonly claimedAt: number
}

export class ClaimedSharings implements PublicSharesSource {
  readonly #database: Kysely<ExitsSchema>
  readonly #byKey = new Map<PublicKeyHex, ClaimedSharing[]>()
  readonly #listeners: (() => void)[] = []

  private constructor(database: Kysely<ExitsSchema>) {
    this.#database = database
  }

  static async open(database: Kysely<ExitsSchema>): Promise<ClaimedSharings> {
    const claimed = new ClaimedSharings(database)
    for (const row of await database.selectFrom('claimed_sharings').selectAll().execute()) {
      claimed.#keep(sharingFromRow(row))
    }
    return claimed
  }

  sharingsOf(publicKey: PublicKeyHex): readonly ClaimedSharing[] {
    return this.#byKey.get(publicKey) ?? []
  }

  /** The keys of which any set is claimed. */
  publicKeys(): PublicKeyHex[] {
    return [...this.#byKey.keys()]
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Whether the very same set was claimed before. */
  has(publicKey: PublicKeyHex, shares: DistributedValidator['shares']): boolean {
    const name = setName(shares)
    return this.sharingsOf(publicKey).some((sharing) => setName(sharing.shares) === name)
  }

  /**
   * Adds sharings, and takes those out that make room for them, with the shares that were right under these only:
   * nodes post them again.
   */
  async replace(added: readonly ClaimedSharing[], removed: readonly ClaimedSharing[]): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      for (const sharing of removed) {
        await transaction
          .deleteFrom('claimed_sharings')
          .where('public_key', '=', sharing.publicKey)
          .where('set_hash', '=', setName(sharing.shares))
          .execute()
        await deleteProvenUnder(transaction, sharing.publicKey, this.#onlyOf(sharing, added, removed))
      }
      for (const sharing of added) {
        await transaction
          .insertInto('claimed_sharings')
          .values(toRow(sharing))
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      }
    })
    for (const sharing of removed) this.#drop(sharing)
    for (const sharing of added) this.#keep(sharing)
    for (const listener of this.#listeners) listener()
  }

  /** Forgets the sharings of keys of which nothing is wanted any more. */
  async keepOnly(wanted: ReadonlySet<PublicKeyHex>): Promise<void> {
    const over = [...this.#byKey].filter(([publicKey]) => !wanted.has(publicKey))
    if (over.length === 0) return
    await this.replace(
      [],
      over.flatMap(([, sharings]) => sharings),
    )
  }

  /** The public shares of a sharing that goes which no other one of its key has. */
  #onlyOf(
    { publicKey, shares }: ClaimedSharing,
    added: readonly ClaimedSharing[],
    removed: readonly ClaimedSharing[],
  ): PublicKeyHex[] {
    const stay = [...this.sharingsOf(publicKey), ...added].filter((other) => !removed.includes(other))
    const left = new Set(
      stay.filter((other) => other.publicKey === publicKey).flatMap((other) => [...other.shares.values()]),
    )
    return [...shares.values()].filter((share) => !left.has(share))
  }

  #keep(sharing: ClaimedSharing): void {
    if (this.has(sharing.publicKey, sharing.shares)) return
    this.#byKey.set(sharing.publicKey, [...this.sharingsOf(sharing.publicKey), sharing])
  }

  #drop(sharing: ClaimedSharing): void {
    const left = this.sharingsOf(sharing.publicKey).filter((other) => other !== sharing)
    if (left.length === 0) this.#byKey.delete(sharing.publicKey)
    else this.#byKey.set(sharing.publicKey, left)
  }
}

/** Names a set by its entries, whatever their order. */
export function setName(shares: DistributedValidator['shares']): string {
  const entries = [...shares].sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(entries.map(([index, share]) => `${index}:${share}`).join())
    .digest('hex')
}

function toRow({ publicKey, shares, threshold, caller, claimedAt }: ClaimedSharing): ClaimedSharingsTable {
  return {
    public_key: publicKey,
    set_hash: setName(shares),
    threshold,
    public_shares: stringifyJson([...shares].map(([index, share]) => [String(index), share])),
    caller,
    claimed_at: claimedAt,
  }
}

/** A row as it was written. Throws for what no relayer wrote. */
export function sharingFromRow(row: ClaimedSharingsTable): ClaimedSharing {
  const entries = parseJson(row.public_shares) as [string, PublicKeyHex][]
  return {
    publicKey: row.public_key,
    threshold: row.threshold,
    shares: new Map(entries.map(([index, share]) => [BigInt(index), share])),
    source: sourceOf(row.caller),
    caller: row.caller,
    claimedAt: row.claimed_at,
  }
}

/** What a claimed sharing is called in messages. */
export function sourceOf(caller: string): string {
  return `claimed by ${caller}`
}
