/**
 * Which message is worked on when: one at a time on each thread. Nothing here is remembered but what waits: all of
 * it is found again in the store after a restart.
 */
import { setImmediate } from 'node:timers/promises'
import { describeError } from '../core/errors.js'
import { type MessageId, messageName } from './exits/records.js'
import { currentOracles } from './recovery-goal.js'
import { type RecoveryStepParts, RecoverySteps } from './recovery-steps.js'
import { Trials } from './trials.js'

/** Milliseconds before work that failed unexpectedly is taken up again. */
const RETRY_DELAY = 30_000
/** Milliseconds between two looks for a budget, and messages whose trials are looked at each time. */
const WAKE_INTERVAL = 1000
const WOKEN_AT_ONCE = 16

export interface RecoveryParts extends Omit<RecoveryStepParts, 'trials'> {
  /** Trials that one caller may cause at once, and again each minute. */
  readonly maxTrials: number
  /** Seconds since 1970. */
  readonly clock: () => number
  /** Messages worked on at once. */
  readonly concurrency: number
}

export class Recoveries {
  readonly #parts: RecoveryParts
  readonly #steps: RecoverySteps
  readonly #trials: Trials
  readonly #waiting = new Map<string, MessageId>()
  /** Those with trials that failed: they wait behind all others, each for its turn. */
  readonly #disputed = new Map<string, MessageId>()
  /** Those whose trials wait for a budget. */
  readonly #postponed = new Map<string, MessageId>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #waker: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
    this.#trials = new Trials(parts)
    this.#steps = new RecoverySteps({ ...parts, trials: this.#trials })
  }

  /** Takes up a message whose shares changed. */
  enqueue(wanted: MessageId): void {
    if (this.#closed) return
    const { publicKey, message } = wanted
    const line = this.#trials.hasFailed(wanted) ? this.#disputed : this.#waiting
    line.set(messageName(wanted), { publicKey, message })
    this.#startNext()
  }

  /** Takes up every message that is not finished: at the start, and when oracles or public shares changed. */
  async resume(): Promise<void> {
    const config = await currentOracles(this.#parts.oracles)
    for (const wanted of await this.#parts.store.unfinished(config?.setHash)) this.enqueue(wanted)
  }

  /** Resolves when nothing runs, and nothing waits but for a budget. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  /** Leaves what waits to the next start, and resolves when what runs has come to its end. */
  async close(): Promise<void> {
    this.#closed = true
    for (const line of [this.#waiting, this.#disputed, this.#postponed]) line.clear()
    for (const timer of this.#retries) clearTimeout(timer)
    clearTimeout(this.#waker)
    await this.idle()
  }

  #startNext(): void {
    for (const line of [this.#waiting, this.#disputed]) {
      for (const [name, wanted] of line) {
        if (this.#running.size >= this.#parts.concurrency) return
        if (this.#running.has(name)) continue
        for (const other of [this.#waiting, this.#disputed, this.#postponed]) other.delete(name)
        const work = this.#work(wanted).finally(() => {
          this.#running.delete(name)
          this.#startNext()
        })
        this.#running.set(name, work)
      }
    }
  }

  async #work(wanted: MessageId): Promise<void> {
    try {
      for (;;) {
        // The store answers without a pause: requests must get their turn between two steps.
        await setImmediate()
        if (this.#closed) return
        const following = await this.#steps.take(wanted)
        if (following === 'done') return
        if (following === 'again') {
          this.#parts.onChange()
          continue
        }
        if (following === 'later') this.#disputed.set(messageName(wanted), wanted)
        else this.#postpone(wanted)
        return
      }
    } catch (error) {
      this.#parts.logger.error(
        { ...wanted, error: describeError(error) },
        'recovery failed, trying again later',
      )
      const timer = setTimeout(() => {
        this.#retries.delete(timer)
        this.enqueue(wanted)
      }, RETRY_DELAY)
      this.#retries.add(timer)
    }
  }

  #postpone(wanted: MessageId): void {
    if (this.#closed) return
    this.#postponed.set(messageName(wanted), wanted)
    this.#waker ??= setTimeout(() => this.#wake(), WAKE_INTERVAL)
  }

  /** Takes up those that waited longest for a budget; those without any come back. */
  #wake(): void {
    this.#waker = undefined
    for (const wanted of [...this.#postponed.values()].slice(0, WOKEN_AT_ONCE)) {
      this.#postponed.delete(messageName(wanted))
      this.enqueue(wanted)
    }
    if (this.#postponed.size > 0) this.#waker ??= setTimeout(() => this.#wake(), WAKE_INTERVAL)
  }
}
