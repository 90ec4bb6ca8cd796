/**
 * Lagrange interpolation over the scalar field of BLS12-381.
 *
 * A polynomial f of degree below t is fixed by its values at t distinct points. Its value at z is
 * Σ f(xᵢ)·λᵢ with λᵢ = Π_{j≠i} (z − xⱼ)/(xᵢ − xⱼ). Shares of a key are values of such an f at the share
 * indexes, the key is f(0), and since signing is linear the same λᵢ combine signature shares.
 *
 * For small indexes the λᵢ are fractions of small integers. Times their common denominator D they are
 * small integers cᵢ with Σ cᵢ·f(xᵢ) = D·f(z), which costs a few point additions instead of full scalar
 * multiplications; D is often 1.
 */
import { DvtExitError } from '../errors.js'

/** The order r of the groups G1, G2 and GT. */
export const GROUP_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n

/** Coefficients cᵢ (signed) and D ≥ 1 with Σ cᵢ·f(xᵢ) = D·f(z), both modulo r. */
export interface Interpolation {
  readonly coefficients: readonly bigint[]
  readonly denominator: bigint
}

/** Beyond this size integers cost more than coefficients reduced modulo r, which have 255 bits and D = 1. */
const WORTHWHILE_BITS = 128

/** a modulo r, in [0, r). */
export function modulo(a: bigint): bigint {
  const rest = a % GROUP_ORDER
  return rest < 0n ? rest + GROUP_ORDER : rest
}

/** The inverse of a modulo r. @throws RangeError for a multiple of r */
export function invert(a: bigint): bigint {
  let [r0, r1] = [GROUP_ORDER, modulo(a)]
  let [t0, t1] = [0n, 1n]
  if (r1 === 0n) throw new RangeError('zero has no inverse')
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[t0, t1] = [t1, t0 - quotient * t1]
  }
  return modulo(t0)
}

/**
 * Refuses share indexes that break every interpolation.
 * @throws DvtExitError INVALID_SHARE_INDEX for an index that is 0, negative, at or above r, or given twice
 */
export function assertShareIndexes(indexes: readonly bigint[]): void {
  const seen = new Set<bigint>()
  for (const index of indexes) {
    if (index < 1n || index >= GROUP_ORDER) {
      throw new DvtExitError('INVALID_SHARE_INDEX', `share index ${index} is not in 1 … r − 1`)
    }
    if (seen.has(index)) throw new DvtExitError('INVALID_SHARE_INDEX', `share index ${index} is given twice`)
    seen.add(index)
  }
}

/**
 * The Lagrange coefficients λᵢ modulo r.
 * @param indexes distinct share indexes, 1 … r − 1
 * @param at where to evaluate, 0 for the key itself
 */
export function lagrangeCoefficients(indexes: readonly bigint[], at = 0n): bigint[] {
  assertShareIndexes(indexes)
  return fractions(indexes, at).map(([numerator, denominator]) => modulo(numerator * invert(denominator)))
}

/**
 * The Lagrange coefficients as integers over their common denominator, in lowest terms.
 * @param indexes distinct share indexes, 1 … r − 1
 * @param at where to evaluate, 0 for the key itself
 */
export function integerCoefficients(indexes: readonly bigint[], at = 0n): Interpolation {
  assertShareIndexes(indexes)
  const reduced = fractions(indexes, at).map(([numerator, denominator]) => {
    const divisor = gcd(numerator, denominator) * (denominator < 0n ? -1n : 1n)
    return [numerator / divisor, denominator / divisor] as const
  })
  const common = reduced.reduce((lcm, [, denominator]) => (lcm / gcd(lcm, denominator)) * denominator, 1n)
  return {
    coefficients: reduced.map(([numerator, denominator]) => numerator * (common / denominator)),
    denominator: common,
  }
}

/** The cheaper of the two forms: small integers where the indexes are small, else modulo r with D = 1. */
export function interpolation(indexes: readonly bigint[], at = 0n): Interpolation {
  const integers = integerCoefficients(indexes, at)
  const widest = integers.coefficients.reduce((most, c) => Math.max(most, bitLength(c)), 0)
  if (widest <= WORTHWHILE_BITS) return integers
  return { coefficients: lagrangeCoefficients(indexes, at), denominator: 1n }
}

/** The number of binary digits of |a|. */
export function bitLength(a: bigint): number {
  return a === 0n ? 0 : (a < 0n ? -a : a).toString(2).length
}

/** Numerators Π (z − xⱼ) and denominators Π (xᵢ − xⱼ), as integers. */
function fractions(indexes: readonly bigint[], at: bigint): [bigint, bigint][] {
  return indexes.map((own, i) => {
    let numerator = 1n
    let denominator = 1n
    for (const [j, other] of indexes.entries()) {
      if (i === j) continue
      numerator *= at - other
      denominator *= own - other
    }
    return [numerator, denominator]
  })
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}
