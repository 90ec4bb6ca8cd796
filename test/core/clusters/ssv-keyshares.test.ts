import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { modulo } from '../../../core/bls/lagrange.js'
import { secretFromScalar } from '../../../core/bls/threshold.js'
import { loadKeyshares } from '../../../core/clusters/ssv-keyshares.js'
import { ConfigurationError } from '../../../core/errors.js'
import { type Hex, toHex } from '../../../core/hex.js'
import { stringifyJson } from '../../../core/json.js'
import { EXPECTED, SSV_FIXTURE } from './ssv-fixture.js'

interface Payload {
  publicKey: string
  operatorIds: (number | bigint)[]
  sharesData: string
}

const otherKey = EXPECTED.validators[0]?.publicKey ?? ''

describe('loadKeyshares', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyshares-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const write = (content: unknown): string => {
    const file = join(folder, 'keyshares.json')
    writeFileSync(file, typeof content === 'string' ? content : stringifyJson(content))
    return file
  }
  const edited = (edit: (payload: Payload) => unknown): string => {
    const content = JSON.parse(readFileSync(`${SSV_FIXTURE}dkg/keyshares.json`, 'utf8'))
    edit(content.shares[0].payload)
    return write(content)
  }
  const failure = (file: string): ConfigurationError => {
    try {
      loadKeyshares(file)
    } catch (error) {
      if (error instanceof ConfigurationError) return error
      throw error
    }
    throw new Error('it was loaded')
  }

  for (const [file, names] of [
    ['keyshares/keyshares-V1-readd-nonce3.json', ['V1']],
    ['dkg/keyshares.json', ['V2']],
  ] as const) {
    it(`reads the public shares of ${file}`, () => {
      const validators = loadKeyshares(SSV_FIXTURE + file)
      expect(validators).to.have.length(names.length)
      for (const [i, name] of names.entries()) {
        const golden = EXPECTED.validators.find((validator) => validator.name === name)
        expect(validators[i]?.publicKey).to.equal(golden?.publicKey)
        expect(validators[i]?.threshold).to.equal(3)
        for (const [id, keys] of Object.entries(EXPECTED.finalByOperator)) {
          const share = keys[golden?.publicKey ?? '0x']?.sharePublicKey
          expect(validators[i]?.shares.get(BigInt(id))).to.equal(share)
        }
        expect(validators[i]?.source).to.contain(file)
      }
    })
  }

  it('reads several validators of one file', () => {
    const validators = loadKeyshares(`${SSV_FIXTURE}keyshares/keyshares-V0-V1-nonce1-2.json`)
    const [v0, v1] = EXPECTED.validators
    expect(validators.map(({ publicKey }) => publicKey)).to.deep.equal([v0?.publicKey, v1?.publicKey])
  })

  for (const [n, threshold] of [
    [4, 3],
    [7, 5],
    [10, 7],
    [13, 9],
  ] as const) {
    it(`takes ${threshold} of ${n}, with operator ids beyond 2^53`, () => {
      const coefficients = Array.from({ length: threshold }, (_, i) => 12_345n + BigInt(i) ** 9n)
      const publicKeyAt = (x: bigint): Hex => {
        const value = coefficients.reduceRight((sum, coefficient) => modulo(sum * x + coefficient), 0n)
        return toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(value))))
      }
      const operatorIds = Array.from({ length: n }, (_, i) => 2n ** 64n - 100n + BigInt(7 * i))
      const shares = operatorIds.map((id) => publicKeyAt(id).slice(2)).join('')
      const sharesData = `0x${'ab'.repeat(96)}${shares}${'cd'.repeat(256 * n)}`
      const payload = { publicKey: publicKeyAt(0n), operatorIds, sharesData }
      const [validator] = loadKeyshares(write({ version: 'v1.1.0', shares: [{ payload }] }))
      expect(validator?.threshold).to.equal(threshold)
      expect([...(validator?.shares.keys() ?? [])]).to.deep.equal(operatorIds)
    })
  }

  const refused: readonly [string, () => string, RegExp][] = [
    ['text that is not JSON', () => write('{'), /not JSON/],
    ['a file without shares', () => write({ version: 'v1.1.0', shares: [] }), /shares/],
    ['another file of JSON', () => write([{ pubkey: '00' }]), /object/],
    [
      'three operators',
      () => edited((payload) => payload.operatorIds.pop()),
      /4, 7, 10 or 13 operators, this one 3/,
    ],
    ['an operator twice', () => edited(({ operatorIds }) => operatorIds.fill(11, 0, 2)), /named twice/],
    ['an operator 0', () => edited(({ operatorIds }) => operatorIds.fill(0, 0, 1)), /operatorIds.0/],
    ['other operators', () => edited(({ operatorIds }) => operatorIds.fill(28, 1, 2)), /not a sharing/],
    [
      'shares cut short',
      () => edited((payload) => (payload.sharesData = payload.sharesData.slice(0, -2))),
      /length/,
    ],
    ['shares that are not hex', () => edited((payload) => (payload.sharesData += 'g0')), /hex/],
    ['the shares of another key', () => edited((payload) => (payload.publicKey = otherKey)), /not a sharing/],
    [
      'a key that is no point',
      () => edited((payload) => (payload.publicKey = 'ff'.repeat(48))),
      /not a sharing/,
    ],
  ]
  for (const [what, make, reason] of refused) {
    it(`refuses ${what}, naming the file`, () => {
      const error = failure(make())
      expect(error.code).to.equal('INVALID_KEYSHARES')
      expect(error.message).to.match(reason).and.contain(join(folder, 'keyshares.json'))
    })
  }

  it('says when the file is not there', () => {
    const error = failure(join(folder, 'none.json'))
    expect(error.code).to.equal('UNREADABLE_FILE')
    expect(error.message).to.contain('none.json')
    expect(error.hint).to.match(/name/)
  })
})
