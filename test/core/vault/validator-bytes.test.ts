import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parseDepositData } from '../../../core/deposits/deposit-data.js'
import { type Hex, toHex } from '../../../core/hex.js'
import { depositDataRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { isAmbiguousLength, sendableCount, validatorBytes } from '../../../core/vault/validator-bytes.js'

const VAULT: Hex = '0xba447498DC4c169f2b4f427B2c4D532320457E89'
const PUBLIC_KEY: Hex = `0x${'11'.repeat(48)}`
const SIGNATURE: Hex = `0x${'22'.repeat(96)}`
const FIXTURES = new URL('../../fixtures/', import.meta.url)

const deposit = (type: '0x01' | '0x02', amount: bigint) => ({
  publicKey: PUBLIC_KEY,
  signature: SIGNATURE,
  amount,
  withdrawalCredentials: withdrawalCredentials(type, VAULT),
})
const rootOf = (type: '0x01' | '0x02', amount: bigint) =>
  toHex(depositDataRoot(deposit(type, amount), new Uint8Array(96).fill(0x22))).slice(2)

describe('a validator’s bytes', () => {
  it('of type 0x01 are key, signature and deposit data root', () => {
    const bytes = validatorBytes('0x01', deposit('0x01', 32_000_000_000n))
    expect(bytes).to.equal(`${PUBLIC_KEY}${SIGNATURE.slice(2)}${rootOf('0x01', 32_000_000_000n)}`)
    expect(bytes).to.have.length(2 + 2 * 176)
  })

  for (const [amount, inGwei] of [
    [32_000_000_000n, '0000000773594000'],
    [64_000_000_001n, '0000000ee6b28001'],
    [2_048_000_000_000n, '000001dcd6500000'],
  ] as const) {
    it(`of type 0x02 have the amount of ${amount} Gwei after them, the highest byte first`, () => {
      const bytes = validatorBytes('0x02', deposit('0x02', amount))
      expect(bytes).to.equal(`${PUBLIC_KEY}${SIGNATURE.slice(2)}${rootOf('0x02', amount)}${inGwei}`)
      expect(bytes).to.have.length(2 + 2 * 184)
    })
  }

  for (const file of ['obol/obol-4n3t-hoodi/node0/deposit-data.json', 'ssv/ssv-4op/dkg/deposit_data.json']) {
    it(`carry the root that ${file} says`, async () => {
      const content = await readFile(new URL(file, FIXTURES), 'utf8')
      const raw = JSON.parse(content) as { pubkey: string; signature: string; deposit_data_root: string }[]
      const entries = parseDepositData(content, file)
      expect(entries).to.have.length.above(0)
      for (const [i, { withdrawalCredentials: credentials, ...entry }] of entries.entries()) {
        const item = raw[i]
        expect(validatorBytes('0x01', { ...entry, withdrawalCredentials: credentials ?? '0x' })).to.equal(
          `0x${item?.pubkey}${item?.signature}${item?.deposit_data_root}`,
        )
      }
    })
  }
})

describe('the length of several validators', () => {
  for (const [type, other, step] of [
    ['0x01', 184, 23],
    ['0x02', 176, 22],
  ] as const) {
    it(`of type ${type} is ambiguous at every ${step}th, and at no other`, () => {
      const counts = Array.from({ length: 100 }, (_, i) => i + 1)
      expect(counts.filter((count) => isAmbiguousLength(type, count))).to.deep.equal(
        counts.filter((count) => count % step === 0),
      )
      const one = (validatorBytes(type, deposit(type, 32_000_000_000n)).length - 2) / 2
      for (const count of counts) {
        expect(isAmbiguousLength(type, count)).to.equal((one * count) % other === 0)
      }
    })
  }

  for (const [type, count, expected] of [
    ['0x01', 0, 0],
    ['0x01', 5, 5],
    ['0x01', 23, 22],
    ['0x01', 46, 45],
    ['0x02', 22, 21],
    ['0x02', 23, 23],
    ['0x02', 44, 43],
  ] as const) {
    it(`of type ${type}: of ${count}, ${expected} go at once`, () => {
      expect(sendableCount(type, count)).to.equal(expected)
    })
  }
})
