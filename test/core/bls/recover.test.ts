import { expect } from 'chai'
import fc from 'fast-check'
import { bls } from '../../../core/bls/backend.js'
import { GROUP_ORDER } from '../../../core/bls/lagrange.js'
import {
  recoverPublicKey,
  recoverSignature,
  recoverVerified,
  secretFromScalar,
} from '../../../core/bls/threshold.js'
import { DvtExitError } from '../../../core/errors.js'
import { toHex } from '../../../core/hex.js'
import {
  evaluate,
  herumiRecoverPublicKey,
  herumiRecoverSignature,
  nobleRecoverPublicKey,
  nobleRecoverSignature,
} from './references.js'
import { subsets } from './subsets.js'

/** Without bias towards 1 and r − 1, with which a share may become zero. */
const scalar = fc.noBias(fc.bigInt({ min: 1n, max: GROUP_ORDER - 1n }))
const message = fc.uint8Array({ minLength: 32, maxLength: 32 })
/** As Obol numbers its nodes, as SSV does, and anything that the wire lets through. */
const indexSets = [
  fc.subarray(
    Array.from({ length: 20 }, (_, i) => BigInt(i + 1)),
    { minLength: 1 },
  ),
  fc.uniqueArray(fc.bigInt({ min: 1n, max: 3000n }), { minLength: 1, maxLength: 20 }),
  fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 20 }),
]
/** t share indexes out of up to 20, t up to 13, with the polynomial that shares the key. */
const sharing = fc
  .tuple(
    fc.oneof(...indexSets),
    fc.integer({ min: 1, max: 13 }),
    fc.array(scalar, { minLength: 13, maxLength: 13 }),
  )
  .map(([indexes, wanted, terms]) => {
    const threshold = Math.min(wanted, indexes.length)
    return { indexes: indexes.slice(0, threshold), polynomial: terms.slice(0, threshold) }
  })

function signShares(polynomial: readonly bigint[], indexes: readonly bigint[], signed: Uint8Array) {
  return indexes.map((index) => {
    const secret = secretFromScalar(evaluate(polynomial, index))
    return { index, signature: bls.sign(secret, signed), publicKey: bls.toPublicKey(secret) }
  })
}
type Share = ReturnType<typeof signShares>[number]
const signatureBytes = ({ index, signature }: Share) => ({ index, bytes: bls.encodeSignature(signature) })
const publicKeyBytes = ({ index, publicKey }: Share) => ({ index, bytes: bls.encodePublicKey(publicKey) })
const recoveredSignature = (shares: readonly Share[]) => toHex(bls.encodeSignature(recoverSignature(shares)))
const recoveredKey = (shares: readonly Share[]) => toHex(bls.encodePublicKey(recoverPublicKey(shares)))

