import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { GROUP_ORDER } from '../../../core/bls/lagrange.js'
import { type PublicShare, publicSharesInterpolate, secretFromScalar } from '../../../core/bls/threshold.js'
import { DvtExitError } from '../../../core/errors.js'
import { evaluate } from './references.js'

const polynomial = [41n, 42n, 2n ** 250n, 44n, 45n, 46n, 47n, 48n, 49n, 50n]
const keyOf = (scalar: bigint) => bls.toPublicKey(secretFromScalar(scalar))

function sharing(threshold: number, indexes: readonly bigint[]) {
  const terms = polynomial.slice(0, threshold)
  return {
    publicKey: keyOf(terms[0] ?? 0n),
    shares: indexes.map((index): PublicShare => ({ index, publicKey: keyOf(evaluate(terms, index)) })),
  }
}

const clusters: [string, number, bigint[]][] = [
  ['3 of 4', 3, [1n, 2n, 3n, 4n]],
  ['5 of 7', 5, [1n, 2n, 3n, 4n, 5n, 6n, 7n]],
  ['10 of 16', 10, Array.from({ length: 16 }, (_, i) => BigInt(i + 1))],
  ['3 of 4 operators', 3, [11n, 27n, 42n, 350n]],
  ['3 of 5 with huge ids', 3, [2n ** 64n - 1n, 2n ** 63n, 7n, 1_000_003n, 2n ** 40n]],
  ['1 of 3', 1, [1n, 2n, 3n]],
  ['4 of 4', 4, [1n, 2n, 3n, 4n]],
]

describe('public shares', () => {
  for (const [name, threshold, indexes] of clusters) {
    const { publicKey, shares } = sharing(threshold, indexes)

    it(`of ${name} interpolate to their key, in any order`, () => {
      expect(publicSharesInterpolate(publicKey, shares, threshold)).to.equal(true)
      expect(publicSharesInterpolate(publicKey, shares.toReversed(), threshold)).to.equal(true)
    })

    it(`of ${name} are refused with one forged at any position, beyond the first ${threshold} too`, () => {
      for (const [i, share] of shares.entries()) {
        for (const forged of [keyOf(123n), bls.negatePublicKey(share.publicKey), publicKey]) {
          if (threshold === 1 && forged === publicKey) continue
          const set = shares.with(i, { ...share, publicKey: forged })
          expect(publicSharesInterpolate(publicKey, set, threshold), `position ${i}`).to.equal(false)
        }
      }
    })

    it(`of ${name} are refused for another key, and with two of them swapped`, () => {
      expect(publicSharesInterpolate(keyOf(40n), shares, threshold)).to.equal(false)
      const [first, second, ...rest] = shares
      if (first === undefined || second === undefined || threshold === 1) return
      const swapped = [{ ...first, index: second.index }, { ...second, index: first.index }, ...rest]
      expect(publicSharesInterpolate(publicKey, swapped, threshold)).to.equal(false)
    })
  }

  it('of a higher degree are refused, those of a lower one lie on the polynomial too', () => {
    const { publicKey, shares } = sharing(4, [1n, 2n, 3n, 4n, 5n, 6n])
    expect(publicSharesInterpolate(publicKey, shares, 3)).to.equal(false)
    expect(publicSharesInterpolate(publicKey, shares, 5)).to.equal(true)
  })

  it('are refused with a forgery at every later position that is consistent in itself', () => {
    const { publicKey, shares } = sharing(3, [1n, 2n, 3n, 4n, 5n, 6n, 7n])
    const other = sharing(2, [4n, 5n, 6n, 7n])
    expect(publicSharesInterpolate(publicKey, [...shares.slice(0, 3), ...other.shares], 3)).to.equal(false)
  })

  it('throw for too few of them, for thresholds that are none, and for indexes that break', () => {
    const { publicKey, shares } = sharing(3, [1n, 2n, 3n, 4n])
    const codeOf = (set: readonly PublicShare[], threshold: number) => {
      try {
        publicSharesInterpolate(publicKey, set, threshold)
      } catch (error) {
        return error instanceof DvtExitError ? error.code : String(error)
      }
      return undefined
    }
    expect(codeOf(shares.slice(0, 2), 3)).to.equal('TOO_FEW_SHARES')
    expect(codeOf([], 1)).to.equal('TOO_FEW_SHARES')
    for (const threshold of [0, -1, 1.5, Number.NaN]) {
      expect(codeOf(shares, threshold)).to.equal('TOO_FEW_SHARES')
    }
    for (const index of [0n, 2n, GROUP_ORDER, GROUP_ORDER + 1n]) {
      const broken = shares.map((share, i) => (i === 0 ? { ...share, index } : share))
      expect(codeOf(broken, 3)).to.equal('INVALID_SHARE_INDEX')
    }
  })
})
