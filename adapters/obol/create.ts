import { ConfigurationError, ConfigurationErrors, DvtExitError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import { required, type Values } from '../../core/options.js'
import { progressBar } from '../../core/progress.js'
import type { ExitSigner } from '../../core/signer.js'
import { KeyShareDecryptor } from './key-shares.js'
import { filesBeside, type NodeFiles } from './node.js'
import { obolOptions } from './options.js'
import { ObolSigner } from './signer.js'

/**
 * Makes the signer of one Charon node, or one for each node of a template.
 * @throws ConfigurationError, ConfigurationErrors
 */
export async function createObolSigners(
  values: Values<typeof obolOptions>,
  { network, logger }: { readonly network: Network; readonly logger: Logger },
): Promise<ExitSigner[]> {
  const decryptor = new KeyShareDecryptor()
  const signers: ExitSigner[] = []
  const errors: DvtExitError[] = []
  for (const files of nodesOf(values)) {
    try {
      const progress = progressBar(`keystores of ${files.keystoresDir}`)
      signers.push(await ObolSigner.create(files, { network, logger, decryptor, progress }))
    } catch (error) {
      if (error instanceof ConfigurationErrors) errors.push(...error.errors)
      else if (error instanceof DvtExitError) errors.push(error)
      else throw error
    }
  }
  if (errors.length === 0) return signers
  await Promise.all(signers.map((signer) => signer.close()))
  throw new ConfigurationErrors(errors)
}

function nodesOf(values: Values<typeof obolOptions>): NodeFiles[] {
  const strictness = { allowIncomplete: values.allowIncomplete, strictLock: values.strictLock }
  if (values.keystoresDirTemplate === undefined) {
    const keystoresDir = required(values.keystoresDir, obolOptions.keystoresDir)
    return [
      {
        ...nodeFiles(keystoresDir, values.clusterLockFile),
        ...strictness,
        expectedNodeIndex: values.nodeIndex,
      },
    ]
  }
  const template = values.keystoresDirTemplate
  if (!template.includes('{node_index}')) {
    throw new ConfigurationError(
      'INVALID_TEMPLATE',
      `OBOL_KEYSTORES_DIR_TEMPLATE ${template} lacks {node_index}`,
    )
  }
  return required(values.nodeIndexes, obolOptions.nodeIndexes).map((index) => ({
    ...nodeFiles(template.replaceAll('{node_index}', String(index)), values.clusterLockFile),
    ...strictness,
    expectedNodeIndex: index,
  }))
}

function nodeFiles(keystoresDir: string, clusterLockFile: string | undefined) {
  const beside = filesBeside(keystoresDir)
  return clusterLockFile === undefined ? beside : { ...beside, clusterLockFile }
}
