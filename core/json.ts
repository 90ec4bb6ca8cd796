import { LosslessNumber, stringify } from 'lossless-json'
import { readJson } from './json-reader.js'

/**
 * Parses JSON without rounding: an integer beyond 2^53 becomes a bigint, any other integer a number.
 * A number that is not written as an integer (2.0, 1e3, 0.5) stays a LosslessNumber, which no schema of
 * ours takes for an integer.
 * @param mostValues how many values the text may hold
 * @throws SyntaxError where the text is not JSON, names a member twice with different values, holds more than
 *   `mostValues`, a number of more than 1000 characters, or more than 500 lists and objects within each other
 */
export function parseJson(text: string, mostValues = Number.POSITIVE_INFINITY): unknown {
  return readJson(text, { parseNumber, mostValues })
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
