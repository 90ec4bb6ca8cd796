import { expect } from 'chai'
import { blstBackend } from '../../../core/bls/blst-backend.js'
import { GROUP_ORDER } from '../../../core/bls/lagrange.js'
import { parsePublicKey, parseSecretKey, parseSignature } from '../../../core/bls/points.js'
import { createWasmBackend } from '../../../core/bls/wasm-backend.js'
import { DvtExitError } from '../../../core/errors.js'
import { toHex } from '../../../core/hex.js'
import {
  assertOutsideSubgroup,
  invalidPublicKeys,
  invalidSignatures,
  outsideSubgroupG1,
  outsideSubgroupG2,
  validPublicKey,
  validSignature,
} from './invalid-points.js'

const wasmBackend = await createWasmBackend()
const scalarBytes = (scalar: bigint) => Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
const invalidSecretKeys: [string, Uint8Array][] = [
  ['zero', scalarBytes(0n)],
  ['the group order', scalarBytes(GROUP_ORDER)],
  ['above the group order', scalarBytes(GROUP_ORDER + 1n)],
  ['all ones', new Uint8Array(32).fill(0xff)],
  ['nothing', new Uint8Array(0)],
  ['31 bytes', new Uint8Array(31).fill(1)],
  ['33 bytes', new Uint8Array(33).fill(1)],
]

function failureOf(run: () => unknown): DvtExitError {
  try {
    run()
  } catch (error) {
    if (error instanceof DvtExitError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('decoding of points and scalars', () => {
  it('is tested with points that are on the curve and outside the subgroup', () => {
    assertOutsideSubgroup(outsideSubgroupG1, outsideSubgroupG2)
  })

  for (const backend of [blstBackend, wasmBackend]) {
    describe(backend.name, () => {
      it('takes and gives back what is right', () => {
        const key = backend.decodePublicKey(validPublicKey)
        const signature = backend.decodeSignature(validSignature)
        expect(toHex(backend.encodePublicKey(key))).to.equal(toHex(validPublicKey))
        expect(toHex(backend.encodeSignature(signature))).to.equal(toHex(validSignature))
        backend.decodeSecretKey(scalarBytes(1n))
        backend.decodeSecretKey(scalarBytes(GROUP_ORDER - 1n))
      })
      for (const [name, bytes] of invalidPublicKeys) {
        it(`refuses a public key: ${name}`, () => {
          expect(() => backend.decodePublicKey(bytes)).to.throw()
        })
      }
      for (const [name, bytes] of invalidSignatures) {
        it(`refuses a signature: ${name}`, () => {
          expect(() => backend.decodeSignature(bytes)).to.throw()
        })
      }
      for (const [name, bytes] of invalidSecretKeys) {
        it(`refuses a secret key: ${name}`, () => {
          expect(() => backend.decodeSecretKey(bytes)).to.throw()
        })
      }
    })
  }

  it('names what was wrong by a code, from bytes and from hex', () => {
    for (const [, bytes] of invalidPublicKeys) {
      expect(failureOf(() => parsePublicKey(bytes)).code).to.equal('INVALID_PUBLIC_KEY')
      expect(failureOf(() => parsePublicKey(toHex(bytes))).code).to.equal('INVALID_PUBLIC_KEY')
    }
    for (const [, bytes] of invalidSignatures) {
      expect(failureOf(() => parseSignature(bytes)).code).to.equal('INVALID_SIGNATURE')
      expect(failureOf(() => parseSignature(toHex(bytes))).code).to.equal('INVALID_SIGNATURE')
    }
    for (const [, bytes] of invalidSecretKeys) {
      expect(failureOf(() => parseSecretKey(bytes)).code).to.equal('INVALID_SECRET_KEY')
    }
    expect(failureOf(() => parsePublicKey('0xzz')).code).to.equal('INVALID_PUBLIC_KEY')
    expect(failureOf(() => parseSignature('not hex')).code).to.equal('INVALID_SIGNATURE')
  })

  it('never repeats a signature or a secret key in the error', () => {
    const signature = toHex(outsideSubgroupG2)
    const secret = Buffer.alloc(32, 0xfe)
    for (const error of [
      failureOf(() => parseSignature(signature)),
      failureOf(() => parseSecretKey(secret)),
    ]) {
      const everything = `${error.message} ${error.hint} ${String(error.cause)} ${error.stack}`
      expect(everything).not.to.include(signature.slice(2, 20))
      expect(everything).not.to.include('fefefefe')
    }
  })
})
