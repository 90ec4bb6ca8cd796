/**
 * Taking the public shares that a post claims. A set counts only if it interpolates to the validator's key. It may
 * be forged all the same; but nobody can make the missing share of a forged set, so that a set which reaches its
 * threshold of right shares is right.
 */
import { ssvThreshold } from '../../core/clusters/ssv-shares.js'
import { Conditions } from '../../core/conditions.js'
import { fromHex, type PublicKeyHex } from '../../core/hex.js'
import { Budget } from '../budget.js'
import type { ExitCrypto } from '../crypto/exit-crypto.js'
import { isListed } from '../exits/listed.js'
import { groupBy, type MessageId, type OpenShare, type ShareRecord } from '../exits/records.js'
import type { PublicSharesSource } from '../exits/sharings.js'
import type { SigningRoots } from '../exits/signing-roots.js'
import { publicSharesAt } from '../exits/triage.js'
import type { ExitStore } from '../store/exit-store.js'
import { batches } from '../store/rows.js'
import { roomForSet } from './claim-room.js'
import { type ClaimedSharing, type ClaimedSharings, setName, sourceOf } from './claimed-sharings.js'
import type { PostedSignatures } from './service.js'

/** Nodes of the largest cluster that is looked at. */
const MOST_NODES = 64
/** Checks that one caller's sets may cause in vain at once, and again each minute: of sets, and of shares under them. */
const VAIN_CHECKS = 2000
const REFILL = 60
/** Sets that make no key are remembered: sidecars repeat theirs with every post. */
const REMEMBERED = 10_000

export interface ClaimsParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly signingRoots: SigningRoots
  readonly given: PublicSharesSource
  readonly claimed: ClaimedSharings
  /** SIGNATURE_THRESHOLD. */
  readonly signatureThreshold: number | undefined
  /** Sets of one key that one caller may hold. */
  readonly maxSets: number
  /** Seconds since 1970. */
  readonly clock: () => number
}

type Claim = PostedSignatures & { readonly claimedShares: ReadonlyMap<bigint, PublicKeyHex> }

export class Claims {
  readonly #parts: ClaimsParts
  readonly #vain: Budget
  readonly #impossible = new Conditions(REMEMBERED)

  constructor(parts: ClaimsParts) {
    this.#parts = parts
    const { clock } = parts
    this.#vain = new Budget({ most: VAIN_CHECKS, perSecond: VAIN_CHECKS / REFILL, clock })
  }

  /**
   * Takes the new sets among those that a post claims, and counts the shares that were there under them.
   * @returns messages whose shares count for more now, or are listed no more
   */
  async take(shares: readonly PostedSignatures[], caller: string): Promise<readonly MessageId[]> {
    const fresh = this.#affordable(await this.#wanted(shares.filter((share) => this.#isNew(share))), caller)
    if (fresh.length === 0) return []
    const thresholds = await this.#parts.crypto.checkSharings(
      fresh.map(({ publicKey, claimedShares }) => ({
        publicKey: fromHex(publicKey, 48),
        shares: [...claimedShares].map(([index, share]) => ({ index, publicShare: fromHex(share, 48) })),
        thresholds: this.#thresholdsOf(claimedShares.size),
      })),
    )
    const changed: MessageId[] = []
    for (const [i, claim] of fresh.entries()) {
      const threshold = thresholds[i]
      if (threshold === null || threshold === undefined) {
        this.#impossible.begins(claimName(claim))
        this.#vain.spend(caller, 1)
      } else if (!this.#parts.claimed.has(claim.publicKey, claim.claimedShares)) {
        changed.push(...(await this.#keep(this.#sharingOf(claim, threshold, caller))))
      }
    }
    return changed
  }

  /**
   * Counts the shares under all claimed sets again: a process may have been killed between keeping a set and that.
   * @returns messages whose shares count for more now
   */
  async recount(): Promise<readonly MessageId[]> {
    const { claimed, store } = this.#parts
    const changed: MessageId[] = []
    for (const publicKeys of batches(claimed.publicKeys())) {
      const unchecked = (await store.sharesOf(publicKeys)).filter(isUnchecked)
      for (const publicKey of new Set(unchecked.map((share) => share.publicKey))) {
        for (const sharing of claimed.sharingsOf(publicKey))
          changed.push(...(await this.#countUnder(sharing)))
      }
    }
    return changed
  }

  #isNew(share: PostedSignatures): share is Claim {
    const { given, claimed } = this.#parts
    const { publicKey, claimedShares } = share
    if (claimedShares === undefined || claimedShares.size > MOST_NODES) return false
    if (given.sharingsOf(publicKey).length > 0 || claimed.has(publicKey, claimedShares)) return false
    return !this.#impossible.lasts(claimName({ publicKey, claimedShares }))
  }

  async #wanted(claims: readonly Claim[]): Promise<Claim[]> {
    if (claims.length === 0) return []
    const messages = await this.#parts.store.messagesOf(claims.map(({ publicKey }) => publicKey))
    const wanted = new Set(messages.map(({ publicKey }) => publicKey))
    return claims.filter(({ publicKey }) => wanted.has(publicKey))
  }

  /** Of each key no more sets than a caller may hold, and none of a caller that claimed too many in vain. */
  #affordable(claims: readonly Claim[], caller: string): Claim[] {
    if (this.#vain.left(caller) < 1) return []
    const distinct = [...new Map(claims.map((claim) => [claimName(claim), claim])).values()]
    const { maxSets } = this.#parts
    return [...groupBy(distinct, ({ publicKey }) => publicKey).values()].flatMap((ofKey) =>
      ofKey.slice(0, maxSets),
    )
  }

  #thresholdsOf(nodes: number): number[] {
    return [ssvThreshold(nodes), this.#parts.signatureThreshold].filter(
      (threshold) => threshold !== undefined,
    )
  }

