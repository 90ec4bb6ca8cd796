import { seconds } from '../../core/clients/relayer-options.js'
import type { Hex } from '../../core/hex.js'
import { list, type OptionSet, text } from '../../core/options.js'
import { Secret } from '../../core/secret.js'

/** Options of a sidecar beside an SSV node. */
export const ssvOptions = {
  operatorKeyFile: {
    flag: 'ssv-operator-key-file',
    env: ['SSV_OPERATOR_KEY_FILE'],
    describe: "the operator's encrypted_private_key.json, or its private key as base64 of a PEM",
    placeholder: 'FILE',
    parse: text,
  },
  operatorPasswordFile: {
    flag: 'ssv-operator-password-file',
    env: ['SSV_OPERATOR_PASSWORD_FILE'],
    describe: 'the password of the operator key file',
    placeholder: 'FILE',
    parse: text,
  },
  operatorKey: {
    flag: 'operator-key',
    env: ['OPERATOR_KEY'],
    describe:
      "instead of the key file: the operator's unencrypted private key as base64 of a PEM, or a file that holds it (set the variable: other users can see flags)",
    placeholder: 'KEY',
    parse: (value: string) => new Secret(value),
  },
  operatorId: {
    flag: 'ssv-operator-id',
    env: ['SSV_OPERATOR_ID'],
    describe: 'which operator this is: not needed, an error where the key belongs to another',
    placeholder: 'ID',
    parse: operatorId,
  },
  owners: {
    flag: 'ssv-owners',
    env: ['SSV_OWNERS'],
    describe:
      'addresses that register the validators, comma-separated: only theirs are read, so the first start is quick',
    placeholder: 'ADDRESS,…',
    parse: (value: string): ReadonlySet<Hex> => new Set(list(value).map(address)),
  },
  database: {
    flag: 'database',
    env: ['DATABASE'],
    describe: 'file that keeps what was read of SSVNetwork',
    default: 'ssv-sidecar.db',
    placeholder: 'FILE',
    parse: text,
  },
  ssvPollInterval: {
    flag: 'ssv-poll-interval',
    env: ['SSV_POLL_INTERVAL'],
    describe: "how often SSVNetwork's events are read, in seconds",
    default: '60',
    placeholder: 'SECONDS',
    parse: seconds,
  },
  operatorKeyFileTemplate: {
    flag: 'ssv-operator-key-file-template',
    env: ['SSV_OPERATOR_KEY_FILE_TEMPLATE'],
    describe: 'several operators in one process, for testing: the key file with {operator_id} in it',
    placeholder: 'FILE',
    parse: text,
  },
  operatorPasswordFileTemplate: {
    flag: 'ssv-operator-password-file-template',
    env: ['SSV_OPERATOR_PASSWORD_FILE_TEMPLATE'],
    describe: 'the password file with {operator_id} in it',
    placeholder: 'FILE',
    parse: text,
  },
  operatorIds: {
    flag: 'ssv-operator-ids',
    env: ['SSV_OPERATOR_IDS'],
    describe: 'the operator ids that go into the templates, comma-separated',
    placeholder: 'ID,…',
    parse: (value: string) => list(value).map(operatorId),
  },
} as const satisfies OptionSet

function operatorId(value: string): bigint {
  const id = /^\d{1,20}$/.test(value) ? BigInt(value) : 0n
  if (id >= 1n && id < 2n ** 64n) return id
  throw new Error(`expected an operator id from 1 to 2^64 - 1, got "${value}"`)
}

function address(value: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(value)) return value.toLowerCase() as Hex
  throw new Error(`expected addresses, got "${value}"`)
}
