import { bitLength, type Interpolation, interpolation } from '../../core/bls/lagrange.js'

/** What an inverse of the denominator costs, in the bits of a coefficient. */
const INVERSE_BITS = 255

/** The interpolation of a subset, and how much work a recovery with it is: comparable, without unit. */
export function workOf(indexes: readonly bigint[]): Interpolation & { readonly work: number } {
  const found = interpolation(indexes)
  const widest = found.coefficients.reduce((most, c) => Math.max(most, bitLength(c)), 0)
  return { ...found, work: widest + (found.denominator === 1n ? 0 : INVERSE_BITS) }
}
