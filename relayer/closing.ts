import { describeError } from '../core/errors.js'
import type { Logger } from '../core/log.js'

/** Parts that were started, closed in the reverse order: what needs another goes before it. */
export class Closing {
  readonly #parts: { readonly name: string; readonly close: () => Promise<unknown> }[] = []

  add(name: string, close: () => Promise<unknown>): void {
    this.#parts.push({ name, close })
  }

  /** Closes everything, and gives up waiting after the time. Never rejects. */
  async close(milliseconds: number, logger: Logger): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<'too long'>((resolve) => {
      timer = setTimeout(() => resolve('too long'), milliseconds)
    })
    if ((await Promise.race([this.#closeAll(logger), tooLong])) === 'too long') {
      logger.warn(`${this.#parts.at(-1)?.name} did not stop within ${milliseconds / 1000} s, left as it is`)
    }
    clearTimeout(timer)
  }

  async #closeAll(logger: Logger): Promise<void> {
    for (let part = this.#parts.at(-1); part !== undefined; part = this.#parts.at(-1)) {
      try {
        await part.close()
      } catch (error) {
        logger.error(`cannot close ${part.name}: ${describeError(error)}`)
      }
      this.#parts.pop()
    }
  }
}
