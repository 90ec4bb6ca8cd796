/** Every option of the relayer, with its environment names (those of the Python relayer where it has one). */
import { parseAddress } from '../core/address.js'
import { normalizeHex } from '../core/hex.js'
import { networkOptions } from '../core/network-options.js'
import { flag, integer, list, type Option, type OptionSet, text } from '../core/options.js'
import { oracleOptions } from '../core/oracles/options.js'
import { limitOptions } from './limit-options.js'

export const databaseOption = {
  flag: 'database',
  env: ['DATABASE'],
  describe: 'the relayer’s SQLite file, made where it is not there',
  default: 'relayer.db',
  placeholder: 'FILE',
  parse: text,
} as const satisfies Option<string>

const database = {
  database: databaseOption,
  keyFile: {
    flag: 'key-file',
    env: ['RELAYER_KEY_FILE'],
    describe:
      'key that the stored shares are encrypted with, made where it is not there, apart from the database; ~/.dvt-exit/relayer.key unless given',
    placeholder: 'FILE',
    parse: text,
  },
} as const satisfies OptionSet

const oracles = {
  ...oracleOptions,
  acceptOracles: {
    flag: 'accept-oracles',
    env: ['ACCEPT_ORACLES'],
    describe:
      'hash of the set of oracles that you have checked; the relayer prints it and waits at the first start',
    placeholder: 'HASH',
    parse: (value: string) => normalizeHex(value, 32),
  },
} as const satisfies OptionSet

const clusters = {
  signatureThreshold: {
    flag: 'signature-threshold',
    env: ['SIGNATURE_THRESHOLD'],
    describe: 'how many shares make a signature, for validators of no given cluster',
    placeholder: 'N',
    parse: integer(1, 1000),
  },
  clusterLockFiles: {
    flag: 'cluster-lock-files',
    env: ['CLUSTER_LOCK_FILES'],
    describe: 'Obol cluster locks, comma-separated: a wrong share is then known at once',
    placeholder: 'FILES',
    parse: list,
  },
  ssvClusters: {
    flag: 'ssv-clusters',
    env: ['SSV_CLUSTERS'],
    describe:
      'SSV clusters: keyshares.json files, or owners’ addresses to follow on the chain, comma-separated',
    placeholder: 'FILES',
    parse: list,
  },
} as const satisfies OptionSet

