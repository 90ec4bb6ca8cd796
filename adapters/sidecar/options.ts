import { parseAddress } from '../../core/address.js'
import { relayerClientOptions, seconds } from '../../core/clients/relayer-options.js'
import { describeError } from '../../core/errors.js'
import { type Hex, normalizeHex, type PublicKeyHex } from '../../core/hex.js'
import { networkOptions } from '../../core/network-options.js'
import { flag, integer, list, type OptionSet, oneOf, text } from '../../core/options.js'

/** Whose nodes a sidecar stands beside. */
export type Vendor = 'obol' | 'ssv'

/** The options of every sidecar, whatever its vendor. */
export const sidecarOptions = {
  clusterType: {
    flag: 'cluster-type',
    env: ['CLUSTER_TYPE'],
    describe: 'obol or ssv, where the command does not name it',
    placeholder: 'VENDOR',
    parse: (value: string): Vendor => oneOf('obol', 'ssv')(value.toLowerCase() as Vendor),
  },
  ...relayerClientOptions,
  ...networkOptions,
  pollInterval: {
    flag: 'poll-interval',
    env: ['POLL_INTERVAL'],
    describe: 'how often the wanted exits are asked for, in seconds',
    default: '2',
    placeholder: 'SECONDS',
    parse: seconds,
  },
  uncheckedExits: {
    flag: 'unchecked-exits',
    env: ['UNCHECKED_EXITS'],
    describe:
      'without a beacon node: sign whatever the relayer asks for, also what ends a validator that is active',
    default: 'false',
    switch: true,
    parse: flag,
  },
  allowActive: {
    flag: 'allow-active',
    env: ['ALLOW_ACTIVE'],
    describe: 'validators whose exits are signed although they are on the beacon chain (may be repeated)',
    default: '',
    placeholder: 'KEY,…',
    parse: (value: string): ReadonlySet<PublicKeyHex> => new Set(list(value).map(publicKey)),
  },
  sidecarVaults: {
    flag: 'sidecar-vaults',
    env: ['SIDECAR_VAULTS'],
    describe:
      'vaults that deposits may be signed for, comma-separated; without it those that the cluster lock names, with SSV none',
    placeholder: 'ADDRESSES',
    parse: vaults,
  },
  auditLog: {
    flag: 'audit-log',
    env: ['AUDIT_LOG'],
    describe: 'file to which every signature and refusal is noted, never the signature itself',
    default: 'dvt-exit-audit.log',
    placeholder: 'FILE',
    parse: text,
  },
  maxExitsPerHour: {
    flag: 'max-exits-per-hour',
    env: ['MAX_EXITS_PER_HOUR'],
    describe: 'new exits that are signed in an hour; the rest waits',
    default: '1000',
    placeholder: 'N',
    parse: integer(1, 1_000_000),
  },
} as const satisfies OptionSet

function vaults(value: string): ReadonlySet<Hex> {
  const addresses = list(value).map(parseAddress)
  if (addresses.length === 0) throw new Error('expected at least one address')
  return new Set(addresses)
}

function publicKey(value: string): PublicKeyHex {
  try {
    return normalizeHex(value, 48)
  } catch (error) {
    throw new Error(`expected BLS public keys: ${describeError(error)}`)
  }
}
