/** What a request for exits changes: new exits, exits asked for again, and those that make room. */
import { byPublicKey, type ExitId, type ExitRecord, lastAskedFor } from './records.js'

/** Exits of one key that are kept: when its index moves, the shares of the old one are not lost. */
export const MOST_EXITS_PER_KEY = 4

export interface RequestPlan {
  readonly insert: readonly ExitRecord[]
  /** Exits that were there, with their new time and order. */
  readonly touch: readonly ExitRecord[]
  /** Of the touched, those that take the place of another exit of their key in the list. */
  readonly shownAgain: readonly ExitRecord[]
  readonly remove: readonly ExitId[]
}

export interface RequestTimes {
  /** Seconds since 1970. */
  readonly now: number
  /** Higher than that of every exit before. */
  readonly order: number
  /** Seconds for which an exit that is shown already is not touched again, so that polling writes nothing. */
  readonly touchAfter: number
}

/**
 * Plans one request.
 * @param existing all exits of the asked keys
 * @param asked distinct keys, each with the index that it is to get
 */
export function planRequest(
  existing: readonly ExitRecord[],
  asked: readonly ExitId[],
  { now, order, touchAfter }: RequestTimes,
): RequestPlan {
  const insert: ExitRecord[] = []
  const touch: ExitRecord[] = []
  const shownAgain: ExitRecord[] = []
  const remove: ExitId[] = []
  const known = byPublicKey(existing)
  for (const { publicKey, validatorIndex } of asked) {
    const exits = known.get(publicKey) ?? []
    const exit = exits.find((candidate) => candidate.validatorIndex === validatorIndex)
    if (exit === undefined) {
      insert.push({ publicKey, validatorIndex, createdAt: now, askedAt: now, askedOrder: order })
      remove.push(...oldest(exits, exits.length - MOST_EXITS_PER_KEY + 1))
      continue
    }
    const touched = { ...exit, askedAt: now, askedOrder: order }
    if (lastAskedFor(exits) !== exit) shownAgain.push(touched)
    else if (now - exit.askedAt < touchAfter) continue
    touch.push(touched)
  }
  return { insert, touch, shownAgain, remove }
}

function oldest(exits: readonly ExitRecord[], count: number): ExitRecord[] {
  return exits.toSorted((a, b) => a.askedOrder - b.askedOrder).slice(0, Math.max(0, count))
}
