/** Fields of the node APIs as zod schemas, and answers read through them. */
import { z } from 'zod'
import { UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'
import { describeShapeIssues } from '../shape-issues.js'
import { excerpt, type HttpResponse } from './endpoint.js'

/** 0x and hex digits of a fixed number of bytes, or any whole number of them; lowercase afterwards. */
export const hexField = (length?: number) =>
  z
    .string()
    .regex(length === undefined ? /^0x([0-9a-fA-F]{2})*$/ : new RegExp(`^0x[0-9a-fA-F]{${2 * length}}$`))
    .transform((text) => text.toLowerCase() as Hex)

/** A JSON-RPC quantity: 0x and hex digits without leading zeros. */
export const quantityField = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((text) => BigInt(text))

/** The beacon API writes integers as decimal strings. */
export const decimalField = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((text) => BigInt(text))

/** A decimal string that is a slot, an index or a block number, all below 2^53. */
export const indexField = decimalField
  .refine((value) => value < 2n ** 53n)
  .transform((value) => Number(value))

/** Entries of a list that are checked at a time: some 10 ms, after which others have their turn. */
const ENTRIES_PER_TURN = 250

/**
 * The body of an answer as JSON of a shape. Node APIs write integers as strings, so that there is nothing to
 * round, and their answers can have tens of megabytes: JSON.parse is 25 times faster than the lossless parser.
 * @param what the endpoint and the request, for messages
 * @throws UnavailableError UNEXPECTED_ANSWER: whoever answered is not the API that it should be
 */
export function readAnswer<T>(what: string, response: HttpResponse, schema: z.ZodType<T>): T {
  let content: unknown
  try {
    content = JSON.parse(response.body.toString('utf8'))
  } catch {
    throw unexpectedAnswer(what, `not JSON: ${excerpt(response)}`)
  }
  return checkAnswer(what, content, schema)
}

/** What is already parsed, in its shape. Throws as readAnswer does. */
export function checkAnswer<T>(what: string, content: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  throw unexpectedAnswer(what, describeShapeIssues(parsed.error))
}

/** A long list, whose entries are checked while others have their turn. Throws as readAnswer does. */
export async function checkEntries<T>(
  what: string,
  entries: readonly unknown[],
  schema: z.ZodType<T>,
): Promise<T[]> {
  const slice = z.array(schema)
  const checked: T[] = []
  for (let start = 0; start < entries.length; start += ENTRIES_PER_TURN) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve))
    for (const entry of checkAnswer(what, entries.slice(start, start + ENTRIES_PER_TURN), slice)) {
      checked.push(entry)
    }
  }
  return checked
}

/** An answer that is not what was asked for: another endpoint may know better. */
export function unexpectedAnswer(what: string, detail: string): UnavailableError {
  return new UnavailableError('UNEXPECTED_ANSWER', `${what} answered unexpectedly: ${detail}`)
}
