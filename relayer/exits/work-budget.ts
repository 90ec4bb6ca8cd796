/** How much work each of many may cause: an account that refills steadily, one a name. */

export interface WorkBudgetOptions {
  /** Units that may be spent at once after a pause. */
  readonly most: number
  /** Units that come back a second. */
  readonly perSecond: number
  /** Seconds, growing. */
  readonly clock: () => number
}

/** Accounts kept at most: with more, the full ones are forgotten, else those spent from longest ago. */
const MOST_ACCOUNTS = 20_000

interface Account {
  left: number
  at: number
}

export class WorkBudget {
  readonly #options: WorkBudgetOptions
  readonly #accounts = new Map<string, Account>()

  constructor(options: WorkBudgetOptions) {
    this.#options = options
  }

  /** Units that may be spent now; below 0 where work turned out to be more than was left. */
  left(name: string): number {
    return this.#current(name).left
  }

  spend(name: string, units: number): void {
    const { left, at } = this.#current(name)
    // Written again, so that the map's order is that of the last spending.
    this.#accounts.delete(name)
    this.#accounts.set(name, { left: left - units, at })
    if (this.#accounts.size > MOST_ACCOUNTS) this.#forget()
  }

  /** Gives units back that were spent for what turned out to be right. */
  refund(name: string, units: number): void {
    const { left, at } = this.#current(name)
    if (!this.#accounts.has(name)) return
    this.#accounts.set(name, { left: Math.min(this.#options.most, left + units), at })
  }

  #current(name: string): Account {
    const { most, perSecond, clock } = this.#options
    const now = clock()
    const account = this.#accounts.get(name) ?? { left: most, at: now }
    const refilled = account.left + Math.max(0, now - account.at) * perSecond
    return { left: Math.min(most, refilled), at: now }
  }

  #forget(): void {
    const isFull = (name: string) => this.#current(name).left >= this.#options.most
    const names = [...this.#accounts.keys()]
    const over = names.filter(isFull)
    for (const name of over.length > 0 ? over : names.slice(0, MOST_ACCOUNTS / 10)) {
      this.#accounts.delete(name)
    }
  }
}
