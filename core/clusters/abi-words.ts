/**
 * Reads ABI-encoded event data where it lies, as hex, without decoding what nobody asks for: a log of
 * SSVNetwork has 4 to 10 KB and mainnet has more than 130,000 of them. The rules for what counts as
 * encoded are those of go-ethereum's accounts/abi, since SSV nodes read the same logs with it.
 */
import { DvtExitError } from '../errors.js'
import type { Hex } from '../hex.js'

const WORD_DIGITS = 64

export class AbiWords {
  readonly #digits: string

  constructor(data: Hex) {
    this.#digits = data.slice(2)
  }

  /**
   * The static value in a head slot, an unsigned integer of the given width.
   * @throws DvtExitError INVALID_ABI
   */
  uint(slot: number, bits: number): bigint {
    return inRange(this.#word(slot * 32), bits)
  }

  /** The static value in a head slot, 0 or 1. @throws DvtExitError INVALID_ABI */
  bool(slot: number): boolean {
    return inRange(this.#word(slot * 32), 1) === 1n
  }

  /** The uint64[] that a head slot points to. @throws DvtExitError INVALID_ABI */
  uint64Array(slot: number): bigint[] {
    const { start, length } = this.#pointedTo(slot, 32)
    return Array.from({ length }, (_, i) => inRange(this.#word(start + 32 * i), 64))
  }

  /** The bytes (or string) that a head slot points to. @throws DvtExitError INVALID_ABI */
  bytes(slot: number): Hex {
    const { start, length } = this.#pointedTo(slot, 1)
    return `0x${this.#digits.slice(2 * start, 2 * (start + length))}`
  }

  #pointedTo(slot: number, elementBytes: number): { start: number; length: number } {
    const offset = this.#size(slot * 32)
    const length = this.#size(offset)
    const start = offset + 32
    if (2 * (start + length * elementBytes) > this.#digits.length) throw invalid()
    return { start, length }
  }

  /** An offset or length: never more than there is data. */
  #size(position: number): number {
    const size = this.#word(position)
    if (2n * size > BigInt(this.#digits.length)) throw invalid()
    return Number(size)
  }

  #word(position: number): bigint {
    const digits = this.#digits.slice(2 * position, 2 * position + WORD_DIGITS)
    if (digits.length !== WORD_DIGITS) throw invalid()
    return BigInt(`0x${digits}`)
  }
}

function inRange(value: bigint, bits: number): bigint {
  if (value >> BigInt(bits) !== 0n) throw invalid()
  return value
}

function invalid(): DvtExitError {
  return new DvtExitError('INVALID_ABI', 'data is not ABI-encoded as its event says')
}
