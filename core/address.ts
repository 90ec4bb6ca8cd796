import { validate } from 'ox/Address'
import { type Hex, normalizeHex } from './hex.js'

/**
 * An account's or contract's address in lower case. One of mixed case must have the right checksum (EIP-55).
 * @throws Error that says what was expected
 */
export function parseAddress(value: string): Hex {
  const isPlain = value === value.toLowerCase()
  if (validate(value, { strict: !isPlain })) return normalizeHex(value, 20)
  const reason = /^0x[0-9a-fA-F]{40}$/.test(value)
    ? 'its checksum is wrong: a digit may be mistyped'
    : 'it has not 20 bytes of hex'
  throw new Error(`"${value}" is no address: ${reason}`)
}
