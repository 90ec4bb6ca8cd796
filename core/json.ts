import { LosslessNumber, parse, stringify } from 'lossless-json'

/**
 * Parses JSON without rounding: an integer beyond 2^53 becomes a bigint, any other integer a number.
 * A number that is not written as an integer (2.0, 1e3, 0.5) stays a LosslessNumber, which no schema of
 * ours takes for an integer.
 * @throws SyntaxError where the text is not JSON or nested beyond sense
 */
export function parseJson(text: string): unknown {
  try {
    return parse(text, undefined, { parseNumber })
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError('nested too deeply')
    throw error
  }
}

function parseNumber(text: string): number | bigint | LosslessNumber {
  if (!/^-?\d+$/.test(text)) return new LosslessNumber(text)
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

/** JSON text in which bigints are written as integers. */
export function stringifyJson(value: unknown, space?: number): string {
  const text = stringify(value, undefined, space)
  if (text === undefined) throw new TypeError('value has no JSON form')
  return text
}
