import { expect } from 'chai'
import fc from 'fast-check'
import {
  assertShareIndexes,
  bitLength,
  GROUP_ORDER,
  integerCoefficients,
  interpolation,
  invert,
  lagrangeCoefficients,
  modulo,
} from '../../../core/bls/lagrange.js'
import { DvtExitError } from '../../../core/errors.js'

const scalar = fc.bigInt({ min: 1n, max: GROUP_ORDER - 1n })
const shareIndexes = fc.uniqueArray(
  fc.oneof(fc.bigInt({ min: 1n, max: 20n }), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), scalar),
  { minLength: 1, maxLength: 13 },
)

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return error instanceof DvtExitError ? error.code : String(error)
  }
  return undefined
}

/** f(x) for coefficients from the constant term up. */
const evaluate = (polynomial: readonly bigint[], x: bigint) =>
  polynomial.reduceRight((sum, coefficient) => modulo(sum * x + coefficient), 0n)

describe('Lagrange coefficients', () => {
  it('are those of the textbook for small indexes', () => {
    expect(integerCoefficients([1n, 2n, 3n])).to.deep.equal({ coefficients: [3n, -3n, 1n], denominator: 1n })
    expect(integerCoefficients([1n, 2n, 4n])).to.deep.equal({ coefficients: [8n, -6n, 1n], denominator: 3n })
    expect(integerCoefficients([5n])).to.deep.equal({ coefficients: [1n], denominator: 1n })
    expect(integerCoefficients([1n, 2n], 5n)).to.deep.equal({ coefficients: [-3n, 4n], denominator: 1n })
  })

  it('have the denominator 1 for three of the four subsets of 3 of 4', () => {
    const denominators = [
      [1n, 2n, 3n],
      [1n, 2n, 4n],
      [1n, 3n, 4n],
      [2n, 3n, 4n],
    ].map((indexes) => integerCoefficients(indexes).denominator)
    expect(denominators).to.deep.equal([1n, 3n, 1n, 1n])
  })

  it('interpolate any polynomial anywhere, in all three forms', () => {
    const property = fc.property(
      shareIndexes,
      fc.array(scalar, { minLength: 13, maxLength: 13 }),
      fc.oneof(fc.constant(0n), scalar),
      (indexes, terms, at) => {
        const polynomial = terms.slice(0, indexes.length)
        const values = indexes.map((index) => evaluate(polynomial, index))
        const combine = (coefficients: readonly bigint[]) =>
          modulo(coefficients.reduce((sum, c, i) => sum + c * (values[i] ?? 0n), 0n))
        const expected = evaluate(polynomial, at)
        expect(combine(lagrangeCoefficients(indexes, at))).to.equal(expected)
        for (const { coefficients, denominator } of [
          integerCoefficients(indexes, at),
          interpolation(indexes, at),
        ]) {
          expect(combine(coefficients)).to.equal(modulo(denominator * expected))
        }
      },
    )
    fc.assert(property, { numRuns: 200 })
  })

  it('never have a denominator that the group order divides', () => {
    fc.assert(
      fc.property(shareIndexes, (indexes) => {
        const { denominator } = interpolation(indexes)
        expect(denominator > 0n && denominator < GROUP_ORDER).to.equal(true)
      }),
    )
  })

  it('stay small integers for small indexes and are reduced for sparse ones', () => {
    expect(interpolation([1n, 3n, 4n, 6n, 7n, 9n, 10n, 12n, 15n, 16n]).denominator).to.equal(143n)
    expect(interpolation([11n, 27n, 42n]).denominator).not.to.equal(1n)
    const sparse = interpolation([2n ** 64n - 1n, 2n ** 63n, 2n ** 62n, 12_345_678_901n])
    expect(sparse.denominator).to.equal(1n)
    expect(Math.max(...sparse.coefficients.map(bitLength))).to.be.at.most(255)
  })

  it('refuse an index of 0, a negative one, one at or above the group order, and duplicates', () => {
    for (const indexes of [[0n], [1n, 0n], [-1n, 1n], [GROUP_ORDER], [GROUP_ORDER + 1n, 2n], [3n, 1n, 3n]]) {
      for (const run of [assertShareIndexes, lagrangeCoefficients, integerCoefficients, interpolation]) {
        expect(
          codeOf(() => run(indexes)),
          String(indexes),
        ).to.equal('INVALID_SHARE_INDEX')
      }
    }
    expect(codeOf(() => assertShareIndexes([1n, GROUP_ORDER - 1n, 2n ** 64n - 1n]))).to.equal(undefined)
  })
})

describe('arithmetic modulo the group order', () => {
  it('inverts every scalar but zero', () => {
    fc.assert(fc.property(scalar, (a) => modulo(a * invert(a)) === 1n))
    expect(() => invert(0n)).to.throw(RangeError)
    expect(() => invert(GROUP_ORDER)).to.throw(RangeError)
    expect(modulo(invert(-3n) * -3n)).to.equal(1n)
  })

  it('counts binary digits of either sign', () => {
    expect([0n, 1n, -1n, 255n, -256n, 2n ** 200n].map(bitLength)).to.deep.equal([0, 1, 1, 8, 9, 201])
  })
})
