/**
 * Which shares are kept while nothing proves them. A node's right share is always the same bytes, so more
 * than one share at an index means that somebody lies; a few slots let the honest node in beside the liar.
 */
import type { ShareRecord } from './records.js'

/** Unproven shares kept at one index. */
export const SLOTS_PER_INDEX = 4
/** Unproven shares kept of one exit, at all indexes. */
export const SLOTS_PER_EXIT = 64

/**
 * The shares that make room for a further unproven one: those that were tried in vain first, then the
 * oldest. Proven shares never do.
 * @param shares all shares of the exit
 */
export function evictedFor(shareIndex: bigint, shares: readonly ShareRecord[]): ShareRecord[] {
  const unproven = shares.filter((share) => share.state !== 'proven').toSorted(byWorth)
  const sameIndex = unproven.filter((share) => share.shareIndex === shareIndex)
  if (sameIndex.length >= SLOTS_PER_INDEX) return sameIndex.slice(0, sameIndex.length - SLOTS_PER_INDEX + 1)
  return unproven.slice(0, Math.max(0, unproven.length - SLOTS_PER_EXIT + 1))
}

function byWorth(a: ShareRecord, b: ShareRecord): number {
  return Number(b.state === 'tried') - Number(a.state === 'tried') || a.order - b.order
}

/** Whether a share that comes after the exit is ready is noted: the first of its index, within the slots. */
export function notesLateShare(shareIndex: bigint, shares: readonly ShareRecord[]): boolean {
  return shares.length < SLOTS_PER_EXIT && !shares.some((share) => share.shareIndex === shareIndex)
}
