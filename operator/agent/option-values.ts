import { getAddress, isAddress } from 'viem'
import type { Hex } from '../../core/hex.js'

/** An address; one of mixed case must have the right checksum (EIP-55). */
export const address = (value: string): Hex => {
  const isPlain = value === value.toLowerCase()
  if (/^0x[0-9a-fA-F]{40}$/.test(value) && !isPlain && !isAddress(value)) {
    throw new Error(`the checksum of ${value} is wrong: a digit may be mistyped`)
  }
  if (!isAddress(value)) throw new Error(`expected an address of 20 bytes, got "${value}"`)
  return getAddress(value)
}

/** Gwei with up to nine decimals, as wei. */
export const gwei = (value: string): bigint => {
  const [, whole, decimals = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(value) ?? []
  const wei = whole === undefined ? 0n : BigInt(whole + decimals.padEnd(9, '0'))
  if (wei > 0n) return wei
  throw new Error(`expected Gwei, more than 0, got "${value}"`)
}
