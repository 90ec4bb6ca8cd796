import { expect } from 'chai'
import fc from 'fast-check'
import { bls, type SignatureSet } from '../../../core/bls/backend.js'
import { blstBackend } from '../../../core/bls/blst-backend.js'
import { secretFromScalar } from '../../../core/bls/threshold.js'
import { verifyEach, verifySignature } from '../../../core/bls/verify.js'

function signedSet(key: number, messageByte: number): SignatureSet {
  const secret = secretFromScalar(BigInt(key))
  const message = new Uint8Array(32).fill(messageByte)
  return { message, publicKey: bls.toPublicKey(secret), signature: bls.sign(secret, message) }
}
const spoiled = (set: SignatureSet): SignatureSet => ({
  ...set,
  signature: bls.negateSignature(set.signature),
})

describe('verification of many signatures', () => {
  it('names exactly the bad ones, whichever they are', () => {
    const property = fc.property(fc.array(fc.boolean(), { maxLength: 8 }), (right) => {
      const sets = right.map((good, i) => (good ? signedSet(i + 1, i) : spoiled(signedSet(i + 1, i))))
      expect(verifyEach(sets)).to.deep.equal(right)
    })
    fc.assert(property, { numRuns: 25, examples: [[[]], [[true]], [[false]], [Array(8).fill(true)]] })
  })

  it('is not fooled by two errors that cancel in a plain sum', () => {
    const [first, second] = [signedSet(1, 1), signedSet(2, 1)]
    const error = signedSet(3, 9).signature
    const sets = [
      { ...first, signature: bls.addSignatures([first.signature, error]) },
      { ...second, signature: bls.addSignatures([second.signature, bls.negateSignature(error)]) },
    ]
    const plainSum = {
      message: first.message,
      publicKey: bls.addPublicKeys(sets.map((set) => set.publicKey)),
      signature: bls.addSignatures(sets.map((set) => set.signature)),
    }
    expect(verifySignature(plainSum), 'the plain sum verifies').to.equal(true)
    expect(bls.verifyAll(sets)).to.equal(false)
    expect(verifyEach(sets)).to.deep.equal([false, false])
    expect(verifyEach([...sets, signedSet(4, 4)])).to.deep.equal([false, false, true])
  })

  it('tells two signatures of one message apart when they are exchanged', () => {
    const [first, second] = [signedSet(1, 1), signedSet(2, 1)]
    const exchanged = [
      { ...first, signature: second.signature },
      { ...second, signature: first.signature },
    ]
    expect(verifyEach(exchanged)).to.deep.equal([false, false])
  })

  it('refuses infinity, as key and as signature, alone and among others', () => {
    const set = signedSet(1, 1)
    const publicKey = bls.addPublicKeys([set.publicKey, bls.negatePublicKey(set.publicKey)])
    const signature = bls.addSignatures([set.signature, bls.negateSignature(set.signature)])
    const infinite = { ...set, publicKey, signature }
    expect(verifySignature(infinite)).to.equal(false)
    expect(verifyEach([infinite, set])).to.deep.equal([false, true])
    expect(verifyEach([{ ...set, signature }, set])).to.deep.equal([false, true])
  })

  it('takes one batch check where all are right', () => {
    const sets = Array.from({ length: 5 }, (_, i) => signedSet(i + 1, i % 2))
    expect(blstBackend.verifyAll(sets)).to.equal(true)
    expect(verifyEach(sets)).to.deep.equal([true, true, true, true, true])
    expect(bls.verifyAll([])).to.equal(false)
  })
})
