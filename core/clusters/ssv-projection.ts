import type { Hex, PublicKeyHex } from '../hex.js'
import { rememberedChecks } from './ssv-checks.js'
import {
  decide,
  emptySsvState,
  evolve,
  OTHER_CLUSTER,
  type Outcome,
  type SsvState,
  type SsvValidator,
  type Viewpoint,
} from './ssv-rules.js'
import type { KeptLog } from './ssv-store.js'

/** The state of every viewpoint, made from the same logs in the same order. */
export class SsvProjection {
  readonly #states: ReadonlyMap<Viewpoint, SsvState>
  readonly #counted = new Map<Hex, bigint>()

  constructor(viewpoints: readonly Viewpoint[]) {
    this.#states = new Map(viewpoints.map((viewpoint) => [viewpoint, emptySsvState()]))
  }

  /** Applies the next log and says what it meant to each viewpoint. */
  apply({ event, blockNumber, verdicts }: KeptLog): ReadonlyMap<Viewpoint, Outcome> {
    const checks = rememberedChecks(verdicts)
    const outcomes = new Map<Viewpoint, Outcome>()
    for (const [viewpoint, state] of this.#states) {
      const outcome = decide(state, event, viewpoint, checks)
      if (event.name === 'ValidatorAdded' && verdicts.signedNonce === (state.nonces.get(event.owner) ?? 0)) {
        this.#counted.set(event.owner, blockNumber)
      }
      evolve(state, outcome.changes)
      outcomes.set(viewpoint, outcome)
    }
    return outcomes
  }

  /** The last block at which a signature proved that the owner's nonce was counted right. */
  countedRightAt(owner: Hex): bigint | undefined {
    return this.#counted.get(owner)
  }

  /** How many ValidatorAdded the owner has had. */
  nonceOf(owner: Hex): number {
    const [state] = this.#states.values()
    return state?.nonces.get(owner) ?? 0
  }

  /** The validators of one viewpoint as they are now. */
  validators(viewpoint: Viewpoint): ReadonlyMap<PublicKeyHex, SsvValidator> {
    return new Map(this.#states.get(viewpoint)?.validators)
  }
}

/** The log as it is worth keeping: whole where it says something to a viewpoint; undefined where to none. */
export function worthKeeping(log: KeptLog, outcomes: Iterable<Outcome>): KeptLog | undefined {
  const { event, blockNumber, logIndex } = log
  if ([...outcomes].some(({ effect }) => effect !== OTHER_CLUSTER)) return log
  if (event.name !== 'ValidatorAdded' && event.name !== 'OwnerNonceUsed') return undefined
  return { blockNumber, logIndex, event: { name: 'OwnerNonceUsed', owner: event.owner }, verdicts: {} }
}
