/** The options that say who the oracles are, the same for relayer and operator. */
import { type OptionSet, text, urls } from '../options.js'

export const oracleOptions = {
  protocolConfigFile: {
    flag: 'protocol-config-file',
    env: ['PROTOCOL_CONFIG_FILE'],
    describe: 'the oracles’ config as a file: neither Keeper nor IPFS is asked then',
    placeholder: 'FILE',
    parse: text,
  },
  ipfsFetchEndpoints: {
    flag: 'ipfs-fetch-endpoints',
    env: ['IPFS_FETCH_ENDPOINTS'],
    describe:
      'IPFS gateways for the oracles’ config, comma-separated, tried in turn; what comes is checked against its content id',
    default: 'https://stakewise-v3.infura-ipfs.io,https://gateway.pinata.cloud,https://ipfs.io',
    placeholder: 'URLS',
    parse: urls,
  },
} as const satisfies OptionSet