  #sharingOf({ publicKey, claimedShares }: Claim, threshold: number, caller: string): ClaimedSharing {
    const claimedAt = Math.floor(this.#parts.clock())
    return { publicKey, threshold, shares: claimedShares, source: sourceOf(caller), caller, claimedAt }
  }

  /** Keeps a set in the place of another where there are too many, whose shares go with it: nodes post again. */
  async #keep(sharing: ClaimedSharing): Promise<MessageId[]> {
    const { claimed, store, maxSets } = this.#parts
    const { publicKey, caller } = sharing
    const held = claimed.sharingsOf(publicKey)
    const room = roomForSet(caller, held, maxSets, supportIn(await store.sharesOf([publicKey])))
    if (room.kind === 'full' || room.removed !== undefined) this.#vain.spend(caller, 1)
    if (room.kind === 'full') return []
    await claimed.replace([sharing], room.removed === undefined ? [] : [room.removed])
    return this.#countUnder(sharing)
  }

  /**
   * Shares that came without a claim, or under another set, may be right under this one; those that are not are
   * listed no more, so that their node posts the right one.
   */
  async #countUnder({ publicKey, shares: publicShares, caller }: ClaimedSharing): Promise<MessageId[]> {
    const { store } = this.#parts
    const changed: MessageId[] = []
    for (const wanted of await store.messagesOf([publicKey])) {
      const shares = await store.openSharesOf(wanted)
      const unchecked = shares.filter((share) => isUnchecked(share) && publicShares.has(share.shareIndex))
      const right = await this.#rightUnder(publicShares, unchecked, wanted)
      this.#vain.spend(caller, unchecked.length - right.size)
      const judged = shares.map((share) => ({
        ...share,
        verifiedUnder: right.get(share) ?? share.verifiedUnder,
      }))
      const proven = [...right].map(([share, verifiedUnder]) => ({
        share,
        verifiedUnder,
        listed: this.#isListed({ ...share, verifiedUnder }, judged),
      }))
      const contradicting = shares.filter(({ shareIndex, listed, verifiedUnder, state }, i) => {
        const own = publicShares.get(shareIndex)
        if (own === undefined || !listed || state === 'late') return false
        return judged[i]?.verifiedUnder !== own && !(state === 'proven' && verifiedUnder === null)
      })
      if (proven.length + contradicting.length === 0) continue
      await store.settle(wanted, { proven, doubted: contradicting })
      changed.push(wanted)
    }
    return changed
  }

  async #rightUnder(
    publicShares: ReadonlyMap<bigint, PublicKeyHex>,
    shares: readonly OpenShare[],
    wanted: MessageId,
  ): Promise<Map<OpenShare, PublicKeyHex>> {
    const message = this.#parts.signingRoots.of(wanted)
    const checked = shares.flatMap((share) => {
      const publicShare = publicShares.get(share.shareIndex)
      return publicShare === undefined ? [] : { share, publicShare }
    })
    const verdicts = await this.#parts.crypto.checkShares(
      checked.map(({ share, publicShare }) => ({
        signature: share.signature,
        alternatives: [{ message, publicShare: fromHex(publicShare, 48) }],
      })),
    )
    const right = checked.filter((_, i) => verdicts[i]?.verdict === 'right')
    return new Map(right.map(({ share, publicShare }) => [share, publicShare]))
  }

  #isListed(
    share: ShareRecord & { readonly verifiedUnder: PublicKeyHex },
    shares: readonly ShareRecord[],
  ): boolean {
    const { claimed, signatureThreshold } = this.#parts
    const publicShares = publicSharesAt(share.shareIndex, claimed.sharingsOf(share.publicKey))
    return isListed(share, { shares, publicShares, canBeTried: signatureThreshold !== undefined })
  }
}

/** Whether no public share proved it yet, nor a signature. */
function isUnchecked({ state, verifiedUnder }: ShareRecord): boolean {
  return state !== 'proven' && verifiedUnder === null
}

/** How many nodes have a share that is right under a set. */
function supportIn(shares: readonly ShareRecord[]): (sharing: ClaimedSharing) => number {
  return (sharing) =>
    new Set(
      shares
        .filter(({ shareIndex, verifiedUnder }) => sharing.shares.get(shareIndex) === verifiedUnder)
        .map(({ shareIndex }) => shareIndex),
    ).size
}

function claimName({ publicKey, claimedShares }: Pick<Claim, 'publicKey' | 'claimedShares'>): string {
  return `${publicKey} ${setName(claimedShares)}`
}
