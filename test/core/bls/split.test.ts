import { expect } from 'chai'
import fc from 'fast-check'
import { bls } from '../../../core/bls/backend.js'
import { GROUP_ORDER, modulo } from '../../../core/bls/lagrange.js'
import {
  recoverPublicKey,
  recoverSignature,
  secretFromScalar,
  secureRandomScalar,
  splitSignature,
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

const scalar = fc.bigInt({ min: 1n, max: GROUP_ORDER - 1n })
const oracleSets = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 13 }))
  .map(([oracles, threshold]) => ({ oracles, threshold: Math.min(oracles, threshold) }))

function signed(key: bigint, message: Uint8Array) {
  const secret = secretFromScalar(key)
  return { signature: bls.sign(secret, message), publicKey: bls.toPublicKey(secret), message }
}
const shareIndex = <T extends { index: number }>(share: T) => ({ ...share, index: BigInt(share.index) })

describe('splitting a signature for the oracles', () => {
  it('any threshold of shares recover signature and key, one less does not, and each share verifies', () => {
    const property = fc.property(oracleSets, scalar, fc.nat(), (set, key, choice) => {
      const { signature, publicKey, message } = signed(key, new Uint8Array(32).fill(choice & 0xff))
      const shares = splitSignature(signature, publicKey, message, set).map(shareIndex)
      expect(shares.map((share) => share.index)).to.deep.equal(shares.map((_, i) => BigInt(i + 1)))
      expect(shares.length).to.equal(set.oracles)
      for (const share of shares) expect(bls.verify({ message, ...share })).to.equal(true)

      const [some] = fc.sample(
        fc.shuffledSubarray(shares, { minLength: set.threshold, maxLength: set.threshold }),
        { numRuns: 1, seed: choice },
      )
      const signatures = (some ?? []).map((share) => ({
        index: share.index,
        bytes: bls.encodeSignature(share.signature),
      }))
      const keys = (some ?? []).map((share) => ({
        index: share.index,
        bytes: bls.encodePublicKey(share.publicKey),
      }))
      const [whole, wholeKey] = [toHex(bls.encodeSignature(signature)), toHex(bls.encodePublicKey(publicKey))]
      expect(herumiRecoverSignature(signatures)).to.equal(whole)
      expect(herumiRecoverPublicKey(keys)).to.equal(wholeKey)
      if (set.threshold === 1) return
      expect(herumiRecoverSignature(signatures.slice(1))).not.to.equal(whole)
      expect(herumiRecoverPublicKey(keys.slice(1))).not.to.equal(wholeKey)
    })
    fc.assert(property, { numRuns: 25 })
  })

  it('agrees with noble', () => {
    const { signature, publicKey, message } = signed(secureRandomScalar(), new Uint8Array(32).fill(5))
    const shares = splitSignature(signature, publicKey, message, { oracles: 5, threshold: 3 })
      .map(shareIndex)
      .filter((share) => [1n, 2n, 4n].includes(share.index))
    const whole = nobleRecoverSignature(
      shares.map(({ index, signature }) => ({ index, bytes: bls.encodeSignature(signature) })),
    )
    const key = nobleRecoverPublicKey(
      shares.map(({ index, publicKey }) => ({ index, bytes: bls.encodePublicKey(publicKey) })),
    )
    expect(whole).to.equal(toHex(bls.encodeSignature(signature)))
    expect(key).to.equal(toHex(bls.encodePublicKey(publicKey)))
  })

  it('holds for every subset of 3 of 5, and no pair recovers', () => {
    const { signature, publicKey, message } = signed(77n, new Uint8Array(32).fill(6))
    const shares = splitSignature(signature, publicKey, message, { oracles: 5, threshold: 3 }).map(shareIndex)
    const whole = toHex(bls.encodeSignature(signature))
    const key = toHex(bls.encodePublicKey(publicKey))
    for (const subset of subsets(shares, 3)) {
      expect(toHex(bls.encodeSignature(recoverSignature(subset)))).to.equal(whole)
      expect(toHex(bls.encodePublicKey(recoverPublicKey(subset)))).to.equal(key)
    }
    for (const pair of subsets(shares, 2)) {
      expect(toHex(bls.encodeSignature(recoverSignature(pair)))).not.to.equal(whole)
      expect(toHex(bls.encodePublicKey(recoverPublicKey(pair)))).not.to.equal(key)
    }
  })

  it('gives Shamir shares of the key: what a polynomial with the given random terms gives', () => {
    const key = 123_456_789n
    const terms = [3n, GROUP_ORDER - 1n, 2n ** 200n]
    const { signature, publicKey, message } = signed(key, new Uint8Array(32).fill(7))
    const random = terms.values()
    const shares = splitSignature(
      signature,
      publicKey,
      message,
      { oracles: 6, threshold: 4 },
      () => random.next().value ?? 0n,
    )
    for (const share of shares) {
      const expected = signed(evaluate([key, ...terms], BigInt(share.index)), message)
      expect(toHex(bls.encodeSignature(share.signature))).to.equal(
        toHex(bls.encodeSignature(expected.signature)),
      )
      expect(toHex(bls.encodePublicKey(share.publicKey))).to.equal(
        toHex(bls.encodePublicKey(expected.publicKey)),
      )
    }
  })

  it('gives the whole signature to everyone at a threshold of 1, and to nobody above', () => {
    const { signature, publicKey, message } = signed(99n, new Uint8Array(32).fill(8))
    const whole = toHex(bls.encodeSignature(signature))
    const encoded = (threshold: number) =>
      splitSignature(signature, publicKey, message, { oracles: 4, threshold }).map((share) =>
        toHex(bls.encodeSignature(share.signature)),
      )
    expect(encoded(1)).to.deep.equal([whole, whole, whole, whole])
    expect(encoded(2)).not.to.include(whole)
    expect(new Set(encoded(4)).size).to.equal(4)
  })

  it('is different every time', () => {
    const { signature, publicKey, message } = signed(99n, new Uint8Array(32))
    const once = () =>
      splitSignature(signature, publicKey, message, { oracles: 2, threshold: 2 }).map((share) =>
        toHex(bls.encodeSignature(share.signature)),
      )
    expect(once()).not.to.deep.equal(once())
  })

  it('refuses a threshold that no set of oracles can have', () => {
    const { signature, publicKey, message } = signed(99n, new Uint8Array(32))
    for (const [oracles, threshold] of [
      [5, 0],
      [5, 6],
      [5, -1],
      [0, 0],
      [5, 2.5],
      [5, Number.NaN],
    ] as const) {
      expect(() => splitSignature(signature, publicKey, message, { oracles, threshold }))
        .to.throw(DvtExitError)
        .with.property('code', 'INVALID_THRESHOLD')
    }
  })
})

describe('secure random scalars', () => {
  it('lie in 1 … r − 1, use the whole range and do not repeat', () => {
    const scalars = Array.from({ length: 500 }, secureRandomScalar)
    for (const one of scalars) expect(one > 0n && modulo(one) === one).to.equal(true)
    expect(new Set(scalars).size).to.equal(500)
    const upperHalf = scalars.filter((one) => one > GROUP_ORDER / 2n).length
    expect(upperHalf).to.be.within(150, 350)
  })
})
