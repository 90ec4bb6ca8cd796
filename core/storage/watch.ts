import type { DvtExitError } from '../errors.js'

/** Whether a database takes what is written: told by its connection, asked by health checks and by background work. */
export class DatabaseWatch {
  readonly #listeners: ((trouble: DvtExitError | undefined) => void)[] = []
  #trouble: DvtExitError | undefined

  /** What keeps it from being written, undefined while nothing does. */
  get trouble(): DvtExitError | undefined {
    return this.#trouble
  }

  /** Calls the listener when a trouble begins, becomes another one, or is over. */
  onChange(listener: (trouble: DvtExitError | undefined) => void): void {
    this.#listeners.push(listener)
  }

  /** What an attempt came to: a trouble, or undefined where something was written. */
  report(trouble: DvtExitError | undefined): void {
    const isNews = trouble?.code !== this.#trouble?.code
    this.#trouble = trouble
    if (isNews) for (const listener of this.#listeners) listener(trouble)
  }
}
