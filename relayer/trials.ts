/**
 * Trials of subsets where no public shares prove anything. A turn is one task of a thread; each caller and each
 * message has a budget of trials that refills steadily, and what is over it waits. So a liar who sends new
 * shares without end takes no more than its part of the threads, and what proves to be right is given back.
 */
import { setImmediate } from 'node:timers/promises'
import { Budget } from './budget.js'
import type { ExitCrypto, SignatureToMake, Trial } from './crypto/exit-crypto.js'
import { isToken } from './exits/candidates.js'
import { type MessageId, messageName, type OpenShare } from './exits/records.js'
import { searchSubsets } from './exits/subsets.js'
import { payerOf, TrialMemory } from './exits/trial-memory.js'
import type { ExitMetrics } from './metrics.js'

/** Subsets in one task of a thread: at most a few tenths of a second. */
const SUBSETS_PER_TURN = 128
/** Pauses of the search in one turn, until it is given up for a while. */
const MOST_PAUSES = 100
/** The trials of one message are this many times those of one caller. */
const CALLERS_PER_MESSAGE = 4
/** Seconds in which an empty budget is full again. */
const REFILL = 60
/** Failed subsets that are remembered, of all messages, and messages of which any are. */
const MOST_REMEMBERED = 500_000
const MOST_MEMORIES = 40_000

export interface TrialParts {
  readonly crypto: ExitCrypto
  readonly metrics: ExitMetrics
  /** Trials that one caller may cause at once, and again each minute. */
  readonly maxTrials: number
  /** Seconds since 1970. */
  readonly clock: () => number
}

export type Turn =
  | { readonly kind: 'recovered'; readonly trial: Extract<Trial, { outcome: 'recovered' }> }
  /** Every subset failed. */
  | { readonly kind: 'failed' }
  /** Some failed, and there may be more. */
  | { readonly kind: 'unfinished' }
  /** There are more, which wait for a budget. */
  | { readonly kind: 'postponed' }

/** The subsets of one turn, as positions in the list of shares. */
interface Pick {
  readonly subsets: (readonly number[])[]
  readonly names: string[]
  /** Whether these are all that is left to try. */
  isAll: boolean
}

export class Trials {
  readonly #parts: TrialParts
  readonly #callers: Budget
  readonly #messages: Budget
  readonly #memories = new Map<string, TrialMemory>()
  #remembered = 0

  constructor(parts: TrialParts) {
    this.#parts = parts
    const { maxTrials, clock } = parts
    const budget = (most: number) => new Budget({ most, perSecond: most / REFILL, clock })
    this.#callers = budget(maxTrials)
    this.#messages = budget(CALLERS_PER_MESSAGE * maxTrials)
  }

  /** Whether trials of the message failed already, in this process. */
  hasFailed(wanted: MessageId): boolean {
    return this.#memories.has(messageName(wanted))
  }

