/**
 * Σ cᵢ·Pᵢ with nothing but additions, since the native library multiplies no points.
 *
 * All points share one chain of doublings: the scalars are read in digits of two bits from the top, the
 * running sum is multiplied by four (by adding it four times in one call) and for each point whose digit
 * d is not zero the precomputed d·Pᵢ is added in the same call. One call into the library costs more than
 * four additions, so two bits a call is the cheapest width.
 */
import { bls, type PublicKeyPoint, type SignaturePoint } from './backend.js'
import { bitLength } from './lagrange.js'

/** The group operations that the chain needs, the same for G1 and G2. */
interface Group<P> {
  add(points: readonly P[]): P
  negate(point: P): P
}

const G1: Group<PublicKeyPoint> = { add: (p) => bls.addPublicKeys(p), negate: (p) => bls.negatePublicKey(p) }
const G2: Group<SignaturePoint> = { add: (p) => bls.addSignatures(p), negate: (p) => bls.negateSignature(p) }

/** Σ coefficients[i]·points[i] in G1. Coefficients are signed integers, not all zero. */
export function combinePublicKeys(points: readonly PublicKeyPoint[], coefficients: readonly bigint[]) {
  return combine(G1, points, coefficients)
}

/** Σ coefficients[i]·points[i] in G2. Coefficients are signed integers, not all zero. */
export function combineSignatures(points: readonly SignaturePoint[], coefficients: readonly bigint[]) {
  return combine(G2, points, coefficients)
}

function combine<P>(group: Group<P>, points: readonly P[], coefficients: readonly bigint[]): P {
  if (points.length !== coefficients.length) throw new RangeError('one coefficient is needed for each point')
  const terms = points.flatMap((point, i) => {
    const coefficient = coefficients[i] ?? 0n
    if (coefficient === 0n) return []
    const magnitude = coefficient < 0n ? -coefficient : coefficient
    return [{ multiple: smallMultiples(group, coefficient < 0n ? group.negate(point) : point), magnitude }]
  })
  if (terms.length === 0) throw new RangeError('every coefficient is zero')
  const digits = Math.ceil(Math.max(...terms.map((term) => bitLength(term.magnitude))) / 2)
  let sum: P | undefined
  for (let digit = digits - 1; digit >= 0; digit--) {
    const addends: P[] = sum === undefined ? [] : [sum, sum, sum, sum]
    for (const { multiple, magnitude } of terms) {
      const value = Number((magnitude >> BigInt(2 * digit)) & 3n)
      if (value !== 0) addends.push(multiple(value))
    }
    if (addends.length > 0) sum = group.add(addends)
  }
  return sum as P
}

/** d·P for d = 1, 2, 3, each added up when first asked for. */
function smallMultiples<P>(group: Group<P>, point: P): (digit: number) => P {
  const known: P[] = [point, point]
  return (digit) => {
    const multiple = known[digit] ?? group.add(Array.from({ length: digit }, () => point))
    known[digit] = multiple
    return multiple
  }
}
