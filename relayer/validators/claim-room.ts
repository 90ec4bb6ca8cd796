/** Which claimed set of public shares makes room for another: a pure function of what is held. */
import { isToken } from '../exits/candidates.js'

/** A set as far as its place is concerned. */
export interface HeldSet {
  /** Who claimed it first. */
  readonly caller: string
  /** Seconds since 1970. */
  readonly claimedAt: number
}

/** Sets of one key, of all callers. */
export const SETS_OF_A_KEY = 16

export type SetRoom<S> =
  | { readonly kind: 'room'; readonly removed: S | undefined }
  /** Others hold every place. */
  | { readonly kind: 'full' }

/**
 * Makes room for a further set of a key. A caller that holds all it may gives up one of its own; where the key
 * has too many, one of an address goes, never a token's for an address. The one with the fewest shares goes first,
 * then the oldest.
 * @param support how many nodes' shares are right under a set
 */
export function roomForSet<S extends HeldSet>(
  caller: string,
  held: readonly S[],
  setsOfACaller: number,
  support: (set: S) => number,
): SetRoom<S> {
  const least = (sets: readonly S[]) =>
    sets.toSorted((a, b) => support(a) - support(b) || a.claimedAt - b.claimedAt)[0]
  const own = held.filter((set) => set.caller === caller)
  if (own.length >= setsOfACaller) return { kind: 'room', removed: least(own) }
  if (held.length < SETS_OF_A_KEY) return { kind: 'room', removed: undefined }
  const removed = least(held.filter((set) => !isToken(set.caller))) ?? least(own)
  return removed === undefined ? { kind: 'full' } : { kind: 'room', removed }
}
