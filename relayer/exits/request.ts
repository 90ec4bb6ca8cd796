/** What a request changes: new messages, messages asked for again, and those that make room. */
import { isSameKind } from './message.js'
import { byPublicKey, lastAskedFor, type MessageId, type MessageRecord } from './records.js'

/** Messages of one kind that are kept of a key: when its index moves, the shares of the old one are not lost. */
export const MOST_OF_A_KIND = 4

export interface RequestPlan {
  readonly insert: readonly MessageRecord[]
  /** Messages that were there, with their new time and order. */
  readonly touch: readonly MessageRecord[]
  /** Of the touched, those that take the place of another one of their key in the list. */
  readonly shownAgain: readonly MessageRecord[]
  readonly remove: readonly MessageId[]
}

export interface RequestTimes {
  /** Seconds since 1970. */
  readonly now: number
  /** Higher than that of every message before. */
  readonly order: number
  /** Seconds for which a message that is shown already is not touched again, so that polling writes nothing. */
  readonly touchAfter: number
}

/**
 * Plans one request.
 * @param existing all messages of the asked keys
 * @param asked at most one exit and one deposit of each key
 */
export function planRequest(
  existing: readonly MessageRecord[],
  asked: readonly MessageId[],
  { now, order, touchAfter }: RequestTimes,
): RequestPlan {
  const insert: MessageRecord[] = []
  const touch: MessageRecord[] = []
  const shownAgain: MessageRecord[] = []
  const remove: MessageId[] = []
  const known = byPublicKey(existing)
  for (const { publicKey, message } of asked) {
    const ofKind = (known.get(publicKey) ?? []).filter((other) => isSameKind(other.message, message))
    const found = ofKind.find((candidate) => candidate.message === message)
    if (found === undefined) {
      insert.push({ publicKey, message, createdAt: now, askedAt: now, askedOrder: order })
      remove.push(...oldest(ofKind, ofKind.length - MOST_OF_A_KIND + 1))
      continue
    }
    const touched = { ...found, askedAt: now, askedOrder: order }
    if (lastAskedFor(ofKind) !== found) shownAgain.push(touched)
    else if (now - found.askedAt < touchAfter) continue
    touch.push(touched)
  }
  return { insert, touch, shownAgain, remove }
}

function oldest(records: readonly MessageRecord[], count: number): MessageRecord[] {
  return records.toSorted((a, b) => a.askedOrder - b.askedOrder).slice(0, Math.max(0, count))
}
