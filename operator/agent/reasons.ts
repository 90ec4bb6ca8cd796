import type { Clock } from '../../core/clock.js'

/** Milliseconds in which a reason that comes and goes is said once. */
const REPEAT_AFTER = 60_000

/** Which reason for waiting is news. */
export class Reasons {
  readonly #clock: Clock
  #current: { readonly key: string; readonly code: string; readonly since: number } | undefined
  readonly #said = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @param code the reason
   * @param detail what makes it another one than before
   * @returns since when it lasts (milliseconds since 1970), and whether to say it
   */
  of(code: string, detail: string): { readonly since: number; readonly isNews: boolean } {
    const now = this.#clock.now()
    const key = `${code} ${detail}`
    const since = this.#current?.code === code ? this.#current.since : now
    const lasts = this.#current?.key === key
    this.#current = { key, code, since }
    const saidBefore = this.#said.get(key)
    const isNews = !lasts && (saidBefore === undefined || now - saidBefore >= REPEAT_AFTER)
    for (const [other, at] of this.#said) if (now - at >= REPEAT_AFTER) this.#said.delete(other)
    if (isNews || lasts) this.#said.set(key, now)
    return { since, isNews }
  }

  /** Something happened: whatever is waited for next is news. */
  clear(): void {
    this.#current = undefined
    this.#said.clear()
  }
}
