import { relayerClientOptions } from '../../core/clients/relayer-options.js'
import { networkOptions } from '../../core/network-options.js'
import { flag, integer, type OptionSet, text } from '../../core/options.js'
import { oracleOptions } from '../../core/oracles/options.js'

/** The options of `operator collect`. */
export const collectOptions = {
  depositData: {
    flag: 'deposit-data',
    env: ['DEPOSIT_DATA_FILE'],
    describe: 'deposit data file, as Charon, ssv-dkg or staking-deposit-cli writes it',
    placeholder: 'FILE',
    parse: text,
  },
  count: {
    flag: 'count',
    env: ['COLLECT_COUNT'],
    describe: 'how many validators',
    placeholder: 'N',
    parse: integer(1, 10_000),
  },
  start: {
    flag: 'start',
    env: ['COLLECT_START'],
    describe: 'the first validator’s position in the file, from 0',
    default: '0',
    placeholder: 'I',
    parse: integer(0, 100_000_000),
  },
  out: {
    flag: 'out',
    env: ['COLLECT_OUT'],
    describe: 'file to write what was collected to, as JSON; it is replaced whole',
    placeholder: 'FILE',
    parse: text,
  },
  uncheckedIndex: {
    flag: 'unchecked-index',
    env: ['UNCHECKED_INDEX'],
    describe: 'believe the relayer’s count of the next validator’s index, and ask no node of your own',
    default: 'false',
    switch: true,
    parse: flag,
  },
  ...relayerClientOptions,
  ...networkOptions,
  ...oracleOptions,
} as const satisfies OptionSet
