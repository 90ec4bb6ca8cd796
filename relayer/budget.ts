/** How much each of many may use up: an account that refills steadily, one a name. */

export interface BudgetOptions {
  /** Units that may be spent at once after a pause. */
  readonly most: number
  /** Units that come back a second. */
  readonly perSecond: number
  /** Seconds, growing. */
  readonly clock: () => number
}

/** Accounts kept at most: with more, those spent from longest ago are forgotten. */
const MOST_ACCOUNTS = 10_000

interface Account {
  readonly left: number
  readonly at: number
}

export class Budget {
  readonly #options: BudgetOptions
  readonly #accounts = new Map<string, Account>()

  constructor(options: BudgetOptions) {
    this.#options = options
  }

  /** Units that may be spent now; below 0 where work turned out to be more than was left. */
  left(name: string): number {
    const { most, perSecond, clock } = this.#options
    const account = this.#accounts.get(name)
    if (account === undefined) return most
    return Math.min(most, account.left + Math.max(0, clock() - account.at) * perSecond)
  }

  /** Takes units, also more than are left; 0 notes that somebody wants more than there is. */
  spend(name: string, units: number): void {
    const left = this.left(name) - units
    // Written again, so that the map's order is that of the last spending.
    this.#accounts.delete(name)
    this.#accounts.set(name, { left, at: this.#options.clock() })
    if (this.#accounts.size > MOST_ACCOUNTS) this.#forgetOldest()
  }

  /** Gives units back that were spent for what turned out to be right. */
  refund(name: string, units: number): void {
    if (!this.#accounts.has(name)) return
    const left = Math.min(this.#options.most, this.left(name) + units)
    this.#accounts.set(name, { left, at: this.#options.clock() })
  }

  /** The oldest, and all after it that are full again: those lose nothing. */
  #forgetOldest(): void {
    let forgotten = 0
    for (const name of this.#accounts.keys()) {
      if (forgotten > 0 && this.left(name) < this.#options.most) return
      this.#accounts.delete(name)
      forgotten++
    }
  }
}
