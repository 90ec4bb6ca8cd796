/** Which troubles last, so that each is said once when it begins and once when it is over. */
export class Conditions {
  readonly #lasting = new Map<string, string>()
  readonly #most: number

  /** @param most how many are remembered at once; the oldest are forgotten and may be said again */
  constructor(most = 10_000) {
    this.#most = most
  }

  /** Whether it lasts for this reason. */
  lasts(name: string, reason = ''): boolean {
    return this.#lasting.get(name) === reason
  }

  /** Whether this is news: it did not last before, or for another reason. */
  begins(name: string, reason = ''): boolean {
    if (this.lasts(name, reason)) return false
    this.#lasting.delete(name)
    this.#lasting.set(name, reason)
    const [oldest] = this.#lasting.keys()
    if (this.#lasting.size > this.#most && oldest !== undefined) this.#lasting.delete(oldest)
    return true
  }

  /** Whether it lasted until now. */
  ends(name: string): boolean {
    return this.#lasting.delete(name)
  }
}
