/** How many lines strangers can make the relayer log: what they send must not fill its disk. */

export interface LogBudgetOptions {
  /** Lines after a quiet time. */
  readonly burst: number
  /** Milliseconds after which there is one line more. */
  readonly interval: number
  /** Milliseconds, growing. */
  readonly clock: () => number
}

/** A hundred lines at once, then 360 an hour: 2 MB a day, whatever comes. */
const DEFAULTS: LogBudgetOptions = { burst: 100, interval: 10_000, clock: () => performance.now() }

export class LogBudget {
  readonly #options: LogBudgetOptions
  #lines: number
  #at: number
  #leftOut = 0

  constructor(options: LogBudgetOptions = DEFAULTS) {
    this.#options = options
    this.#lines = options.burst
    this.#at = options.clock()
  }

  /** Takes a line. @returns the lines that were left out since the last one; undefined where this one is, too */
  take(): number | undefined {
    const { burst, interval, clock } = this.#options
    const now = clock()
    this.#lines = Math.min(burst, this.#lines + (now - this.#at) / interval)
    this.#at = now
    if (this.#lines < 1) {
      this.#leftOut++
      return undefined
    }
    this.#lines -= 1
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }
}
