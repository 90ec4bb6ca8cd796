import { expect } from 'chai'
import { ConfigurationError, ConfigurationErrors, describeError } from '../../../core/errors.js'
import { readOptions } from '../../../core/options.js'
import { address, gwei } from '../../../operator/agent/option-values.js'
import { operatorOptions, viewOptions } from '../../../operator/agent/options.js'
import { consolidateOptions, withdrawOptions } from '../../../operator/requests/options.js'

const CHECKSUMMED = '0xba447498DC4c169f2b4f427B2c4D532320457E89'
const read = (env: Record<string, string>) => readOptions(operatorOptions, { flags: {}, env })

/** The message of a value that is not taken. */
function refusal(env: Record<string, string>): string {
  try {
    read(env)
  } catch (error) {
    expect(error).to.satisfy(
      (thrown: unknown) => thrown instanceof ConfigurationError || thrown instanceof ConfigurationErrors,
    )
    return describeError(error)
  }
  throw new Error('it was taken')
}

describe('an address', () => {
  it('is taken with its checksum, or in lower case, and has its checksum then', () => {
    expect(address(CHECKSUMMED)).to.equal(CHECKSUMMED)
    expect(address(CHECKSUMMED.toLowerCase())).to.equal(CHECKSUMMED)
  })

  for (const [value, message] of [
    [CHECKSUMMED.replace('DC4c', 'dc4c'), /checksum of 0xba447498dc4c.* is wrong/],
    [CHECKSUMMED.slice(0, -1), /expected an address of 20 bytes/],
    [`${CHECKSUMMED}00`, /expected an address of 20 bytes/],
    [CHECKSUMMED.slice(2), /expected an address of 20 bytes/],
    ['vault.eth', /expected an address of 20 bytes, got "vault\.eth"/],
    ['', /expected an address/],
  ] as const) {
    it(`is not ${JSON.stringify(value)}`, () => {
      expect(() => address(value)).to.throw(message)
    })
  }
})

describe('an amount of Gwei', () => {
  for (const [value, wei] of [
    ['10', 10_000_000_000n],
    ['2.5', 2_500_000_000n],
    ['0.000000001', 1n],
    ['0.1', 100_000_000n],
    ['123456789.123456789', 123_456_789_123_456_789n],
  ] as const) {
    it(`${value} is ${wei} wei`, () => {
      expect(gwei(value)).to.equal(wei)
    })
  }

  for (const value of [
    '0',
    '0.0',
    '-1',
    '1e3',
    '1,5',
    'ten',
    '',
    ' ',
    '.5',
    '5.',
    '0x10',
    '1.0000000001',
    '1234567890',
  ]) {
    it(`is not ${JSON.stringify(value)}`, () => {
      expect(() => gwei(value)).to.throw(`expected Gwei, more than 0, got "${value}"`)
    })
  }
})

