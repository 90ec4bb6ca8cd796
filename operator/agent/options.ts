import { relayerClientOptions, seconds } from '../../core/clients/relayer-options.js'
import { networkOptions } from '../../core/network-options.js'
import { flag, integer, type OptionSet, oneOf, text } from '../../core/options.js'
import { oracleOptions } from '../../core/oracles/options.js'
import { address, depositAmount, gwei, validatorBalance } from './option-values.js'

/** What says which vault, where its chain is, and where the agent's database is. */
export const placeOptions = {
  vault: {
    flag: 'vault',
    env: ['VAULT'],
    describe: 'the vault’s address',
    placeholder: 'ADDRESS',
    parse: address,
  },
  database: {
    flag: 'database',
    env: ['DATABASE'],
    describe: 'the operator’s SQLite file, made where it is not there',
    default: 'operator.db',
    placeholder: 'FILE',
    parse: text,
  },
  ...networkOptions,
  ...oracleOptions,
} as const satisfies OptionSet

/** The same with what says which validators are registered. */
const vaultOptions = {
  ...placeOptions,
  depositData: {
    flag: 'deposit-data',
    env: ['DEPOSIT_DATA_FILE'],
    describe:
      'deposit data file, as Charon, ssv-dkg or staking-deposit-cli writes it, read again when it changes; with dialect 4 of the relayer it only says which keys may be registered, and may be left out',
    placeholder: 'FILE',
    parse: text,
  },
  validatorType: {
    flag: 'validator-type',
    env: ['VALIDATOR_TYPE'],
    describe:
      'register validators of this type alone, 0x01 or 0x02; without it each entry’s own, with dialect 4 of the relayer 0x01',
    placeholder: 'TYPE',
    parse: oneOf('0x01', '0x02'),
  },
  minValidatorsRegistration: {
    flag: 'min-validators-registration',
    env: ['MIN_VALIDATORS_REGISTRATION'],
    describe: 'wait until the vault can register so many validators at once',
    default: '1',
    placeholder: 'N',
    parse: integer(1, 10_000),
  },
} as const satisfies OptionSet

/** Who signs and pays. */
export const keyOptions = {
  walletFile: {
    flag: 'wallet-file',
    env: ['WALLET_FILE', 'HOT_WALLET_FILE'],
    describe: 'the wallet that sends the transactions, a Web3 Secret Storage file',
    placeholder: 'FILE',
    parse: text,
  },
  walletPasswordFile: {
    flag: 'wallet-password-file',
    env: ['WALLET_PASSWORD_FILE', 'HOT_WALLET_PASSWORD_FILE'],
    describe: 'file with the wallet’s password',
    placeholder: 'FILE',
    parse: text,
  },
  validatorsManagerKeyFile: {
    flag: 'validators-manager-key-file',
    env: ['VALIDATORS_MANAGER_KEY_FILE'],
    describe:
      'the validators manager’s key, a Web3 Secret Storage file; without it the wallet is the manager',
    placeholder: 'FILE',
    parse: text,
  },
  validatorsManagerPasswordFile: {
    flag: 'validators-manager-password-file',
    env: ['VALIDATORS_MANAGER_PASSWORD_FILE'],
    describe: 'file with the password of the validators manager’s key',
    placeholder: 'FILE',
    parse: text,
  },
  maxFeePerGas: {
    flag: 'max-fee-per-gas-gwei',
    env: ['MAX_FEE_PER_GAS_GWEI'],
    describe: 'wait while gas costs as much or more, in Gwei; without it 10, on Gnosis 2',
    placeholder: 'GWEI',
    parse: gwei,
  },
} as const satisfies OptionSet

/** The options of `operator`. */
export const operatorOptions = {
  ...vaultOptions,
  ...relayerClientOptions,
  relayerDialect: {
    flag: 'relayer-dialect',
    env: ['RELAYER_DIALECT'],
    describe:
      '4: the relayer chooses the validators and signs as the vault’s validators manager; 1: the deposit data says which; auto: 4 where the relayer’s manager is the vault’s',
    default: 'auto',
    placeholder: 'DIALECT',
    parse: oneOf('auto', '1', '4'),
  },
  publicKeysFile: {
    flag: 'public-keys-file',
    env: ['PUBLIC_KEYS_FILE'],
    describe:
      'CSV file whose first column lists public keys, read at the start: with dialect 4 of the relayer no others are registered',
    placeholder: 'FILE',
    parse: text,
  },
  maxValidatorBalance: {
    flag: 'max-validator-balance-gwei',
    env: ['MAX_VALIDATOR_BALANCE_GWEI'],
    describe:
      'most that a 0x02 validator gets with dialect 4, or is topped up to, in Gwei; without it 1945 ETH, on Gnosis 1800 mGNO',
    placeholder: 'GWEI',
    parse: validatorBalance,
  },
  minDepositAmount: {
    flag: 'min-deposit-amount-gwei',
    env: ['MIN_DEPOSIT_AMOUNT_GWEI'],
    describe: 'least that a 0x02 validator is topped up with, in Gwei',
    default: '10000000000',
    placeholder: 'GWEI',
    parse: depositAmount,
  },
  minDepositDelay: {
    flag: 'min-deposit-delay',
    env: ['MIN_DEPOSIT_DELAY'],
    describe: 'how long after a top-up of the vault’s validators the next one follows, in seconds',
    default: '3600',
    placeholder: 'SECONDS',
    parse: integer(0, 31_536_000),
  },
  disableValidatorsFunding: {
    flag: 'disable-validators-funding',
    env: ['DISABLE_VALIDATORS_FUNDING'],
    describe: 'top no validators up; else, with VALIDATOR_TYPE=0x02, they come before new ones',
    default: 'false',
    switch: true,
    parse: flag,
  },
  vaultFirstBlock: {
    flag: 'vault-first-block',
    env: ['VAULT_FIRST_BLOCK'],
    describe:
      'the block that the vault was made in, from which its validators are read; without it the Keeper’s',
    placeholder: 'BLOCK',
    parse: integer(0, Number.MAX_SAFE_INTEGER),
  },
  ...keyOptions,
  pollInterval: {
    flag: 'poll-interval',
    env: ['POLL_INTERVAL'],
    describe: 'how often the vault is looked at, in seconds; without it once a slot',
    placeholder: 'SECONDS',
    parse: seconds,
  },
  dryRun: {
    flag: 'dry-run',
    env: ['DRY_RUN'],
    describe: 'do everything up to the transaction, print it and end',
    default: 'false',
    switch: true,
    parse: flag,
  },
} as const satisfies OptionSet

/** The options of `operator status` and `operator validators`. */
export const viewOptions = {
  ...vaultOptions,
  json: {
    flag: 'json',
    env: ['OUTPUT_JSON'],
    describe: 'print JSON',
    default: 'false',
    switch: true,
    parse: flag,
  },
} as const satisfies OptionSet
