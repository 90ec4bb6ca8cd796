/**
 * Which shares are kept while nothing proves them. A node's right share is always the same bytes, so more
 * than one share at an index means that somebody lies. Slots are per caller and index, so that a caller pushes
 * out only what it sent itself.
 */
import type { ShareRecord } from './records.js'

/** Unproven shares of one caller kept at one index. */
export const SLOTS_PER_INDEX = 4
/** Unproven shares of one caller kept of one message, at all indexes: it may post for several nodes. */
export const SLOTS_PER_CALLER = 32
/** Unproven shares kept of one message, of all callers. */
export const SLOTS_PER_MESSAGE = 256

/** What a further share costs: the shares that make room for it. */
export type Room =
  | { readonly kind: 'room'; readonly evict: readonly ShareRecord[] }
  /** Others hold every slot. */
  | { readonly kind: 'full' }

/**
 * Makes room for a further unproven share: among the caller's own those go that were tried in vain, then the
 * oldest. Proven shares never do. Where all slots of a message are taken, a token's share takes that of an address.
 * @param shares all shares of the message
 */
export function roomFor(
  { shareIndex, caller }: Pick<ShareRecord, 'shareIndex' | 'caller'>,
  shares: readonly ShareRecord[],
): Room {
  const unproven = shares.filter((share) => share.state !== 'proven').toSorted(byWorth)
  const own = unproven.filter((share) => share.caller === caller)
  const atIndex = own.filter((share) => share.shareIndex === shareIndex)
  if (atIndex.length >= SLOTS_PER_INDEX) return over(atIndex, SLOTS_PER_INDEX)
  if (own.length >= SLOTS_PER_CALLER) return over(own, SLOTS_PER_CALLER)
  if (unproven.length < SLOTS_PER_MESSAGE) return { kind: 'room', evict: [] }
  const yielding =
    own.length > 0 || !isToken(caller) ? own : unproven.filter((share) => !isToken(share.caller))
  const [worst] = yielding
  return worst === undefined ? { kind: 'full' } : { kind: 'room', evict: [worst] }
}

function over(shares: readonly ShareRecord[], slots: number): Room {
  return { kind: 'room', evict: shares.slice(0, shares.length - slots + 1) }
}

function byWorth(a: ShareRecord, b: ShareRecord): number {
  return Number(b.state === 'tried') - Number(a.state === 'tried') || a.order - b.order
}

/** Whether a caller is known by its token, so that it cannot be many. */
export function isToken(caller: string): boolean {
  return caller.startsWith('token ')
}

/** Whether a share that comes after the exit is ready is noted: the first of its index, within the slots. */
export function notesLateShare(shareIndex: bigint, shares: readonly ShareRecord[]): boolean {
  return shares.length < SLOTS_PER_MESSAGE && !shares.some((share) => share.shareIndex === shareIndex)
}
