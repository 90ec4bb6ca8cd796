import { constants, createPublicKey, privateDecrypt, publicEncrypt } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { decryptKeyShare, unpad } from '../../../adapters/ssv/key-share.js'
import { bls } from '../../../core/bls/backend.js'
import { decodeSsvEvent } from '../../../core/clusters/ssv-events.js'
import { readKeyShare, splitShares } from '../../../core/clusters/ssv-shares.js'
import { toHex } from '../../../core/hex.js'
import { logAt, OPERATOR_IDS, operatorPrivateKey } from '../../core/clusters/ssv-fixture.js'

const key = operatorPrivateKey(11n)
const publicKey = createPublicKey(key)

function sharesOf(i: number) {
  const event = decodeSsvEvent(logAt(i))
  const shares = event?.name === 'ValidatorAdded' ? splitShares(event.shares, event.operatorIds) : undefined
  if (shares === undefined) throw new Error(`log ${i} has no shares`)
  return shares
}

/** 00 02, padding, 00, message. */
const padded = (padding: Uint8Array, message: Uint8Array) => Uint8Array.of(0, 2, ...padding, 0, ...message)
const nonZero = (minLength: number, maxLength: number) => fc.uint8Array({ min: 1, minLength, maxLength })

describe('decryptKeyShare', () => {
  for (const [i, prefix] of [
    [12, '0x'],
    [28, ''],
  ] as const) {
    it(`opens every operator's share of event ${i}, hex ${prefix === '' ? 'without' : 'with'} 0x`, () => {
      for (const id of OPERATOR_IDS) {
        const shares = sharesOf(i)
        const plaintext = decryptKeyShare(
          operatorPrivateKey(id),
          shares.ciphertexts.get(id) ?? new Uint8Array(),
        )
        const text = Buffer.from(plaintext ?? []).toString()
        expect(text).to.match(new RegExp(`^${prefix}[0-9a-f]{64}$`))
        const opened = readKeyShare(plaintext ?? new Uint8Array())
        if (opened === undefined) throw new Error('no share')
        expect(toHex(bls.encodePublicKey(opened.publicKey))).to.equal(shares.publicKeys.get(id))
      }
    })
  }

  it('refuses random bytes, a ciphertext for another operator, and other lengths', () => {
    expect(decryptKeyShare(key, sharesOf(16).ciphertexts.get(11n) ?? new Uint8Array())).to.equal(undefined)
    const foreign = sharesOf(12).ciphertexts.get(27n) ?? new Uint8Array()
    expect(decryptKeyShare(key, foreign)).to.equal(undefined)
    for (const length of [0, 255, 257, 512]) {
      expect(decryptKeyShare(key, new Uint8Array(length).fill(1))).to.equal(undefined)
    }
    expect(decryptKeyShare(key, new Uint8Array(256).fill(0xff))).to.equal(undefined)
  })

  it('opens what any library encrypts with PKCS#1 v1.5', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 245 }), (message) => {
        const ciphertext = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, message)
        expect(toHex(decryptKeyShare(key, ciphertext) ?? Uint8Array.of(1, 2))).to.equal(toHex(message))
      }),
      { numRuns: 25 },
    )
  })

  it('opens only what has the padding, whatever the block is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 255, maxLength: 255 }), (rest) => {
        const block = Uint8Array.of(0, ...rest)
        const ciphertext = publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block)
        expect(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext)).to.deep.equal(
          Buffer.from(block),
        )
        expect(decryptKeyShare(key, ciphertext)).to.deep.equal(unpad(block))
      }),
      { numRuns: 25 },
    )
  })
})

describe('unpad', () => {
  it('gives the message behind at least eight bytes of padding', () => {
    fc.assert(
      fc.property(nonZero(8, 200), fc.uint8Array({ maxLength: 80 }), (padding, message) => {
        expect(unpad(padded(padding, message))).to.deep.equal(message)
      }),
    )
  })

  it('refuses shorter padding', () => {
    fc.assert(
      fc.property(nonZero(0, 7), fc.uint8Array({ maxLength: 240 }), (padding, message) => {
        expect(unpad(padded(padding, message))).to.equal(undefined)
      }),
    )
  })

  it('refuses any other beginning', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), nonZero(8, 80), (first, second, padding) => {
        fc.pre(first !== 0 || second !== 2)
        const block = padded(padding, Uint8Array.of(7))
        block.set([first, second])
        expect(unpad(block)).to.equal(undefined)
      }),
    )
  })

  it('refuses a block whose padding never ends', () => {
    fc.assert(
      fc.property(nonZero(0, 254), (padding) => {
        expect(unpad(Uint8Array.of(0, 2, ...padding))).to.equal(undefined)
      }),
    )
  })
})

describe('readKeyShare', () => {
  const read = (text: string) => readKeyShare(Buffer.from(text))

  it('takes scalars in (0, r) alone', () => {
    const r = '73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001'
    const below = `${r.slice(0, -1)}0`
    expect(read(below)).to.not.equal(undefined)
    for (const bad of [
      r,
      'f'.repeat(64),
      '0'.repeat(64),
      '0',
      '',
      '0x',
      'zz',
      `${below} `,
      `0X${below}`,
      `0${below}`,
    ]) {
      expect(read(bad), bad).to.equal(undefined)
    }
  })
})
