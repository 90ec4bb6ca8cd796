import { DvtExitError, UnavailableError } from '../errors.js'

/** How many blocks are asked for at once. */
export interface LogRangeLimits {
  readonly first: number
  readonly most: number
}

export const DEFAULT_LOG_RANGES: LogRangeLimits = { first: 10_000, most: 100_000 }

/** Successes after which a range that was refused before is tried again. */
const PATIENCE = 32
/** Endpoints that do not answer are not asked for ever smaller ranges: they may be down. */
const SILENCES = 3

/**
 * Reads a span of blocks in ranges that shrink when an endpoint refuses one and grow back, since every
 * endpoint has its own limits on blocks, logs and bytes and none of them says so in a standard way.
 */
export class LogRanges {
  readonly #most: number
  #size: number
  /** The largest range worth asking for: below the smallest that was refused lately. */
  #ceiling: number
  /** The range that was served last, where none was refused since. */
  #served = 0
  #successes = 0

  constructor({ first, most }: LogRangeLimits = DEFAULT_LOG_RANGES) {
    this.#most = most
    this.#size = Math.min(first, most)
    this.#ceiling = most
  }

  /**
   * Reads the next range.
   * @param from its first block
   * @param last the last block of the whole span
   * @param read reads the blocks from … to, both included
   * @throws DvtExitError RPC_ERROR where a single block is refused; UnavailableError where nothing answers
   */
  async next<T>(from: bigint, last: bigint, read: (from: bigint, to: bigint) => Promise<T>): Promise<T> {
    let silences = 0
    for (;;) {
      const left = last - from + 1n
      const size = left < BigInt(this.#size) ? Number(left) : this.#size
      try {
        const result = await read(from, from + BigInt(size) - 1n)
        if (size === this.#size) this.#grow(size)
        return result
      } catch (error) {
        if (error instanceof UnavailableError) silences += 1
        else if (!(error instanceof DvtExitError && error.code === 'RPC_ERROR')) throw error
        if (size <= 1 || silences > SILENCES) throw error
        this.#shrink(size)
      }
    }
  }

  /** Reads the whole span, one answer a range. */
  async all<T>(from: bigint, last: bigint, read: (from: bigint, to: bigint) => Promise<T>): Promise<T[]> {
    const results: T[] = []
    for (let next = from; next <= last; ) {
      const { to, result } = await this.next(next, last, async (start, to) => ({
        to,
        result: await read(start, to),
      }))
      results.push(result)
      next = to + 1n
    }
    return results
  }

  /** Back to what was served last, or to half where that was refused. */
  #shrink(refused: number): void {
    this.#ceiling = refused - 1
    const served = this.#served > 0 && this.#served < refused
    this.#size = served ? this.#served : Math.ceil(refused / 2)
    this.#served = 0
    this.#successes = 0
  }

  /** Towards the smallest range that was refused, in halves, until there is little to gain. */
  #grow(served: number): void {
    this.#served = served
    this.#successes += 1
    if (this.#successes % PATIENCE === 0) this.#ceiling = Math.min(this.#most, this.#ceiling * 2)
    const room = this.#ceiling - this.#size
    if (room > this.#size / 8)
      this.#size = Math.min(Math.ceil(this.#size * 1.5), this.#size + Math.ceil(room / 2))
  }
}
