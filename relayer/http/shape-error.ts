/** Errors of shape, answered as FastAPI does: 422 with {detail: [{type, loc, msg}]}, without the input. */
import { isLosslessNumber } from 'lossless-json'
import { z } from 'zod'

export interface ShapeIssue {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly ctx?: Readonly<Record<string, unknown>>
}

/** The body of such an answer, for the OpenAPI page. */
export const shapeErrorAnswer = z
  .object({
    detail: z.array(
      z.object({ type: z.string(), loc: z.array(z.union([z.string(), z.int()])), msg: z.string() }),
    ),
  })
  .describe('What is wrong with the body, by place')

export class ShapeError extends Error {
  override readonly name = 'ShapeError'
  readonly issues: readonly ShapeIssue[]

  constructor(issues: readonly ShapeIssue[]) {
    super('invalid body')
    this.issues = issues
  }
}

/** At most so many issues are listed: a long body could hold as many as it has items. */
const MAX_ISSUES = 100

export const MISSING_BODY = new ShapeError([{ type: 'missing', loc: ['body'], msg: 'Field required' }])

/** A body that is not JSON. @param position of the first wrong character */
export function invalidJson(position: number): ShapeError {
  return new ShapeError([{ type: 'json_invalid', loc: ['body', position], msg: 'JSON decode error' }])
}

/** A value that passed the schema but is refused by the relayer's core. */
export function invalidValue(loc: readonly (string | number)[], message: string): ShapeError {
  return new ShapeError([{ type: 'value_error', loc: ['body', ...loc], msg: `Value error, ${message}` }])
}

/** zod's issues in FastAPI's words. @param body what was parsed */
export function shapeErrorOf(error: z.ZodError, body: unknown): ShapeError {
  return new ShapeError(
    error.issues.slice(0, MAX_ISSUES).map((issue) => {
      const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
      return { ...describe(issue, valueAt(body, path), path.length === 0), loc: ['body', ...path] }
    }),
  )
}

function describe(issue: z.core.$ZodIssue, value: unknown, isBody: boolean): Omit<ShapeIssue, 'loc'> {
  if (value === undefined) return { type: 'missing', msg: 'Field required' }
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue.expected, isBody)
    case 'invalid_union':
      return describeInteger(value)
    case 'too_small':
      if (issue.origin === 'array') return valueError('list must be non-empty')
      return valueError(issue.message)
    default:
      return describeRange(value) ?? valueError(issue.message)
  }
}

function describeType(expected: string, isBody: boolean): Omit<ShapeIssue, 'loc'> {
  switch (expected) {
    case 'object':
      return {
        type: isBody ? 'model_attributes_type' : 'model_type',
        msg: 'Input should be a valid dictionary or object to extract fields from',
      }
    case 'array':
      return { type: 'list_type', msg: 'Input should be a valid list' }
    default:
      return { type: `${expected}_type`, msg: `Input should be a valid ${expected}` }
  }
}

/** Share indexes are the only unions of dialect 1: a JSON integer of any size. */
function describeInteger(value: unknown): Omit<ShapeIssue, 'loc'> {
  if (isLosslessNumber(value) && !Number.isInteger(Number(value.value))) {
    return {
      type: 'int_from_float',
      msg: 'Input should be a valid integer, got a number with a fractional part',
    }
  }
  return { type: 'int_type', msg: 'Input should be a valid integer' }
}

function describeRange(value: unknown): Omit<ShapeIssue, 'loc'> | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  return value < 1
    ? { type: 'greater_than_equal', msg: 'Input should be greater than or equal to 1', ctx: { ge: 1 } }
    : {
        type: 'less_than_equal',
        msg: `Input should be less than or equal to ${2n ** 64n - 1n}`,
        ctx: { le: 2n ** 64n - 1n },
      }
}

function valueError(message: string): Omit<ShapeIssue, 'loc'> {
  return { type: 'value_error', msg: `Value error, ${message}` }
}

function valueAt(body: unknown, path: readonly (string | number)[]): unknown {
  let value = body
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}
