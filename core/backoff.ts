import { jitter } from './clients/endpoint.js'

/** Growing pauses between attempts that fail: doubled each time, ±50 % so that peers do not come in step. */
export class Backoff {
  readonly #first: number
  readonly #longest: number
  readonly #random: () => number
  #failures = 0

  /**
   * @param first milliseconds before the second attempt
   * @param longest milliseconds that the pause grows to, before jitter
   */
  constructor(first: number, longest: number, random: () => number = Math.random) {
    this.#first = first
    this.#longest = longest
    this.#random = random
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const pause = Math.min(this.#longest, this.#first * 2 ** this.#failures)
    if (pause < this.#longest) this.#failures += 1
    return jitter(pause, this.#random)
  }

  /** Starts anew after an attempt that succeeded. */
  reset(): void {
    this.#failures = 0
  }
}
