/**
 * Taking the public shares that a post claims. A set counts only if it interpolates to the validator's key. It may
 * be forged all the same; but nobody can make the missing share of a forged set, so that a set which reaches its
 * threshold of right shares is right.
 */
import { ssvThreshold } from '../../core/clusters/ssv-shares.js'
import { fromHex, type PublicKeyHex } from '../../core/hex.js'
import type { ExitCrypto } from '../crypto/exit-crypto.js'
import type { MessageId } from '../exits/records.js'
import type { PublicSharesSource } from '../exits/sharings.js'
import type { SigningRoots } from '../exits/signing-roots.js'
import type { ExitStore } from '../store/exit-store.js'
import { type ClaimedSharing, type ClaimedSharings, sourceOf } from './claimed-sharings.js'
import type { PostedSignatures } from './service.js'

/** Sets of one key that one caller may hold: a cluster that was edited has two. */
const SETS_OF_A_CALLER = 3
const SETS_OF_A_KEY = 16
/** Nodes of the largest cluster that is looked at. */
const MOST_NODES = 64

export interface ClaimsParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly signingRoots: SigningRoots
  readonly given: PublicSharesSource
  readonly claimed: ClaimedSharings
  /** SIGNATURE_THRESHOLD. */
  readonly signatureThreshold: number | undefined
  /** Seconds since 1970. */
  readonly clock: () => number
}

type Claim = PostedSignatures & { readonly claimedShares: ReadonlyMap<bigint, PublicKeyHex> }

export class Claims {
  readonly #parts: ClaimsParts

  constructor(parts: ClaimsParts) {
    this.#parts = parts
  }

  /**
   * Takes the new sets among those that a post claims, and counts the shares that were there under them.
   * @returns messages whose shares count for more now
   */
  async take(shares: readonly PostedSignatures[], caller: string): Promise<readonly MessageId[]> {
    const fresh = await this.#wanted(shares.filter((share) => this.#isNew(share)))
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
      if (threshold === null || threshold === undefined) continue
      const sharing = this.#sharingOf(claim, threshold, caller)
      changed.push(...(await this.#countUnder(sharing)))
      await this.#makeRoom(sharing)
    }
    return changed
  }

  #isNew(share: PostedSignatures): share is Claim {
    const { given, claimed } = this.#parts
    const { publicKey, claimedShares } = share
    if (claimedShares === undefined || claimedShares.size > MOST_NODES) return false
    return given.sharingsOf(publicKey).length === 0 && !claimed.has(publicKey, claimedShares)
  }

  async #wanted(claims: readonly Claim[]): Promise<Claim[]> {
    if (claims.length === 0) return []
    const messages = await this.#parts.store.messagesOf(claims.map(({ publicKey }) => publicKey))
    const wanted = new Set(messages.map(({ publicKey }) => publicKey))
    return claims.filter(({ publicKey }) => wanted.has(publicKey))
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

  /** Shares that came without a claim, or under another set, may be right under this one. */
  async #countUnder({ publicKey, shares }: ClaimedSharing): Promise<MessageId[]> {
    const { store, crypto, signingRoots } = this.#parts
    const changed: MessageId[] = []
    for (const wanted of await store.messagesOf([publicKey])) {
      const open = (await store.openSharesOf(wanted)).filter(({ state }) => state !== 'proven')
      const checked = open.flatMap((share) => {
        const publicShare = shares.get(share.shareIndex)
        return publicShare === undefined ? [] : { share, publicShare }
      })
      const message = signingRoots.of(wanted)
      const verdicts = await crypto.checkShares(
        checked.map(({ share, publicShare }) => ({
          signature: share.signature,
          alternatives: [{ message, publicShare: fromHex(publicShare, 48) }],
        })),
      )
      const proven = checked
        .filter((_, i) => verdicts[i]?.verdict === 'right')
        .map(({ share, publicShare }) => ({ share, verifiedUnder: publicShare }))
      if (proven.length === 0) continue
      await store.settle(wanted, { proven })
      changed.push(wanted)
    }
    return changed
  }

  /** The sets that hold the fewest shares go first, and their shares with them, so that nodes post again. */
  async #makeRoom(sharing: ClaimedSharing): Promise<void> {
    const { claimed, store } = this.#parts
    const others = claimed.sharingsOf(sharing.publicKey)
    const ofCaller = others.filter(({ caller }) => caller === sharing.caller)
    const crowded = ofCaller.length >= SETS_OF_A_CALLER ? ofCaller : others
    const tooMany = ofCaller.length >= SETS_OF_A_CALLER || others.length >= SETS_OF_A_KEY
    const removed = tooMany ? await this.#leastSupported(crowded) : undefined
    await claimed.replace([sharing], removed === undefined ? [] : [removed])
    if (removed === undefined) return
    const left = new Set(claimed.sharingsOf(sharing.publicKey).flatMap(({ shares }) => [...shares.values()]))
    const gone = [...removed.shares.values()].filter((share) => !left.has(share))
    await store.deleteProvenUnder(sharing.publicKey, gone)
  }

  async #leastSupported(sharings: readonly ClaimedSharing[]): Promise<ClaimedSharing | undefined> {
    const [first] = sharings
    if (first === undefined) return undefined
    const shares = await this.#parts.store.sharesOf([first.publicKey])
    const support = (sharing: ClaimedSharing) =>
      new Set(
        shares
          .filter(({ shareIndex, verifiedUnder }) => sharing.shares.get(shareIndex) === verifiedUnder)
          .map(({ shareIndex }) => shareIndex),
      ).size
    return sharings.toSorted((a, b) => support(a) - support(b) || a.claimedAt - b.claimedAt)[0]
  }
}
