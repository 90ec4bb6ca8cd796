import { validate } from 'ox/Address'
import { type Hex, normalizeHex } from './hex.js'

/**
 * An account's or contract's address in lower case. One of mixed case must have the right checksum (EIP-55).
 * @throws Error that says what was expected
 */
export function parseAddress(value: string): Hex {
  const isPlain = value === value.toLowerCase()
  if (validate(value, { strict: !isPlain })) return normalizeHex(value, 20)
  if (/^0x[0-9a-fA-F]{40}$/.test(value)) {
    throw new Error(`the checksum of ${value} is wrong: a digit may be mistyped`)
  }
  throw new Error(`expected an address of 20 bytes, got "${value}"`)
}
