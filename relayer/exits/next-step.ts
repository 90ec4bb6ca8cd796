/** What is to be done for a message that has no signature yet: a pure function of what is stored. */
import type { DistributedValidator } from '../../core/signer.js'
import type { ShareRecord } from './records.js'
import type { KeySharings } from './sharings.js'

export type NextStep<S extends ShareRecord> =
  /** More shares are needed. */
  | { readonly kind: 'wait' }
  /** Public shares were given after these shares came: check them. */
  | { readonly kind: 'verify'; readonly shares: readonly S[] }
  /** Enough right shares of one sharing are there. */
  | {
      readonly kind: 'recover'
      readonly shares: readonly S[]
      readonly threshold: number
      /** undefined where a recovered signature had proven them. */
      readonly sharing: DistributedValidator | undefined
    }
  /** Enough unproven shares are there, at least one of them new. */
  | { readonly kind: 'try'; readonly shares: readonly S[]; readonly threshold: number }

/**
 * Decides the next step of a message.
 * @param shares all shares of the message
 * @param known the sharings of its key: shares of different ones never mix
 * @param fallbackThreshold how many shares make a signature of a key without given sharing
 */
export function nextStep<S extends ShareRecord>(
  shares: readonly S[],
  { sharings, given }: KeySharings,
  fallbackThreshold: number | undefined,
): NextStep<S> {
  const isMember = (share: S) => sharings.some((sharing) => countsFor(share, sharing))
  const others = shares.filter((share) => !isMember(share))
  if (given && others.length > 0) return { kind: 'verify', shares: others }
  for (const sharing of sharings) {
    const members = shares.filter((share) => countsFor(share, sharing))
    if (members.length >= sharing.threshold) {
      return { kind: 'recover', shares: members, threshold: sharing.threshold, sharing }
    }
  }
  return given ? { kind: 'wait' } : stepWithout(shares, sharings, fallbackThreshold)
}

/** A share counts only under its own entry of a sharing. */
function countsFor({ verifiedUnder, shareIndex }: ShareRecord, sharing: DistributedValidator): boolean {
  return verifiedUnder !== null && sharing.shares.get(shareIndex) === verifiedUnder
}

/** Claimed sharings may be forged, wholly or but for a few entries: what verifies under them is tried too. */
function stepWithout<S extends ShareRecord>(
  shares: readonly S[],
  claimed: readonly DistributedValidator[],
  threshold: number | undefined,
): NextStep<S> {
  if (threshold === undefined) return { kind: 'wait' }
  const proven = shares.filter(isProvenBySignature)
  if (proven.length >= threshold) return { kind: 'recover', shares: proven, threshold, sharing: undefined }
  const isOneSharing = claimed.some((sharing) => shares.every((share) => countsFor(share, sharing)))
  const indexes = new Set(shares.map((share) => share.shareIndex))
  const hasNew = shares.some((share) => share.state !== 'tried')
  const isDue = hasNew && !isOneSharing && indexes.size >= threshold
  return isDue ? { kind: 'try', shares, threshold } : { kind: 'wait' }
}

/** A claimed public share alone is no proof. */
export function isProvenBySignature({ state, verifiedUnder }: ShareRecord): boolean {
  return state === 'proven' && verifiedUnder === null
}
