import { expect } from 'chai'
import type { DepositDataEntry } from '../../../core/deposits/deposit-data.js'
import { ConfigurationError } from '../../../core/errors.js'
import { type ValidatorType, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { loadNetwork } from '../../../core/network.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { isUsable, VaultDeposits } from '../../../operator/deposit-data/vault-deposits.js'
import { bareEntry, hoodi, signedEntry, VAULT } from '../signed-entries.js'

const OTHER_VAULT = `0x${'12'.repeat(20)}` as const
const ETH = 1_000_000_000n

function checked(entries: readonly DepositDataEntry[], validatorType?: ValidatorType, network = hoodi) {
  const deposits = new VaultDeposits(entries, {
    network,
    vault: VAULT,
    validatorType,
    source: 'deposits.json',
  })
  return deposits.check(entries.map((_, position) => position))
}

/** The type of each entry, or what is wrong with it. */
const verdicts = (...question: Parameters<typeof checked>) =>
  checked(...question).map((entry) => (isUsable(entry) ? entry.type : entry.problem))

describe('an entry of the deposit data', () => {
  it('that fits the vault has its type, its place and its bytes', () => {
    const one = signedEntry('one')
    const two = signedEntry('two', { type: '0x02', amount: 64n * ETH })
    const [first, second] = checked([one, two])
    expect(first).to.deep.equal({
      position: 0,
      type: '0x01',
      deposit: one,
      bytes: validatorBytes('0x01', one),
    })
    expect(second).to.deep.equal({
      position: 1,
      type: '0x02',
      deposit: two,
      bytes: validatorBytes('0x02', two),
    })
  })

  it('without withdrawal credentials has the type that its signature is for', () => {
    const entries = [
      bareEntry('bare'),
      bareEntry('bare 0x02', { type: '0x02' }),
      bareEntry('more', { type: '0x02', amount: 33n * ETH }),
    ]
    expect(verdicts(entries)).to.deep.equal(['0x01', '0x02', '0x02'])
    const [, second] = checked(entries)
    expect(second).to.have.nested.property(
      'deposit.withdrawalCredentials',
      withdrawalCredentials('0x02', VAULT),
    )
  })

  for (const [what, amount, expected] of [
    ['less than 32 ETH of 0x01', 32n * ETH - 1n, 'exactly 32000000000'],
    ['more than 32 ETH of 0x01', 32n * ETH + 1n, 'exactly 32000000000'],
    ['one Gwei of a deposit', ETH, 'exactly 32000000000'],
  ] as const) {
    it(`with ${what} is refused, its amount named`, () => {
      expect(verdicts([signedEntry('amount', { amount })])).to.deep.equal([
        `its amount is ${amount} Gwei, expected ${expected}`,
      ])
    })
  }

  it('of 0x02 has 32 to 2048 ETH', () => {
    const amounts = [32n * ETH, 1945n * ETH + 7n, 2048n * ETH, 32n * ETH - 1n, 2048n * ETH + 1n]
    const entries = amounts.map((amount) => signedEntry(`of ${amount}`, { type: '0x02', amount }))
    expect(verdicts(entries)).to.deep.equal([
      '0x02',
      '0x02',
      '0x02',
      `its amount is ${32n * ETH - 1n} Gwei, expected 32000000000 to 2048000000000`,
      `its amount is ${2048n * ETH + 1n} Gwei, expected 32000000000 to 2048000000000`,
    ])
  })

  it('of another vault is refused among good ones', () => {
    const foreign = signedEntry('foreign', { vault: OTHER_VAULT })
    expect(verdicts([signedEntry('one'), foreign])).to.deep.equal([
      '0x01',
      `its withdrawal credentials ${foreign.withdrawalCredentials} are not this vault's`,
    ])
  })

  it('whose stake would go to a BLS key is refused', () => {
    const entry = { ...signedEntry('bls'), withdrawalCredentials: `0x00${'ab'.repeat(31)}` as const }
    expect(verdicts([signedEntry('one'), entry])[1]).to.match(/credentials 0x00abab.* are not this vault's/)
  })

  it('with a wrong signature is refused: of another message, vault, network, or no point at all', () => {
    const good = signedEntry('one')
    const wrong = 'its deposit signature does not verify for this vault and network'
    const entries = [
      good,
      { ...signedEntry('two'), signature: signedEntry('two', { amount: 31n * ETH }).signature },
      { ...signedEntry('three'), signature: signedEntry('three', { vault: OTHER_VAULT }).signature },
      signedEntry('four', { network: loadNetwork('mainnet') }),
      bareEntry('five', { vault: OTHER_VAULT }),
      { ...signedEntry('six'), signature: `0x${'00'.repeat(96)}` as const },
      { ...signedEntry('seven'), publicKey: `0x${'ff'.repeat(48)}` as const },
      signedEntry('eight'),
    ]
    expect(verdicts(entries)).to.deep.equal(['0x01', wrong, wrong, wrong, wrong, wrong, wrong, '0x01'])
  })

  it('whose credentials say another type than its signature is refused', () => {
    const entry = signedEntry('two', { type: '0x02' })
    const claimed = { ...entry, withdrawalCredentials: withdrawalCredentials('0x01', VAULT) }
    expect(verdicts([claimed])).to.deep.equal([
      'its deposit signature does not verify for this vault and network',
    ])
  })

  it('of another type than VALIDATOR_TYPE is refused', () => {
    const entries = [signedEntry('one'), signedEntry('two', { type: '0x02' }), bareEntry('three')]
    expect(verdicts(entries, '0x01')).to.deep.equal([
      '0x01',
      'it is of type 0x02, VALIDATOR_TYPE is 0x01',
      '0x01',
    ])
    const [first, second, third] = verdicts(entries, '0x02')
    expect([first, second]).to.deep.equal(['it is of type 0x01, VALIDATOR_TYPE is 0x02', '0x02'])
    expect(third).to.include('signature does not verify')
  })

  it('fits or not however the check is divided, and in whatever order', () => {
    const entries = [
      signedEntry('one'),
      signedEntry('wrong', { network: loadNetwork('mainnet') }),
      signedEntry('three', { type: '0x02' }),
    ]
    const all = checked(entries)
    const deposits = new VaultDeposits(entries, {
      network: hoodi,
      vault: VAULT,
      validatorType: undefined,
      source: 'deposits.json',
    })
    expect(deposits.check([2])).to.deep.equal([all[2]])
    expect(deposits.check([1, 0, 2])).to.deep.equal([all[1], all[0], all[2]])
    expect(deposits.check([])).to.deep.equal([])
  })
})

describe('deposit data that is all for another vault', () => {
  it('is a mistake in the configuration', () => {
    const entries = ['one', 'two'].map((name) => signedEntry(name, { vault: OTHER_VAULT }))
    expect(() => checked(entries))
      .to.throw(ConfigurationError, /deposits\.json is for another vault.*0x0100.*1212.*0xba447498DC/)
      .with.property('code', 'INVALID_DEPOSIT_DATA')
  })

  it('may be of this one where it does not say', () => {
    expect(verdicts([bareEntry('one')])).to.deep.equal(['0x01'])
  })
})
