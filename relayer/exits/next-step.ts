/** What is to be done for an exit that has no oracle parts yet: a pure function of what is stored. */
import type { DistributedValidator } from '../../core/signer.js'
import type { ShareRecord } from './records.js'

export type NextStep<S extends ShareRecord> =
  /** More shares are needed. */
  | { readonly kind: 'wait' }
  /** Public shares became known after these shares came: check them. */
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
 * Decides the next step of an exit.
 * @param shares all shares of the exit
 * @param sharings the known sharings of its key: shares of different ones never mix
 * @param fallbackThreshold how many shares make a signature of a key without known sharing
 */
export function nextStep<S extends ShareRecord>(
  shares: readonly S[],
  sharings: readonly DistributedValidator[],
  fallbackThreshold: number | undefined,
): NextStep<S> {
  return sharings.length > 0 ? stepWithSharings(shares, sharings) : stepWithout(shares, fallbackThreshold)
}

function stepWithSharings<S extends ShareRecord>(
  shares: readonly S[],
  sharings: readonly DistributedValidator[],
): NextStep<S> {
  const counts = (share: S, sharing: DistributedValidator) =>
    share.state === 'proven' &&
    share.verifiedUnder !== null &&
    sharing.shares.get(share.shareIndex) === share.verifiedUnder
  const unchecked = shares.filter((share) => !sharings.some((sharing) => counts(share, sharing)))
  if (unchecked.length > 0) return { kind: 'verify', shares: unchecked }
  for (const sharing of sharings) {
    const members = shares.filter((share) => counts(share, sharing))
    if (members.length >= sharing.threshold) {
      return { kind: 'recover', shares: members, threshold: sharing.threshold, sharing }
    }
  }
  return { kind: 'wait' }
}

function stepWithout<S extends ShareRecord>(
  shares: readonly S[],
  threshold: number | undefined,
): NextStep<S> {
  if (threshold === undefined) return { kind: 'wait' }
  const proven = shares.filter((share) => share.state === 'proven' && share.verifiedUnder === null)
  if (proven.length >= threshold) return { kind: 'recover', shares: proven, threshold, sharing: undefined }
  const indexes = new Set(shares.map((share) => share.shareIndex))
  const hasNew = shares.some((share) => share.state !== 'tried')
  return hasNew && indexes.size >= threshold ? { kind: 'try', shares, threshold } : { kind: 'wait' }
}
