import { relayerClientOptions } from '../../core/clients/relayer-options.js'
import { flag, integer, list, type OptionSet } from '../../core/options.js'
import { publicKeyField } from '../../core/wire/fields.js'
import { wholeGwei } from '../agent/option-values.js'
import { keyOptions, placeOptions } from '../agent/options.js'

/** Public keys, comma-separated. */
export const publicKeys = (value: string) => {
  const keys = list(value).map((text) => {
    const key = publicKeyField.safeParse(text).data
    if (key === undefined) throw new Error(`expected public keys of 48 bytes, got "${text}"`)
    return key
  })
  if (keys.length === 0) throw new Error('expected at least one public key')
  return keys
}

const requestOptions = {
  ...placeOptions,
  ...relayerClientOptions,
  ...keyOptions,
  yes: {
    flag: 'yes',
    env: ['ASSUME_YES'],
    describe: 'do not ask before the transaction is sent',
    default: 'false',
    switch: true,
    parse: flag,
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

/** The options of `operator withdraw`. */
export const withdrawOptions = {
  publicKeys: {
    flag: 'public-keys',
    env: ['WITHDRAW_PUBLIC_KEYS'],
    describe: 'the validators, comma-separated',
    placeholder: 'KEYS',
    parse: publicKeys,
  },
  amount: {
    flag: 'amount',
    env: ['WITHDRAW_AMOUNT_GWEI'],
    describe: 'what each of them gives back, in Gwei; 0: all, it exits',
    placeholder: 'GWEI',
    parse: wholeGwei,
  },
  maxRequestFee: {
    flag: 'max-withdrawal-request-fee-gwei',
    env: ['MAX_WITHDRAWAL_REQUEST_FEE_GWEI'],
    describe: 'most that the chain may charge for one validator’s withdrawal, in Gwei',
    default: '1000',
    placeholder: 'GWEI',
    parse: integer(0, 1_000_000_000),
  },
  ...requestOptions,
} as const satisfies OptionSet

/** The options of `operator consolidate`. */
export const consolidateOptions = {
  sourcePublicKeys: {
    flag: 'source-public-keys',
    env: ['CONSOLIDATE_SOURCE_PUBLIC_KEYS'],
    describe: 'the validators whose balances move, comma-separated',
    placeholder: 'KEYS',
    parse: publicKeys,
  },
  targetPublicKeys: {
    flag: 'target-public-key',
    env: ['CONSOLIDATE_TARGET_PUBLIC_KEY'],
    describe:
      'the compounding validator that gets them, or one for each source, comma-separated; a 0x01 validator that is its own target becomes compounding',
    placeholder: 'KEYS',
    parse: publicKeys,
  },
  maxRequestFee: {
    flag: 'max-consolidation-request-fee-gwei',
    env: ['MAX_CONSOLIDATION_REQUEST_FEE_GWEI'],
    describe: 'most that the chain may charge for one consolidation, in Gwei',
    default: '1000',
    placeholder: 'GWEI',
    parse: integer(0, 1_000_000_000),
  },
  ...requestOptions,
} as const satisfies OptionSet
