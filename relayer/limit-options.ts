/** How much the relayer takes of whom, as options. */
import { integer, type OptionSet } from '../core/options.js'
import { DEFAULT_LIMITS } from './limits.js'

export const limitOptions = {
  validatorLifetime: {
    flag: 'validator-lifetime',
    env: ['VALIDATOR_LIFETIME'],
    describe: 'seconds after which an exit that nobody asks for is dropped',
    default: '3600',
    placeholder: 'SECONDS',
    parse: integer(1, 31_536_000),
  },
  maxExits: {
    flag: 'max-exits',
    env: ['RELAYER_MAX_EXITS'],
    describe: 'exits kept at once',
    default: '10000',
    placeholder: 'N',
    parse: integer(1, 1_000_000),
  },
  maxBodyBytes: {
    flag: 'max-body-bytes',
    env: ['RELAYER_MAX_BODY_BYTES'],
    describe: 'bytes of one request’s body',
    default: '4194304',
    placeholder: 'BYTES',
    parse: integer(1024, 67_108_864),
  },
  maxKeysPerRequest: {
    flag: 'max-keys-per-request',
    env: ['RELAYER_MAX_KEYS_PER_REQUEST'],
    describe: 'public keys in one POST /validators',
    default: '1000',
    placeholder: 'N',
    parse: integer(1, 100_000),
  },
  maxSharesPerRequest: {
    flag: 'max-shares-per-request',
    env: ['RELAYER_MAX_SHARES_PER_REQUEST'],
    describe: 'shares in one POST /exit-signature',
    default: '2000',
    placeholder: 'N',
    parse: integer(1, 100_000),
  },
  maxConnections: {
    flag: 'max-connections',
    env: ['RELAYER_MAX_CONNECTIONS'],
    describe: 'connections at once',
    default: '1000',
    placeholder: 'N',
    parse: integer(1, 100_000),
  },
  maxConnectionsPerAddress: {
    flag: 'max-connections-per-address',
    env: ['RELAYER_MAX_CONNECTIONS_PER_ADDRESS'],
    describe: 'connections at once of one address beyond this machine (of IPv6 a /64)',
    default: '250',
    placeholder: 'N',
    parse: integer(1, 100_000),
  },
  maxTrials: {
    flag: 'max-trials',
    env: ['RELAYER_MAX_TRIALS'],
    describe:
      'subsets of shares of one caller that are tried at once, and again each minute, for validators whose public shares are not known; four times as many for one exit',
    default: String(DEFAULT_LIMITS.maxTrials),
    placeholder: 'N',
    parse: integer(1, 1_000_000),
  },
  maxSetsPerKey: {
    flag: 'max-sets-per-key',
    env: ['RELAYER_MAX_SETS_PER_KEY'],
    describe: 'sets of public shares that one caller may claim of a validator',
    default: String(DEFAULT_LIMITS.maxSetsPerKey),
    placeholder: 'N',
    parse: integer(1, 16),
  },
  maxRequestsPerSecond: {
    flag: 'max-requests-per-second',
    env: ['RELAYER_MAX_REQUESTS_PER_SECOND'],
    describe:
      'requests a second of one caller, which is a token, else an address (of IPv6 a /64; see --trust-proxy); four times as many at once after a pause. A body counts as one more for each 128 KiB',
    default: '100',
    placeholder: 'N',
    parse: integer(1, 1_000_000),
  },
} as const satisfies OptionSet
