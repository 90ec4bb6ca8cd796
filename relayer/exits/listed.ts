/**
 * Whether a share's index is shown as there, so that its node need not post. A liar may have been first at an
 * honest node's index: where nothing proves a share, the node must get the chance to post beside it.
 */
import type { PublicKeyHex } from '../../core/hex.js'
import { isDisputed, type ShareRecord } from './records.js'

export interface Listable {
  readonly shareIndex: bigint
  /** The claimed public share that it verifies under; undefined where it verifies under none. */
  readonly verifiedUnder: PublicKeyHex | undefined
}

/** What a share that is not proven by given public shares meets. */
export interface Surroundings {
  /** The other shares of its message. */
  readonly shares: readonly ShareRecord[]
  /** The public shares that the key's claimed sharings have at its index. */
  readonly publicShares: readonly PublicKeyHex[]
  /** Whether unproven shares can be tried, so that a wrong one is found out: a threshold is known. */
  readonly canBeTried: boolean
}

/**
 * Where public shares are claimed, an index is listed when the share of each of them is there, since any may be
 * forged but the node's own; else the first candidate lists it. Nothing is listed in a dispute: nodes post again,
 * at no cost, until the signature shows who is right.
 */
export function isListed(
  { shareIndex, verifiedUnder }: Listable,
  { shares, publicShares, canBeTried }: Surroundings,
): boolean {
  if (isDisputed(shares)) return false
  if (publicShares.length === 0) return canBeTried
  const there = new Set(shares.filter((share) => share.shareIndex === shareIndex).map((s) => s.verifiedUnder))
  return publicShares.every((publicShare) => publicShare === verifiedUnder || there.has(publicShare))
}
