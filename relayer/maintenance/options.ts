/** Options of `relayer backup`, `restore` and `verify`. */
import { flag, type OptionSet, text } from '../../core/options.js'
import { databaseOption, relayerOptions } from '../options.js'

export const backupOptions = {
  database: databaseOption,
  file: {
    flag: 'file',
    env: ['BACKUP_FILE'],
    describe: 'the backup; the flag itself may be left out',
    placeholder: 'FILE',
    parse: text,
  },
} as const satisfies OptionSet

export const restoreOptions = {
  ...backupOptions,
  replaceDatabase: {
    flag: 'replace-database',
    env: ['RELAYER_REPLACE_DATABASE'],
    describe: 'takes the place of a database that is there, which is kept beside it under another name',
    default: 'false',
    switch: true,
    parse: flag,
  },
} as const satisfies OptionSet

export const verifyOptions = {
  network: relayerOptions.network,
  networkConfigFile: relayerOptions.networkConfigFile,
  database: databaseOption,
  keyFile: relayerOptions.keyFile,
  protocolConfigFile: relayerOptions.protocolConfigFile,
} as const satisfies OptionSet
