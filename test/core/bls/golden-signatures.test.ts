import { expect } from 'chai'
import fc from 'fast-check'
import { bls } from '../../../core/bls/backend.js'
import { integerCoefficients } from '../../../core/bls/lagrange.js'
import { parsePublicKey, parseSecretKey, parseSignature } from '../../../core/bls/points.js'
import {
  publicSharesInterpolate,
  recoverPublicKey,
  recoverSignature,
  recoverVerified,
} from '../../../core/bls/threshold.js'
import { fromHex, toHex } from '../../../core/hex.js'
import { type GoldenMessage, goldenMessages, sharesOf } from './golden-messages.js'
import { subsets } from './subsets.js'

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31)
/** Of more subsets than this a random choice is tried. */
const EVERY_SUBSET = 100
const RANDOM_SUBSETS = 300
const WIDE_DENOMINATOR = [1n, 3n, 4n, 6n, 7n, 9n, 10n, 12n, 15n, 16n]

function triedSubsets(indexes: readonly bigint[], threshold: number): bigint[][] {
  if (indexes.length < 10) return subsets(indexes, threshold)
  const size = { minLength: threshold, maxLength: threshold }
  const random = fc.sample(fc.subarray([...indexes], size), { numRuns: RANDOM_SUBSETS, seed })
  return [WIDE_DENOMINATOR, ...random]
}

const recovered = (golden: GoldenMessage, indexes: readonly bigint[]) =>
  toHex(bls.encodeSignature(recoverSignature(sharesOf(golden, indexes))))

describe('signatures of the bundled clusters', () => {
  const messages = goldenMessages()

  it('cover exits and deposits of four clusters', () => {
    const kinds = messages.map((golden) => ('exit' in golden.content ? 'exit' : 'deposit'))
    expect(new Set(messages.map((golden) => golden.publicKey)).size).to.equal(7)
    expect(kinds.filter((kind) => kind === 'exit').length).to.be.greaterThan(10)
    expect(kinds.filter((kind) => kind === 'deposit').length).to.be.greaterThan(6)
  })

  for (const golden of messages) {
    const indexes = [...golden.partials.keys()]
    const message = fromHex(golden.signingRoot, 32)
    const publicKey = parsePublicKey(golden.publicKey)
    const tried = triedSubsets(indexes, golden.threshold)
    const which = tried.length > EVERY_SUBSET ? `${tried.length} subsets, seed ${seed}` : 'every subset'

    describe(golden.name, () => {
      it('each node signs its partial signature, under its public share', () => {
        for (const index of indexes) {
          const secret = parseSecretKey(fromHex(golden.secretShares.get(index) ?? '', 32))
          expect(toHex(bls.encodeSignature(bls.sign(secret, message)))).to.equal(golden.partials.get(index))
          expect(toHex(bls.encodePublicKey(bls.toPublicKey(secret)))).to.equal(golden.publicShares.get(index))
        }
      })

      it('the full signature verifies under the key of the validator', () => {
        expect(bls.verify({ message, publicKey, signature: parseSignature(golden.signature) })).to.equal(true)
      })

      it(`any ${golden.threshold} of ${indexes.length} partial signatures make it (${which})`, () => {
        for (const subset of tried) expect(recovered(golden, subset)).to.equal(golden.signature)
      })

      it('recovery that verifies gives the same', () => {
        for (const subset of tried.slice(0, 4)) {
          const signature = recoverVerified(sharesOf(golden, subset), publicKey, message)
          expect(signature && toHex(bls.encodeSignature(signature))).to.equal(golden.signature)
        }
      })

      it('one partial signature less makes another', () => {
        for (const subset of tried.slice(0, 20)) {
          const short = sharesOf(golden, subset.slice(1))
          expect(toHex(bls.encodeSignature(recoverSignature(short)))).not.to.equal(golden.signature)
        }
        const short = sharesOf(golden, indexes.slice(0, golden.threshold - 1))
        expect(recoverVerified(short, publicKey, message)).to.equal(undefined)
        expect(bls.verify({ message, publicKey, signature: recoverSignature(short) })).to.equal(false)
      })

      it('the public shares make the public key, and one less does not', () => {
        const shares = [...golden.publicShares].map(([index, share]) => ({
          index,
          publicKey: parsePublicKey(share),
        }))
        expect(publicSharesInterpolate(publicKey, shares, golden.threshold)).to.equal(true)
        expect(publicSharesInterpolate(publicKey, shares, golden.threshold - 1)).to.equal(false)
        const whole = recoverPublicKey(shares.slice(-golden.threshold))
        expect(toHex(bls.encodePublicKey(whole))).to.equal(golden.publicKey)
        const short = recoverPublicKey(shares.slice(1 - golden.threshold))
        expect(toHex(bls.encodePublicKey(short))).not.to.equal(golden.publicKey)
      })
    })
  }

  it('cover a denominator of 3 and one of 143', () => {
    expect(integerCoefficients([1n, 2n, 4n]).denominator).to.equal(3n)
    expect(integerCoefficients(WIDE_DENOMINATOR).denominator).to.equal(143n)
  })
})
