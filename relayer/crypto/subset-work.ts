import { bitLength, interpolation } from '../../core/bls/lagrange.js'

/** What an inverse of the denominator costs, in the bits of a coefficient. */
const INVERSE_BITS = 255

/** How much work a recovery with shares of these indexes is: comparable, without unit. */
export function workOf(indexes: readonly bigint[]): number {
  const { coefficients, denominator } = interpolation(indexes)
  const widest = coefficients.reduce((most, c) => Math.max(most, bitLength(c)), 0)
  return widest + (denominator === 1n ? 0 : INVERSE_BITS)
}
