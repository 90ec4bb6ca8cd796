/** Which start indexes an operator may name: those that this relayer has itself computed a moment ago. */
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import { RegistrationRefusal } from './refusal.js'

/** The next validator's index and the deposit root that it holds for. */
export interface ComputedIndex {
  readonly index: number
  readonly depositRoot: Hex
}

/** Slots in which a computed index is taken. */
const SLOTS = 32

export class StartIndexes<T extends ComputedIndex> {
  readonly #compute: (publicKeys: readonly PublicKeyHex[]) => Promise<T>
  readonly #clock: () => number
  readonly #lifetime: number
  /** Seconds since 1970 of each index's last computation. */
  readonly #computedAt = new Map<number, number>()

  /**
   * @param compute the index now, and at the same block whatever is asked of these keys
   * @param clock seconds since 1970
   */
  constructor(
    compute: (publicKeys: readonly PublicKeyHex[]) => Promise<T>,
    secondsPerSlot: number,
    clock: () => number,
  ) {
    this.#compute = compute
    this.#clock = clock
    this.#lifetime = SLOTS * secondsPerSlot
  }

  /**
   * Computes the index anew.
   * @returns what was computed; its index is another one where a deposit has landed since the operator looked
   * @throws RegistrationRefusal WRONG_START_INDEX naming both numbers; what the predictor throws
   */
  async check(asked: number, publicKeys: readonly PublicKeyHex[] = []): Promise<T> {
    const computed = await this.#compute(publicKeys)
    const now = this.#clock()
    for (const [index, time] of this.#computedAt) {
      if (now - time > this.#lifetime) this.#computedAt.delete(index)
    }
    this.#computedAt.set(computed.index, now)
    if (this.#computedAt.has(asked)) return computed
    throw new RegistrationRefusal(
      'WRONG_START_INDEX',
      `validators_start_index is ${asked}, the next validator’s index is ${computed.index} by this relayer’s count`,
    )
  }
}
