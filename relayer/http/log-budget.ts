/** How many lines strangers can make the relayer log: what they send must not fill its disk. */
import { Budget } from '../budget.js'

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

const LINES = 'lines'

export class LogBudget {
  readonly #budget: Budget
  #leftOut = 0

  constructor({ burst, interval, clock }: LogBudgetOptions = DEFAULTS) {
    this.#budget = new Budget({ most: burst, perSecond: 1000 / interval, clock: () => clock() / 1000 })
  }

  /** Takes a line. @returns the lines that were left out since the last one; undefined where this one is, too */
  take(): number | undefined {
    if (this.#budget.left(LINES) < 1) {
      this.#leftOut++
      return undefined
    }
    this.#budget.spend(LINES, 1)
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }
}