describe('recovery from shares', () => {
  it('gives what the whole key signs, and what herumi recovers, for any sharing', () => {
    const property = fc.property(sharing, message, ({ indexes, polynomial }, signed) => {
      const shares = signShares(polynomial, indexes, signed)
      const whole = secretFromScalar(polynomial[0] ?? 0n)
      const expected = toHex(bls.encodeSignature(bls.sign(whole, signed)))
      const expectedKey = toHex(bls.encodePublicKey(bls.toPublicKey(whole)))
      expect(recoveredSignature(shares)).to.equal(expected)
      expect(herumiRecoverSignature(shares.map(signatureBytes))).to.equal(expected)
      expect(recoveredKey(shares)).to.equal(expectedKey)
      expect(herumiRecoverPublicKey(shares.map(publicKeyBytes))).to.equal(expectedKey)
    })
    fc.assert(property, { numRuns: 60 })
  })

  it('gives what noble recovers, also from too few shares', () => {
    const property = fc.property(sharing, message, ({ indexes, polynomial }, signed) => {
      const shares = signShares([...polynomial, 5n], indexes.slice(0, 6), signed)
      expect(nobleRecoverSignature(shares.map(signatureBytes))).to.equal(recoveredSignature(shares))
      expect(nobleRecoverPublicKey(shares.map(publicKeyBytes))).to.equal(recoveredKey(shares))
    })
    fc.assert(property, { numRuns: 8 })
  })

  it('is right from every subset of every threshold for up to 7 nodes', () => {
    const signed = new Uint8Array(32).fill(9)
    for (let nodes = 1; nodes <= 7; nodes++) {
      const indexes = Array.from({ length: nodes }, (_, i) => BigInt(i + 1))
      for (let threshold = 1; threshold <= nodes; threshold++) {
        const polynomial = Array.from({ length: threshold }, (_, i) => BigInt(1000 * nodes + 17 * i + 1))
        const shares = signShares(polynomial, indexes, signed)
        const whole = secretFromScalar(polynomial[0] ?? 0n)
        const expected = toHex(bls.encodeSignature(bls.sign(whole, signed)))
        for (const subset of subsets(shares, threshold)) {
          expect(recoveredSignature(subset)).to.equal(expected)
        }
        for (const subset of subsets(shares, threshold - 1).filter((some) => some.length > 0)) {
          expect(recoveredSignature(subset)).not.to.equal(expected)
        }
      }
    }
  })

  it('does not depend on the order of the shares', () => {
    const shares = signShares([7n, 8n, 9n], [1n, 2n, 4n], new Uint8Array(32))
    expect(recoveredSignature(shares.toReversed())).to.equal(recoveredSignature(shares))
  })

  it('works for shares that are equal, or that cancel each other', () => {
    const signed = new Uint8Array(32).fill(3)
    const constant = signShares([11n], [1n, 2n, 4n], signed)
    expect(recoveredSignature(constant)).to.equal(recoveredSignature(constant.slice(0, 1)))
    const cancelling = signShares([GROUP_ORDER - 6n, 5n], [1n, 7n], signed)
    const whole = bls.sign(secretFromScalar(GROUP_ORDER - 6n), signed)
    expect(recoveredSignature(cancelling)).to.equal(toHex(bls.encodeSignature(whole)))
  })

  it('that verifies returns nothing where one share is wrong', () => {
    const signed = new Uint8Array(32).fill(4)
    const key = bls.toPublicKey(secretFromScalar(21n))
    for (const indexes of [
      [1n, 2n, 3n],
      [1n, 2n, 4n],
      [11n, 27n, 350n],
      [2n ** 64n - 1n, 2n ** 63n, 5n],
    ]) {
      const shares = signShares([21n, 22n, 23n], indexes, signed)
      const verified = recoverVerified(shares, key, signed)
      expect(verified && toHex(bls.encodeSignature(verified))).to.equal(recoveredSignature(shares))
      for (const [i, share] of shares.entries()) {
        const wrong = shares.with(i, { ...share, signature: bls.negateSignature(share.signature) })
        expect(recoverVerified(wrong, key, signed)).to.equal(undefined)
      }
      expect(recoverVerified(shares, key, new Uint8Array(32))).to.equal(undefined)
    }
  })

  it('refuses no shares, index 0, an index given twice, and one at or above the group order', () => {
    const [share] = signShares([1n], [1n], new Uint8Array(32))
    if (share === undefined) throw new Error('one share was signed')
    const at = (...indexes: bigint[]) => indexes.map((index) => ({ ...share, index }))
    const wrong: [Share[], string][] = [
      [[], 'TOO_FEW_SHARES'],
      [at(0n), 'INVALID_SHARE_INDEX'],
      [at(1n, 0n), 'INVALID_SHARE_INDEX'],
      [at(2n, 1n, 2n), 'INVALID_SHARE_INDEX'],
      [at(GROUP_ORDER), 'INVALID_SHARE_INDEX'],
      [at(1n, GROUP_ORDER + 1n), 'INVALID_SHARE_INDEX'],
      [at(-1n), 'INVALID_SHARE_INDEX'],
    ]
    for (const [shares, code] of wrong) {
      for (const recover of [recoverSignature, recoverPublicKey]) {
        expect(() => recover(shares))
          .to.throw(DvtExitError)
          .with.property('code', code)
      }
    }
  })
})