const registrations = {
  vaults: {
    flag: 'vaults',
    env: ['VAULTS'],
    describe:
      'vaults that /register, /fund, /withdraw and /consolidate are answered for, comma-separated; without it for none',
    placeholder: 'ADDRESSES',
    parse: (value: string) => list(value).map(parseAddress),
  },
  publicKeysFile: {
    flag: 'public-keys-file',
    env: ['PUBLIC_KEYS_FILE'],
    describe:
      'validators to choose from at /register, CSV whose first column holds their keys; without a list those of the given clusters',
    placeholder: 'FILE',
    parse: text,
  },
  depositDataFile: {
    flag: 'deposit-data',
    env: ['DEPOSIT_DATA_FILE'],
    describe:
      'deposit data file whose validators are chosen from at /register, each for the vault that it names',
    placeholder: 'FILE',
    parse: text,
  },
  validatorsManagerKeyFile: {
    flag: 'validators-manager-key-file',
    env: ['VALIDATORS_MANAGER_KEY_FILE'],
    describe: 'the vaults’ validators manager’s key, a Web3 Secret Storage file',
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
} as const satisfies OptionSet

const http = {
  host: {
    flag: 'host',
    env: ['RELAYER_HOST'],
    describe: 'address to listen on; beyond loopback an operator token or --open is needed',
    default: '127.0.0.1',
    placeholder: 'ADDRESS',
    parse: text,
  },
  port: {
    flag: 'port',
    env: ['RELAYER_PORT'],
    describe: 'port to listen on; 0: any that is free',
    default: '8000',
    placeholder: 'PORT',
    parse: integer(0, 65_535),
  },
  tlsCertFile: {
    flag: 'tls-cert-file',
    env: ['RELAYER_TLS_CERT_FILE'],
    describe: 'certificate chain, PEM: serves https',
    placeholder: 'FILE',
    parse: text,
  },
  tlsKeyFile: {
    flag: 'tls-key-file',
    env: ['RELAYER_TLS_KEY_FILE'],
    describe: 'the certificate’s private key, PEM',
    placeholder: 'FILE',
    parse: text,
  },
  tlsClientCaFile: {
    flag: 'tls-client-ca-file',
    env: ['RELAYER_TLS_CLIENT_CA_FILE'],
    describe:
      'authority’s certificate, PEM: only callers with a certificate signed by it can connect at all, local ones too; tokens count as before',
    placeholder: 'FILE',
    parse: text,
  },
} as const satisfies OptionSet

const access = {
  open: {
    flag: 'open',
    env: ['RELAYER_OPEN'],
    describe: 'lets anyone who reaches the port read, post and ask for exits without a token',
    default: 'false',
    switch: true,
    parse: flag,
  },
  allowedHosts: {
    flag: 'allowed-hosts',
    env: ['RELAYER_ALLOWED_HOSTS'],
    describe: 'host names to answer to beside loopback’s, comma-separated (those of a proxy in front)',
    placeholder: 'NAMES',
    parse: (value: string) => list(value).map((name) => name.toLowerCase()),
  },
  requireTokensForReading: {
    flag: 'require-tokens-for-reading',
    env: ['RELAYER_REQUIRE_TOKENS_FOR_READING'],
    describe: 'from elsewhere, the list of exits needs a token too',
    default: 'false',
    switch: true,
    parse: flag,
  },
  requireTokensForPosting: {
    flag: 'require-tokens-for-posting',
    env: ['RELAYER_REQUIRE_TOKENS_FOR_POSTING'],
    describe: 'from elsewhere, posting shares needs a token too',
    default: 'false',
    switch: true,
    parse: flag,
  },
  allowPlainHttpTokens: {
    flag: 'allow-plain-http-tokens',
    env: ['RELAYER_ALLOW_PLAIN_HTTP_TOKENS'],
    describe: 'takes tokens over plain HTTP from other machines too, where anyone on the way can read them',
    default: 'false',
    switch: true,
    parse: flag,
  },
  corsOrigins: {
    flag: 'cors-origins',
    env: ['RELAYER_CORS_ORIGINS'],
    describe:
      'web pages of other sites that may call, by their exact origins (https://console.example), comma-separated; what they do counts as from elsewhere',
    placeholder: 'ORIGINS',
    parse: (value: string) => list(value).map(parseOrigin),
  },
  trustProxy: {
    flag: 'trust-proxy',
    env: ['RELAYER_TRUST_PROXY'],
    describe:
      'the proxy on this machine writes its caller’s address last into X-Forwarded-For, so limits count by it; without this all callers behind a proxy count as one, but for those with a token',
    default: 'false',
    switch: true,
    parse: flag,
  },
} as const satisfies OptionSet

export const relayerOptions = {
  ...networkOptions,
  ...database,
  ...http,
  ...access,
  ...clusters,
  ...registrations,
  ...oracles,
  ...limitOptions,
} as const satisfies OptionSet

/** As a browser writes it: scheme, host, and port where it is not the scheme's own. */
function parseOrigin(value: string): string {
  const origin = /^https?:\/\/[^*]+$/.test(value) && URL.canParse(value) ? new URL(value).origin : undefined
  if (origin !== undefined && origin === value.toLowerCase()) return origin
  // The text is not repeated: a URL may carry a password.
  throw new Error(
    `expected exact origins like https://console.example, without path and never *${origin === undefined ? '' : `; write ${origin}`}`,
  )
}
