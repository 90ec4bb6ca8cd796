/** Random choices that can be made again: everything follows from one seed, which is printed. */
import { createHash, randomInt } from 'node:crypto'

const SEEDS = 2 ** 32

export class Random {
  readonly seed: number
  #state: number

  constructor(seed: number, purpose: string) {
    this.seed = seed
    this.#state = createHash('sha256').update(`${seed} ${purpose}`).digest().readUInt32LE()
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / SEEDS
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** One of the items. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.between(0, items.length - 1)] ?? items[0]
  }
}

/** Takes the seed from SOAK_SEED, else a new one, and prints it. @param purpose makes two parts differ */
export function seededRandom(purpose: string): Random {
  const given = process.env['SOAK_SEED']
  const seed = given === undefined ? randomInt(SEEDS) : Number(given)
  process.stdout.write(`  SOAK_SEED=${seed}\n`)
  return new Random(seed, purpose)
}
