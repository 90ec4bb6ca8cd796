import { ConfigurationError, ConfigurationErrors, DvtExitError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import { required, type Values } from '../../core/options.js'
import { type Progress, progressBar } from '../../core/progress.js'
import type { ExitSigner } from '../../core/signer.js'
import { KeyShareDecryptor } from './key-shares.js'
import { filesBeside, type NodeFiles } from './node.js'
import { obolOptions } from './options.js'
import { ObolSigner } from './signer.js'

const PLACEHOLDER = '{node_index}'

export interface ObolContext {
  readonly network: Network
  readonly logger: Logger
  /** Called while keystores are decrypted; by default a bar on a terminal, else lines of the log. */
  readonly progress?: Progress
  /** Stops loading. */
  readonly signal?: AbortSignal
}

/**
 * Makes the signer of one Charon node, or one for each node of a template. Each is to be closed.
 * @returns no signer at all where the signal was aborted before that
 * @throws ConfigurationError, ConfigurationErrors with everything that is wrong with the files of all nodes
 */
export async function createObolSigners(
  values: Values<typeof obolOptions>,
  context: ObolContext,
): Promise<ExitSigner[]> {
  const { network, logger, signal } = context
  const isAborted = () => signal?.aborted === true
  const signers: ExitSigner[] = []
  const errors: DvtExitError[] = []
  for (const files of nodesOf(values)) {
    if (isAborted()) break
    const label = `keystores of ${files.keystoresDir}`
    const progress = context.progress ?? progressBar(label, process.stderr, (line) => logger.info(line))
    const parts = { network, logger, decryptor: new KeyShareDecryptor() }
    try {
      signers.push(await ObolSigner.create(files, parts, { progress, signal }))
    } catch (error) {
      if (isAborted()) break
      if (error instanceof ConfigurationErrors) errors.push(...error.errors)
      else if (error instanceof DvtExitError) errors.push(error)
      else throw error
    }
  }
  if (errors.length === 0 && !isAborted()) return signers
  await Promise.all(signers.map((signer) => signer.close()))
  if (isAborted()) return []
  throw new ConfigurationErrors(errors)
}

function nodesOf(values: Values<typeof obolOptions>): NodeFiles[] {
  const { keystoresDirTemplate: template, clusterLockFile } = values
  const strictness = { allowIncomplete: values.allowIncomplete, strictLock: values.strictLock }
  if (template === undefined) {
    const keystoresDir = required(values.keystoresDir, obolOptions.keystoresDir)
    const files = nodeFiles(keystoresDir, clusterLockFile)
    return [{ ...files, ...strictness, expectedNodeIndex: values.nodeIndex }]
  }
  if (!template.includes(PLACEHOLDER)) {
    throw new ConfigurationError(
      'INVALID_TEMPLATE',
      `OBOL_KEYSTORES_DIR_TEMPLATE ${template} lacks ${PLACEHOLDER}`,
      { hint: `Put ${PLACEHOLDER} where the directories differ` },
    )
  }
  return required(values.nodeIndexes, obolOptions.nodeIndexes).map((index) => {
    const filled = (path: string) => path.replaceAll(PLACEHOLDER, String(index))
    const files = nodeFiles(
      filled(template),
      clusterLockFile === undefined ? undefined : filled(clusterLockFile),
    )
    return { ...files, ...strictness, expectedNodeIndex: index }
  })
}

function nodeFiles(keystoresDir: string, clusterLockFile: string | undefined) {
  const beside = filesBeside(keystoresDir)
  return clusterLockFile === undefined ? beside : { ...beside, clusterLockFile }
}
