import type { PublishedExit } from '../../core/clients/relayer.js'
import { type PublicKeyHex, shorten } from '../../core/hex.js'

/** How many validators a line names. */
const MOST_NAMED = 5

/** What a round found of one validator. */
export interface ValidatorState {
  readonly publicKey: PublicKeyHex
  /** Whether the oracles' parts are there. */
  readonly complete: boolean
  /** Its line of `GET /exits`; undefined where the relayer does not list it. */
  readonly exit: PublishedExit | undefined
}

/** One line that says how far it is, and for which validators whose shares are there. */
export function describeWaiting(states: readonly ValidatorState[]): string {
  const waiting = states.filter((state) => !state.complete)
  const ready = `${states.length - waiting.length} of ${states.length} exit signatures ready`
  if (waiting.length === 0) return ready
  const named = waiting.slice(0, MOST_NAMED).map(describeValidator)
  const rest = waiting.length - named.length
  return `${ready}; waiting for ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}

function describeValidator({ publicKey, exit }: ValidatorState): string {
  const key = shorten(publicKey)
  if (exit === undefined) return `${key} (not listed by the relayer)`
  if (exit.isExitSignatureReady) return `${key} (recovered, not split yet)`
  if (exit.shareIndexesReady.length === 0) return `${key} (no share yet)`
  const indexes = exit.shareIndexesReady.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return `${key} (shares ${indexes.join(', ')} are there)`
}
