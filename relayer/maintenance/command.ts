/** `dvt-exit relayer backup|restore|verify`. */
import { DvtExitError } from '../../core/errors.js'
import { loadNetwork } from '../../core/network.js'
import { required, type Values } from '../../core/options.js'
import {
  loadProtocolConfigFile,
  type ProtocolConfig,
  readProtocolConfig,
} from '../../core/oracles/protocol-config.js'
import { defaultKeyFile, loadKey } from '../store/key-file.js'
import { ShareCipher } from '../store/share-cipher.js'
import { backUp } from './backup.js'
import type { KnownOracles } from './check-oracle-parts.js'
import { readContents } from './contents.js'
import { backupOptions, restoreOptions, type verifyOptions } from './options.js'
import { restore } from './restore.js'
import { type Verification, verify } from './verify.js'

/** Where the commands write what the user asked for; standard output. */
type Write = (text: string) => void
const toStandardOutput: Write = (text) => void process.stdout.write(text)

/** Writes a backup. Throws as backUp does, and ConfigurationError MISSING_OPTION. */
export async function runBackup(
  values: Values<typeof backupOptions>,
  _context?: unknown,
  write: Write = toStandardOutput,
): Promise<void> {
  const file = required(values.file, backupOptions.file)
  const bytes = await backUp(values.database, file)
  write(`${file}: ${bytes} bytes, ${values.database} as it is now. The key file is not in it\n`)
}

/** Makes a backup the database. Throws as restore does, and ConfigurationError MISSING_OPTION. */
export async function runRestore(
  values: Values<typeof restoreOptions>,
  _context?: unknown,
  write: Write = toStandardOutput,
): Promise<void> {
  const { database, replaceDatabase: replace } = values
  const file = required(values.file, restoreOptions.file)
  const former = await restore({ file, database, replace, now: new Date() })
  if (former !== undefined) write(`${former}: the database that was there before\n`)
  write(
    `${database}: restored from ${file}. Look at \`dvt-exit relayer token list\`: tokens revoked since are good again\n`,
  )
}

/**
 * Checks the database, also while the relayer runs, and writes a line for each problem, or what there is.
 * @throws DvtExitError DATABASE_FAULTY where there is a problem; as readContents does; ConfigurationError for the
 *   network, the key file or the config file
 */
export async function runVerify(
  values: Values<typeof verifyOptions>,
  _context?: unknown,
  write: Write = toStandardOutput,
): Promise<void> {
  const network = loadNetwork(values.network, values.networkConfigFile)
  const cipher = new ShareCipher(loadKey(values.keyFile ?? defaultKeyFile()))
  const contents = await readContents(values.database)
  const config =
    values.protocolConfigFile === undefined
      ? keptConfig(contents.oracles)
      : loadProtocolConfigFile(values.protocolConfigFile)
  const { problems, counts } = verify(contents, { cipher, network, oracles: knownOracles(config) })
  for (const problem of problems) write(`${problem}\n`)
  if (problems.length === 0) return write(describe(values.database, counts))
  throw new DvtExitError('DATABASE_FAULTY', `${values.database} has ${problems.length} problems`, {
    hint: 'Stop the relayer, keep the file, and put back a backup; what is wrong is collected again',
  })
}

/** The config that the relayer follows the Keeper with. */
function keptConfig(kept: unknown): ProtocolConfig | undefined {
  const { config } = (kept ?? {}) as { readonly config?: unknown }
  return typeof config === 'string' ? readProtocolConfig(Buffer.from(config), 'the kept config') : undefined
}

function knownOracles(config: ProtocolConfig | undefined): KnownOracles | undefined {
  if (config === undefined) return undefined
  const { setHash, oracles, exitSignatureRecoverThreshold: threshold } = config
  return { setHash, count: oracles.length, threshold }
}

function describe(database: string, counts: Verification['counts']): string {
  return [
    `${database}: all is well`,
    `${counts.exits} exits, ${counts.parts} times split for the oracles`,
    `${counts.deposits} deposits, ${counts.depositSignatures} of them signed`,
    `${counts.shares} shares, ${counts.verifiedShares} of them verified under their public shares`,
    `${counts.claimedSharings} sets of public shares that sidecars claim`,
  ]
    .join('\n  ')
    .concat('\n')
}
