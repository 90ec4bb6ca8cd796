import { expect } from 'chai'
import { recoverMessageAddress } from 'viem'
import type { Hex } from '../../../core/hex.js'
import { normalizeSignature } from '../../../operator/approvals/signature.js'
import { oracleAccount } from './oracle-double.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const word = (value: bigint) => value.toString(16).padStart(64, '0')
const signature = (r: bigint, s: bigint, v: number): Hex =>
  `0x${word(r)}${word(s)}${v.toString(16).padStart(2, '0')}`

describe('an oracle’s signature', () => {
  it('may have v as 0 or 1, which become 27 and 28', () => {
    expect(normalizeSignature(signature(5n, 6n, 0))).to.equal(signature(5n, 6n, 27))
    expect(normalizeSignature(signature(5n, 6n, 1))).to.equal(signature(5n, 6n, 28))
    expect(normalizeSignature(signature(5n, 6n, 27))).to.equal(signature(5n, 6n, 27))
    expect(normalizeSignature(signature(5n, ORDER / 2n, 28))).to.equal(signature(5n, ORDER / 2n, 28))
  })

  it('stays the same signature', async () => {
    const account = oracleAccount(1)
    for (let i = 0; i < 4; i++) {
      const given = await account.signMessage({ message: `${i}` })
      const parity = Number.parseInt(given.slice(-2), 16) - 27
      const normal = normalizeSignature(`${given.slice(0, -2) as Hex}0${parity}`)
      expect(await recoverMessageAddress({ message: `${i}`, signature: normal })).to.equal(account.address)
    }
  })

  for (const [what, r, s, v] of [
    ['s is in the upper half, though it recovers', 5n, ORDER / 2n + 1n, 27],
    ['s is 0', 5n, 0n, 27],
    ['s is the order', 5n, ORDER, 27],
    ['r is 0', 0n, 6n, 27],
    ['r is the order', ORDER, 6n, 27],
    ['v is 2', 5n, 6n, 2],
    ['v is 29', 5n, 6n, 29],
  ] as const) {
    it(`is refused where ${what}`, () => {
      expect(() => normalizeSignature(signature(r, s, v)))
        .to.throw()
        .with.property('code', 'MALFORMED_SIGNATURE')
    })
  }
})