  /**
   * Tries the next subsets, in the order of least work.
   * @param shares all shares of the message, the oldest first
   * @param job the message and the same shares
   */
  async turn(wanted: MessageId, shares: readonly OpenShare[], job: SignatureToMake): Promise<Turn> {
    const memory = this.#memoryOf(messageName(wanted))
    const { subsets, names, isAll } = await this.#pick(messageName(wanted), shares, job.threshold, memory)
    if (subsets.length > 0) {
      const trial = await this.#parts.crypto.trySubsets({ ...job, subsets })
      this.#parts.metrics.trials.inc(subsets.length)
      if (trial.outcome === 'recovered') {
        this.#reward(
          wanted,
          trial.wrong.flatMap((position) => shares[position]?.caller ?? []),
        )
        return { kind: 'recovered', trial }
      }
      this.#remember(memory, names)
    }
    if (!isAll) return { kind: subsets.length > 0 ? 'unfinished' : 'postponed' }
    this.#remembered -= memory.size
    memory.forgetFailed()
    return { kind: 'failed' }
  }

  /** Forgets a message that is finished or gone. */
  forget(wanted: MessageId): void {
    const name = messageName(wanted)
    this.#remembered -= this.#memories.get(name)?.size ?? 0
    this.#memories.delete(name)
  }

  /** Chooses what is tried next. Shares of callers with a token come first: these cannot be many. */
  async #pick(
    name: string,
    shares: readonly OpenShare[],
    threshold: number,
    memory: TrialMemory,
  ): Promise<Pick> {
    const all = [...shares.keys()]
    const ofTokens = all.filter((position) => isToken(shares[position]?.caller ?? ''))
    const isMixed = ofTokens.length > 0 && ofTokens.length < all.length
    const pick: Pick = { subsets: [], names: [], isAll: true }
    const sent = new Map<string, number>()
    for (const { caller } of shares) sent.set(caller, (sent.get(caller) ?? 0) + 1)
    const broke = new Set([...sent.keys()].filter((caller) => this.#callers.left(caller) < 1))
    let pauses = 0
    for (const positions of isMixed ? [ofTokens, all] : [all]) {
      const candidates = positions.flatMap((position) => {
        const share = shares[position]
        return share === undefined ? [] : { ...share, tried: share.state === 'tried' }
      })
      let contradicted: number | undefined
      for (const found of searchSubsets(candidates, threshold)) {
        if (found === undefined) {
          this.#messages.spend(name, 1)
          if (++pauses > MOST_PAUSES) return { ...pick, isAll: false }
          await setImmediate()
          continue
        }
        const subset = found.members.flatMap((member) => positions[member] ?? [])
        const members = subset.flatMap((position) => shares[position] ?? [])
        const subsetName = memory.nameOf(members)
        if (memory.hasFailed(subsetName)) continue
        // What is more doubtful is for a later turn, and so is what another turn would repeat.
        if (contradicted !== undefined && found.contradicted > contradicted) return { ...pick, isAll: false }
        const payer = payerOf(members, sent)
        if (!this.#charge(name, payer, memory)) {
          pick.isAll = false
          broke.add(payer)
          if (broke.size === sent.size || this.#messages.left(name) < 1) return pick
          continue
        }
        contradicted = found.contradicted
        pick.subsets.push(subset)
        pick.names.push(subsetName)
        if (pick.subsets.length === SUBSETS_PER_TURN) return { ...pick, isAll: false }
      }
      if (pick.subsets.length > 0 && positions !== all) return { ...pick, isAll: false }
    }
    return pick
  }

  #charge(name: string, caller: string, memory: TrialMemory): boolean {
    if (this.#callers.left(caller) < 1 || this.#messages.left(name) < 1) return false
    this.#callers.spend(caller, 1)
    this.#messages.spend(name, 1)
    memory.addCaused(caller)
    return true
  }

  /** Whoever sent nothing wrong gets back what was spent on the others' account. */
  #reward(wanted: MessageId, liars: readonly string[]): void {
    const caused = this.#memories.get(messageName(wanted))?.caused ?? new Map<string, number>()
    for (const [caller, trials] of caused) if (!liars.includes(caller)) this.#callers.refund(caller, trials)
    this.forget(wanted)
  }

  #memoryOf(name: string): TrialMemory {
    const memory = this.#memories.get(name) ?? new TrialMemory()
    // Written again, so that the map's order is that of the last turn.
    this.#memories.delete(name)
    this.#memories.set(name, memory)
    if (this.#memories.size > MOST_MEMORIES) this.#forgetOldest()
    return memory
  }

  #remember(memory: TrialMemory, names: readonly string[]): void {
    memory.addFailed(names)
    this.#remembered += names.length
    while (this.#remembered > MOST_REMEMBERED) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const [name, { size }] of this.#memories) {
      this.#memories.delete(name)
      this.#remembered -= size
      return
    }
  }
}
