/** Everything that one Charon node's directory says, loaded and checked in one go. */
import { dirname, join } from 'node:path'
import { assertLockNetwork, type ClusterLock, parseClusterLock } from '../../core/clusters/cluster-lock.js'
import { unreadableFile } from '../../core/clusters/unreadable-file.js'
import { ConfigurationError } from '../../core/errors.js'
import { fromHex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { Progress } from '../../core/progress.js'
import type { KeyShareDecryptor } from './key-shares.js'
import { diskReader, type FileReader, readKeystores } from './keystore-files.js'
import { enrComplaint, identifyNode, missingShares, type NodeIdentity } from './node-identity.js'

/** Where a node's files are, and how strictly they are taken. */
export interface NodeFiles {
  readonly keystoresDir: string
  readonly clusterLockFile: string
  /** Charon's secp256k1 key of this node; it need not be there. */
  readonly enrKeyFile: string
  readonly expectedNodeIndex: number | undefined
  readonly allowIncomplete: boolean
  readonly strictLock: boolean
}

/** The files of a node whose keystores are in a directory, where Charon puts them. */
export function filesBeside(
  keystoresDir: string,
): Pick<NodeFiles, 'keystoresDir' | 'clusterLockFile' | 'enrKeyFile'> {
  const home = dirname(join(keystoresDir, '.'))
  return {
    keystoresDir,
    clusterLockFile: join(home, 'cluster-lock.json'),
    enrKeyFile: join(home, 'charon-enr-private-key'),
  }
}

export interface LoadedNode extends NodeIdentity {
  /** undefined where it could not be used; the reason is in the errors. */
  readonly lock: ClusterLock | undefined
  readonly warnings: readonly string[]
}

export interface LoadContext {
  readonly network: Network
  readonly decryptor: KeyShareDecryptor
  readonly files?: FileReader
  readonly progress?: Progress
}

/** Loads a node. Everything that is wrong is in the errors; what is good is loaded all the same. */
export async function loadNode(node: NodeFiles, context: LoadContext): Promise<LoadedNode> {
  const files = context.files ?? diskReader
  const [lock, lockErrors] = await loadLock(node, context.network, files)
  const listing = await readKeystores(node.keystoresDir, files)
  const decrypted = await context.decryptor.decryptAll(listing.keystores, context.progress)
  const errors = [...lockErrors, ...listing.errors, ...decrypted.errors]
  if (lock === undefined) return { lock, nodeIndex: undefined, placed: new Map(), errors, warnings: [] }
  const identity = identifyNode(decrypted.shares, lock, node.clusterLockFile, node.expectedNodeIndex)
  errors.push(...identity.errors)
  if (!node.allowIncomplete) {
    const announced = new Set(listing.keystores.map(({ keystore }) => keystore.publicKey))
    errors.push(...missingShares(lock, identity, announced, node.keystoresDir))
  }
  const enrError = await checkEnrKey(node, identity, lock, files)
  if (enrError !== undefined) errors.push(enrError)
  return { lock, nodeIndex: identity.nodeIndex, placed: identity.placed, errors, warnings: lock.warnings }
}

async function loadLock(
  node: NodeFiles,
  network: Network,
  files: FileReader,
): Promise<[ClusterLock | undefined, ConfigurationError[]]> {
  const file = node.clusterLockFile
  try {
    const text = await files.read(file).catch((cause: unknown) => {
      throw unreadableFile('cluster lock', file, cause)
    })
    const lock = await parseClusterLock(text, file, { strict: node.strictLock })
    assertLockNetwork(lock, network, file)
    return [lock, []]
  } catch (error) {
    if (error instanceof ConfigurationError) return [undefined, [error]]
    throw error
  }
}

/** The key is private to Charon's user: where it cannot be read, the keystores alone say which node this is. */
async function checkEnrKey(node: NodeFiles, identity: NodeIdentity, lock: ClusterLock, files: FileReader) {
  if (identity.nodeIndex === undefined) return undefined
  const text = await files.read(node.enrKeyFile).catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return enrComplaint(fromHex(text.trim(), 32), node.enrKeyFile, identity.nodeIndex, lock)
  } catch {
    return new ConfigurationError('INVALID_ENR_KEY', `${node.enrKeyFile} does not hold 32 bytes of hex`)
  }
}
