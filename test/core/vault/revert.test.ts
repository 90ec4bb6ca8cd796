import { expect } from 'chai'
import { concatHex, encodeAbiParameters } from 'viem'
import type { Hex } from '../../../core/hex.js'
import { describeRevert } from '../../../core/vault/revert.js'

/** What the contracts answer, with a word that a person needs to see in the meaning. */
const ERRORS: readonly [name: string, selector: Hex, meaning: RegExp][] = [
  ['InvalidValidatorsRegistryRoot', '0xdf0d12d5', /another deposit landed first/],
  ['DeadlineExpired', '0x1ab7da6b', /deadline .* passed/],
  ['InvalidOracle', '0x9589a27d', /not of an oracle.*something else.*ascending/],
  ['ECDSAInvalidSignature', '0xf645eedf', /malformed/],
  ['NotEnoughSignatures', '0xe246dc63', /fewer oracles/],
  ['AccessDenied', '0x4ca88867', /validators manager/],
  ['InvalidValidators', '0xe3626798', /bytes/],
  ['InvalidAssets', '0x60dd3f44', /32 to 2048/],
  ['CannotTopUpV1Validators', '0x01b69982', /0x01 cannot be topped up/],
  ['InvalidProof', '0x09bde339', /proof is wrong/],
  ['NotHarvested', '0xe7757151', /two rewards updates behind/],
  ['InvalidRewardsRoot', '0xd526111a', /rewards root/],
  ['InsufficientAssets', '0x96d80433', /too few assets/],
  ['InvalidVault', '0xd03a6320', /does not know this vault/],
]
const errorWith = (reason: string) =>
  concatHex(['0x08c379a0', encodeAbiParameters([{ type: 'string' }], [reason])])
const panic = (code: bigint) => concatHex(['0x4e487b71', encodeAbiParameters([{ type: 'uint256' }], [code])])

describe('a revert', () => {
  for (const [name, selector, meaning] of ERRORS) {
    it(`${selector} is ${name}`, () => {
      const revert = describeRevert(selector)
      expect(revert.name).to.equal(name)
      expect(revert.meaning).to.match(meaning)
    })
  }

  it('with arguments is named too', () => {
    const word = encodeAbiParameters([{ type: 'uint256' }], [64n])
    expect(describeRevert(concatHex(['0xfce698f7', word])).name).to.equal('ECDSAInvalidSignatureLength')
    expect(describeRevert(concatHex(['0xd78bce0c', word])).name).to.equal('ECDSAInvalidSignatureS')
  })

  it('without data is most likely a balance that is too low', () => {
    for (const data of [undefined, '0x'] as const) {
      const { name, meaning } = describeRevert(data)
      expect(name).to.equal('no reason')
      expect(meaning).to.include('balance is too low')
    }
  })

  it('of arithmetic means that the exit queue holds the assets', () => {
    const { name, meaning } = describeRevert(panic(0x11n))
    expect(name).to.equal('Panic(0x11)')
    expect(meaning).to.include('reserved by the exit queue')
  })

  it('of another panic says its code, and nothing of the exit queue', () => {
    const { name, meaning } = describeRevert(panic(0x32n))
    expect(name).to.equal('Panic(0x32)')
    expect(meaning).to.not.include('exit queue')
  })

  it('with a text says the text, in one line and not without end', () => {
    const reason = 'DepositContract: reconstructed DepositData does not match supplied deposit_data_root'
    expect(describeRevert(errorWith(reason))).to.deep.equal({
      name: 'Error',
      meaning: `the contract says: ${reason}`,
    })
    expect(describeRevert(errorWith('two\nlines\u001b[31m')).meaning).to.equal(
      'the contract says: two lines [31m',
    )
    expect(describeRevert(errorWith('x'.repeat(5000))).meaning).to.have.length.below(250)
  })

  for (const data of [
    '0xdeadbeef',
    `0xdeadbeef${'00'.repeat(64)}`,
    '0x12',
    '0x08c379a0',
    '0x4e487b71ff',
  ] as const) {
    it(`${data.slice(0, 20)} is unknown, and shown by its first bytes`, () => {
      expect(describeRevert(data)).to.deep.equal({
        name: data.slice(0, 10),
        meaning: 'an error that this version does not know',
      })
    })
  }
})
