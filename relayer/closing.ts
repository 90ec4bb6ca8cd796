import { describeError } from '../core/errors.js'
import type { Logger } from '../core/log.js'

interface Part {
  readonly name: string
  readonly close: () => Promise<unknown>
  /** Milliseconds that it is waited for, at most. */
  readonly most: number
}

/** Parts that were started, closed in the reverse order: what needs another goes before it. */
export class Closing {
  readonly #parts: Part[] = []

  /**
   * @param most milliseconds that are waited for it, where it may hang on somebody who never answers; the others are
   *   closed all the same then
   */
  add(name: string, close: () => Promise<unknown>, most = Number.POSITIVE_INFINITY): void {
    this.#parts.push({ name, close, most })
  }

  /** Closes everything, and gives up waiting after the time. Never rejects. */
  async close(milliseconds: number, logger: Logger): Promise<void> {
    if (await inTime(this.#closeAll(logger), milliseconds)) return
    logger.warn(`${this.#parts.at(-1)?.name} did not stop within ${milliseconds / 1000} s, left as it is`)
  }

  async #closeAll(logger: Logger): Promise<void> {
    for (let part = this.#parts.at(-1); part !== undefined; part = this.#parts.at(-1)) {
      const { name, close, most } = part
      try {
        if (!(await inTime(close(), most))) logger.debug(`${name} waits for an answer, left as it is`)
      } catch (error) {
        logger.error(`cannot close ${name}: ${describeError(error)}`)
      }
      this.#parts.pop()
    }
  }
}

/** Whether it came to its end within the milliseconds. */
async function inTime(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  if (milliseconds === Number.POSITIVE_INFINITY) return work.then(() => true)
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  try {
    return await Promise.race([work.then(() => true), tooLong])
  } finally {
    clearTimeout(timer)
  }
}
