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
import { TrialMemory } from './exits/trial-memory.js'
import { countSent, payerOf, unpayable } from './exits/trial-payers.js'
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
  /** Whether the search ended because its payer could pay no more. */
  isBroken: boolean
}

/** A message whose subsets are searched. */
interface TrialSearch {
  readonly name: string
  readonly shares: readonly OpenShare[]
  /** How many shares each caller sent. */
  readonly sent: ReadonlyMap<string, number>
  readonly threshold: number
  readonly memory: TrialMemory
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
    const { subsets, names, isAll } = await this.#pick({
      name: messageName(wanted),
      shares,
      sent: countSent(shares),
      threshold: job.threshold,
      memory,
    })
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
      this.#remember(messageName(wanted), memory, names)
    }
    if (!isAll) return { kind: subsets.length > 0 ? 'unfinished' : 'postponed' }
    if (this.#memories.get(messageName(wanted)) === memory) this.#remembered -= memory.size
    memory.forgetFailed()
    return { kind: 'failed' }
  }

  /** Forgets a message that is finished or gone. */
  forget(wanted: MessageId): void {
    const name = messageName(wanted)
    this.#remembered -= this.#memories.get(name)?.size ?? 0
    this.#memories.delete(name)
  }

  /** Chooses what is tried next, without what nobody can pay for. */
  async #pick(search: TrialSearch): Promise<Pick> {
    for (;;) {
      const outside = unpayable(search.sent, (caller) => this.#callers.left(caller) >= 1)
      const inside = [...search.shares.entries()].filter(([, { caller }]) => !outside.has(caller))
      const pick = await this.#search(search, inside)
      if (outside.size > 0) pick.isAll = false
      // A search that found nothing until its payer could pay no more goes on without that one.
      if (pick.subsets.length > 0 || !pick.isBroken) return pick
      await setImmediate()
    }
  }

  /** @param inside shares with their positions. Those of callers with a token come first: these cannot be many. */
  async #search(search: TrialSearch, inside: readonly (readonly [number, OpenShare])[]): Promise<Pick> {
    const ofTokens = inside.filter(([, { caller }]) => isToken(caller))
    const isMixed = ofTokens.length > 0 && ofTokens.length < inside.length
    const pick: Pick = { subsets: [], names: [], isAll: true, isBroken: false }
    const able = inside.filter(([, { caller }]) => this.#canPay(search.name, caller))
    const searcher = payerOf(
      able.map(([, share]) => share),
      search.sent,
    )
    let pauses = 0
    for (const own of isMixed ? [ofTokens, inside] : [inside]) {
      const candidates = own.map(([, share]) => ({ ...share, tried: share.state === 'tried' }))
      let contradicted: number | undefined
      for (const found of searchSubsets(candidates, search.threshold)) {
        if (found === undefined) {
          this.#spend(search.name, searcher)
          pick.isBroken = !this.#canPay(search.name, searcher) && this.#messages.left(search.name) >= 1
          if (++pauses > MOST_PAUSES || !this.#canPay(search.name, searcher)) return { ...pick, isAll: false }
          await setImmediate()
          continue
        }
        const entries = found.members.flatMap((member) => {
          const entry = own[member]
          return entry === undefined ? [] : [entry]
        })
        const members = entries.map(([, share]) => share)
        const subsetName = search.memory.nameOf(members)
        if (search.memory.hasFailed(subsetName)) continue
        // What is more doubtful is for a later turn.
        if (contradicted !== undefined && found.contradicted > contradicted) return { ...pick, isAll: false }
        const payer = payerOf(members, search.sent)
        if (!this.#canPay(search.name, payer)) {
          pick.isAll = false
          if (pick.subsets.length > 0 || this.#messages.left(search.name) < 1) return pick
          continue
        }
        this.#spend(search.name, payer)
        search.memory.addCaused(payer)
        contradicted = found.contradicted
        pick.subsets.push(entries.map(([position]) => position))
        pick.names.push(subsetName)
        if (pick.subsets.length === SUBSETS_PER_TURN) return { ...pick, isAll: false }
      }
      if (pick.subsets.length > 0 && own !== inside) return { ...pick, isAll: false }
    }
    return pick
  }

  #canPay(name: string, caller: string): boolean {
    return this.#callers.left(caller) >= 1 && this.#messages.left(name) >= 1
  }

  #spend(name: string, caller: string): void {
    this.#callers.spend(caller, 1)
    this.#messages.spend(name, 1)
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

  #remember(name: string, memory: TrialMemory, failed: readonly string[]): void {
    const before = memory.size
    memory.addFailed(failed)
    // It may have been forgotten while its subsets were tried.
    if (this.#memories.get(name) !== memory) return
    this.#remembered += memory.size - before
    while (this.#remembered > MOST_REMEMBERED && this.#memories.size > 0) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const [name, { size }] of this.#memories) {
      this.#memories.delete(name)
      this.#remembered -= size
      return
    }
  }
}
