/** The fields that all dialects share, parsed into their canonical forms. */
import { z } from 'zod'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../hex.js'

const MAX_UINT64 = 2n ** 64n - 1n

/** Hex of a fixed number of bytes, with or without 0x, of either case; comes out as 0x and lowercase. */
export function hexBytes(length: number, what: string) {
  return z.string().transform((text, context): Hex => {
    try {
      return toHex(fromHex(text, length))
    } catch {
      context.addIssue({ code: 'custom', message: `invalid ${what}: expected ${length} bytes of hex` })
      return z.NEVER
    }
  })
}

/** A BLS public key's shape: 48 bytes. Whether it is a point is checked where it matters. */
export const publicKeyField = hexBytes(48, 'BLS public key').transform((hex): PublicKeyHex => hex)

/** A BLS signature's shape: 96 bytes. */
export const signatureField = hexBytes(96, 'BLS signature')

/** A JSON integer from 1 to 2^64 − 1, as parseJson delivers it; comes out as a bigint. */
export const shareIndexField = z
  .union([z.int(), z.bigint()], 'share index must be an integer')
  .transform((value, context) => {
    const index = BigInt(value)
    if (index < 1n || index > MAX_UINT64) {
      context.addIssue({ code: 'custom', message: 'share index must be from 1 to 2^64 - 1' })
      return z.NEVER
    }
    return index
  })

/** A validator index. */
export const validatorIndexField = z.int().min(0)

/** Gwei, a JSON integer as parseJson delivers it; comes out as a bigint. */
export const amountField = z
  .union([z.int(), z.bigint()], 'expected an integer of Gwei')
  .transform((value) => BigInt(value))
  .refine((value) => value >= 0n && value <= MAX_UINT64, 'expected Gwei from 0 to 2^64 - 1')
