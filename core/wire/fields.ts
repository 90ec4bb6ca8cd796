/** The fields that all dialects share, parsed into their canonical forms. */
import { z } from 'zod'
import type { Hex, PublicKeyHex } from '../hex.js'

const MAX_UINT64 = 2n ** 64n - 1n
/** What the API's description calls such integers: their greatest value has no place in its numbers. */
const UINT64 = { type: 'integer', format: 'uint64' } as const
/** Wrong items of one list that are told of: a long one could hold a million, and each costs time. */
const MOST_WRONG_ITEMS = 100

const items = new WeakMap<z.core.$ZodType, z.ZodType>()

/** A list, looked through only until a hundred of its items are wrong. @param fewest items that it must hold */
export function listOf<S extends z.ZodType>(item: S, fewest: 0 | 1 = 1) {
  // zod's own min() also compares the member `length` of what is no list, whatever that member is.
  const list = z.array(z.custom<z.input<S>>()).meta({ minItems: fewest })
  items.set(list, item)
  return list.transform((values, context): z.output<S>[] => {
    if (values.length < fewest) {
      context.addIssue({
        code: 'too_small',
        origin: 'array',
        minimum: fewest,
        inclusive: true,
        input: values,
      })
    }
    const parsed: z.output<S>[] = []
    let wrong = 0
    for (const [i, value] of values.entries()) {
      const result = item.safeParse(value)
      if (result.success) {
        parsed.push(result.data)
        continue
      }
      // As zod does, each issue names its place in the list.
      for (const issue of result.error.issues) {
        context.issues.push({ ...issue, path: [i, ...issue.path], input: value } as z.core.$ZodRawIssue)
      }
      wrong++
      if (wrong === MOST_WRONG_ITEMS) break
    }
    return wrong === 0 ? parsed : z.NEVER
  })
}

/** The schema of the items of a listOf, for the API's description; undefined for any other schema. */
export function itemOf(list: z.core.$ZodType): z.ZodType | undefined {
  return items.get(list)
}

/** Hex of a fixed number of bytes, with or without 0x, of either case; comes out as 0x and lowercase. */
export function hexBytes(length: number, what: string) {
  const pattern = `^(?:0[xX])?([0-9a-fA-F]{${2 * length}})$`
  const form = new RegExp(pattern)
  return z
    .string()
    .meta({ pattern })
    .transform((text, context): Hex => {
      const digits = form.exec(text)?.[1]
      if (digits !== undefined) return `0x${digits.toLowerCase()}`
      context.addIssue({ code: 'custom', message: `invalid ${what}: expected ${length} bytes of hex` })
      return z.NEVER
    })
}

/** A BLS public key's shape: 48 bytes. Whether it is a point is checked where it matters. */
export const publicKeyField = hexBytes(48, 'BLS public key').transform((hex): PublicKeyHex => hex)

/** A BLS signature's shape: 96 bytes. */
export const signatureField = hexBytes(96, 'BLS signature')

/** A JSON integer from 1 to 2^64 − 1, as parseJson delivers it; comes out as a bigint. */
export const shareIndexField = z
  .union([z.int(), z.bigint()], 'share index must be an integer')
  .meta({ ...UINT64, minimum: 1 })
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
  .meta({ ...UINT64, minimum: 0 })
  .transform((value) => BigInt(value))
  .refine((value) => value >= 0n && value <= MAX_UINT64, 'expected Gwei from 0 to 2^64 - 1')
