import type { Clock } from '../../core/clock.js'

/** A clock that a test moves: sleeping takes no time but moves it on. */
export class TestClock implements Clock {
  /** Every pause asked for, milliseconds. */
  readonly pauses: number[] = []
  /** Called with the number of pauses so far; a test stops the loop or changes the world here. */
  onPause: (count: number) => unknown = () => undefined
  #time: number

  constructor(start = Date.UTC(2026, 10, 20, 10, 15)) {
    this.#time = start
  }

  now(): number {
    return this.#time
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds
  }

  async sleep(milliseconds: number): Promise<void> {
    this.pauses.push(milliseconds)
    this.#time += milliseconds
    await this.onPause(this.pauses.length)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
