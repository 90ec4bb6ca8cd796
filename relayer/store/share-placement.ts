/** Where new shares go: a pure function of what is stored when they come. */
import { notesLateShare, roomFor } from '../exits/candidates.js'
import { groupBy, type MessageId, messageName, type OpenShare, type ShareRecord } from '../exits/records.js'

/** A share before it has its place. */
export type NewShare = Omit<OpenShare, 'order'>

export interface SharePlacement {
  readonly insert: readonly OpenShare[]
  readonly evict: readonly ShareRecord[]
  /** Shares for which there is no room. */
  readonly refused: readonly NewShare[]
}

const NO_MATTER = { kind: 'room', evict: [] } as const

/**
 * Places shares one after the other.
 * @param exits the exits that are there
 * @param stored the shares that are there
 */
export function placeShares(
  shares: readonly NewShare[],
  exits: readonly MessageId[],
  stored: readonly ShareRecord[],
): SharePlacement {
  const known = new Set(exits.map(messageName))
  const sharesOf = groupBy(stored, messageName)
  const before = new Set(stored)
  const evict: ShareRecord[] = []
  const refused: NewShare[] = []
  for (const share of shares) {
    const name = messageName(share)
    if (!known.has(name)) continue
    const present: ShareRecord[] = sharesOf.get(name) ?? []
    if (present.some((other) => other.shareIndex === share.shareIndex && other.digest === share.digest))
      continue
    if (share.state === 'late' && !notesLateShare(share.shareIndex, present)) continue
    const room = share.state === 'proven' ? NO_MATTER : roomFor(share, present)
    if (room.kind === 'full') {
      refused.push(share)
      continue
    }
    const evicted = room.evict
    evict.push(...evicted.filter((other) => before.has(other)))
    const order = present.reduce((highest, other) => Math.max(highest, other.order), 0) + 1
    sharesOf.set(name, [...present.filter((other) => !evicted.includes(other)), { ...share, order }])
  }
  const placed = [...sharesOf.values()].flat().filter((share) => !before.has(share))
  return { insert: placed.filter((share): share is OpenShare => 'signature' in share), evict, refused }
}