describe('the operator’s options', () => {
  it('have values that need no setting', () => {
    expect(read({})).to.include({
      vault: undefined,
      validatorType: undefined,
      maxFeePerGas: undefined,
      pollInterval: undefined,
      minValidatorsRegistration: 1,
      database: 'operator.db',
      dryRun: false,
      relayerDialect: 'auto',
      publicKeysFile: undefined,
      maxValidatorBalance: undefined,
      minDepositAmount: 10_000_000_000n,
      minDepositDelay: 3600,
      disableValidatorsFunding: false,
    })
  })

  it('say how compounding validators are filled under the Python operator’s names', () => {
    const values = read({
      MAX_VALIDATOR_BALANCE_GWEI: '2048000000000',
      MIN_DEPOSIT_AMOUNT_GWEI: '1000000000',
      MIN_DEPOSIT_DELAY: '0',
      DISABLE_VALIDATORS_FUNDING: 'true',
      VAULT_FIRST_BLOCK: '21471524',
      PUBLIC_KEYS_FILE: 'keys.csv',
      RELAYER_DIALECT: '4',
    })
    expect(values).to.include({
      maxValidatorBalance: 2_048_000_000_000n,
      minDepositAmount: 1_000_000_000n,
      minDepositDelay: 0,
      disableValidatorsFunding: true,
      vaultFirstBlock: 21_471_524,
      publicKeysFile: 'keys.csv',
      relayerDialect: '4',
    })
  })

  it('are read from the environment', () => {
    const values = read({
      VAULT: CHECKSUMMED.toLowerCase(),
      EXECUTION_ENDPOINTS: 'http://127.0.0.1:1,http://127.0.0.1:2/',
      CONSENSUS_ENDPOINTS: 'http://127.0.0.1:3',
      RELAYER_ENDPOINT: 'http://127.0.0.1:4',
      DEPOSIT_DATA_FILE: 'deposits.json',
      WALLET_FILE: 'wallet.json',
      WALLET_PASSWORD_FILE: 'wallet.txt',
      VALIDATORS_MANAGER_KEY_FILE: 'manager.json',
      VALIDATORS_MANAGER_PASSWORD_FILE: 'manager.txt',
      MAX_FEE_PER_GAS_GWEI: '2.5',
      MIN_VALIDATORS_REGISTRATION: '4',
      VALIDATOR_TYPE: '0x02',
      POLL_INTERVAL: '5',
      DRY_RUN: 'true',
    })
    expect(values).to.include({
      vault: CHECKSUMMED,
      depositData: 'deposits.json',
      walletFile: 'wallet.json',
      walletPasswordFile: 'wallet.txt',
      validatorsManagerKeyFile: 'manager.json',
      validatorsManagerPasswordFile: 'manager.txt',
      maxFeePerGas: 2_500_000_000n,
      minValidatorsRegistration: 4,
      validatorType: '0x02',
      pollInterval: 5_000,
      dryRun: true,
    })
    expect(values.executionEndpoints).to.deep.equal(['http://127.0.0.1:1', 'http://127.0.0.1:2'])
    expect(values.consensusEndpoints).to.deep.equal(['http://127.0.0.1:3'])
  })

  it('take the wallet under the Python operator’s names', () => {
    expect(read({ HOT_WALLET_FILE: 'wallet.json', HOT_WALLET_PASSWORD_FILE: 'wallet.txt' })).to.include({
      walletFile: 'wallet.json',
      walletPasswordFile: 'wallet.txt',
    })
  })

  for (const [name, value, message] of [
    ['VAULT', '0x1234', /^VAULT: expected an address of 20 bytes, got "0x1234"$/],
    ['MAX_FEE_PER_GAS_GWEI', 'cheap', /^MAX_FEE_PER_GAS_GWEI: expected Gwei/],
    ['MIN_VALIDATORS_REGISTRATION', '0', /^MIN_VALIDATORS_REGISTRATION: expected an integer from 1/],
    ['VALIDATOR_TYPE', '0x03', /^VALIDATOR_TYPE: expected one of 0x01, 0x02, got "0x03"$/],
    ['RELAYER_DIALECT', '2', /^RELAYER_DIALECT: expected one of auto, 1, 4, got "2"$/],
    ['MAX_VALIDATOR_BALANCE_GWEI', '31999999999', /^MAX_VALIDATOR_BALANCE_GWEI: expected 32000000000 to/],
    ['MAX_VALIDATOR_BALANCE_GWEI', '2048000000001', /to 2048000000000 Gwei, got "2048000000001"$/],
    ['MAX_VALIDATOR_BALANCE_GWEI', '64.5', /expected a whole number of Gwei, got "64\.5"$/],
    ['MIN_DEPOSIT_AMOUNT_GWEI', '999999999', /^MIN_DEPOSIT_AMOUNT_GWEI: expected at least 1000000000 Gwei/],
    ['MIN_DEPOSIT_DELAY', '-1', /^MIN_DEPOSIT_DELAY: expected an integer from 0/],
    ['EXECUTION_ENDPOINTS', 'localhost:8545', /^EXECUTION_ENDPOINTS: expected an http/],
    ['POLL_INTERVAL', 'often', /^POLL_INTERVAL: /],
    ['DRY_RUN', 'maybe', /^DRY_RUN: expected true or false, got "maybe"$/],
  ] as const) {
    it(`refuse ${name}=${value} in one line`, () => {
      const text = refusal({ [name]: value })
      expect(text).to.match(message).and.to.not.include('\n')
    })
  }

  it('name every wrong value at once', () => {
    const lines = refusal({ VAULT: 'x', VALIDATOR_TYPE: 'x', MAX_FEE_PER_GAS_GWEI: '0' }).split('\n')
    expect(lines.map((line) => line.split(':')[0])).to.deep.equal([
      'VAULT',
      'VALIDATOR_TYPE',
      'MAX_FEE_PER_GAS_GWEI',
    ])
  })

  it('of withdrawals and consolidations name validators by their whole keys', () => {
    const [a, b] = [`0x${'AA'.repeat(48)}`, 'bb'.repeat(48)]
    const env = { WITHDRAW_PUBLIC_KEYS: `${a}, ${b}`, WITHDRAW_AMOUNT_GWEI: '0' }
    expect(readOptions(withdrawOptions, { flags: {}, env })).to.deep.include({
      publicKeys: [a.toLowerCase(), `0x${b}`],
      amount: 0n,
      maxRequestFee: 1000,
      yes: false,
    })
    const flags = { 'source-public-keys': a, 'target-public-key': b.slice(2) }
    expect(() => readOptions(consolidateOptions, { flags, env: {} })).to.throw(
      /^--target-public-key: expected public keys of 48 bytes, got "b+"$/,
    )
  })

  it('of the views can be JSON', () => {
    expect(readOptions(viewOptions, { flags: { json: true }, env: {} })).to.include({ json: true })
    expect(readOptions(viewOptions, { flags: {}, env: {} })).to.include({ json: false })
  })
})
