import { DvtExitError } from './errors.js'

/** 0x and lowercase hex digits. */
export type Hex = `0x${string}`
/** A BLS public key: 48 bytes, 0x, lowercase. */
export type PublicKeyHex = Hex

/** Bytes as 0x-prefixed lowercase hex. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/**
 * Parses hex with or without 0x, of either case.
 * @param text what came from outside
 * @param length the number of bytes it must have, where that is fixed
 * @throws DvtExitError INVALID_HEX
 */
export function fromHex(text: string, length?: number): Uint8Array {
  const digits = text.startsWith('0x') || text.startsWith('0X') ? text.slice(2) : text
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new DvtExitError('INVALID_HEX', `expected hex digits in pairs, got ${shorten(text)}`)
  }
  if (length !== undefined && digits.length !== 2 * length) {
    throw new DvtExitError('INVALID_HEX', `expected ${length} bytes of hex, got ${digits.length / 2}`)
  }
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The canonical form (0x, lowercase) of hex in any accepted form. Throws as fromHex does. */
export function normalizeHex(text: string, length?: number): Hex {
  return toHex(fromHex(text, length))
}

/** The first and last digits of long hex, for logs and messages. */
export function shorten(text: string): string {
  return text.length <= 22 ? text : `${text.slice(0, 12)}…${text.slice(-6)}`
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
