/** The options that name the network and its nodes, the same for every part. */
import { type OptionSet, text, urls } from './options.js'

export const networkOptions = {
  network: {
    flag: 'network',
    env: ['NETWORK'],
    describe: 'mainnet, hoodi or gnosis, or a name of your own with a network config file',
    placeholder: 'NAME',
    parse: text,
  },
  networkConfigFile: {
    flag: 'network-config-file',
    env: ['NETWORK_CONFIG_FILE'],
    describe: 'JSON file that describes the network (a devnet, a fork)',
    placeholder: 'FILE',
    parse: text,
  },
  executionEndpoints: {
    flag: 'execution-endpoints',
    env: ['EXECUTION_ENDPOINTS', 'EXECUTION_ENDPOINT'],
    describe: 'execution nodes’ JSON-RPC, comma-separated, tried in turn',
    placeholder: 'URLS',
    parse: urls,
  },
  consensusEndpoints: {
    flag: 'consensus-endpoints',
    env: ['CONSENSUS_ENDPOINTS', 'CONSENSUS_ENDPOINT'],
    describe: 'beacon nodes’ API, comma-separated, tried in turn',
    placeholder: 'URLS',
    parse: urls,
  },
} as const satisfies OptionSet
