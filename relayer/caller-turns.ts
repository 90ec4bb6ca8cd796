/**
 * Turns for posts: a few of one caller are worked on at once and the others wait, so that a caller who floods the
 * relayer with shares to check waits for itself, and not the others for it.
 */
import { UnavailableError } from '../core/errors.js'

/** Posts of one caller that are worked on at once: it may post for several nodes. */
const AT_ONCE = 4
/** Posts of one caller that may wait: their bodies are in memory. */
const MOST_WAITING = 100

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

export class CallerTurns {
  readonly #lines = new Map<string, Line>()

  /**
   * Runs work when it is the caller's turn.
   * @throws UnavailableError TOO_MANY_POSTS, and whatever the work throws
   */
  async run<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(caller) ?? { running: 0, waiting: [] }
    this.#lines.set(caller, line)
    if (line.running < AT_ONCE) line.running++
    else await this.#wait(caller, line)
    try {
      return await work()
    } finally {
      const next = line.waiting.shift()
      if (next !== undefined) next()
      else if (--line.running === 0) this.#lines.delete(caller)
    }
  }

  #wait(caller: string, line: Line): Promise<void> {
    if (line.waiting.length >= MOST_WAITING) {
      throw new UnavailableError('TOO_MANY_POSTS', `${MOST_WAITING} posts of ${caller} wait already`, {
        hint: 'Post again later, more shares at a time',
      })
    }
    return new Promise((resolve) => line.waiting.push(resolve))
  }
}
