/** Everything that one Charon node's directory says, loaded and checked in one go. */
import { join } from 'node:path'
import { assertLockNetwork, type ClusterLock, parseClusterLock } from '../../core/clusters/cluster-lock.js'
import { unreadableFile } from '../../core/clusters/unreadable-file.js'
import { ConfigurationError } from '../../core/errors.js'
import { fromHex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { DecryptOptions, KeyShareDecryptor } from './key-shares.js'
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
  return {
    keystoresDir,
    clusterLockFile: join(keystoresDir, '..', 'cluster-lock.json'),
    enrKeyFile: join(keystoresDir, '..', 'charon-enr-private-key'),
  }
}

export interface LoadedNode extends NodeIdentity {
  /** undefined where it could not be used; the reason is in the errors. */
  readonly lock: ClusterLock | undefined
  /** Every keystore that is there, usable or not; undefined where the directory could not be read. */
  readonly keystoreFiles: ReadonlySet<string> | undefined
  readonly warnings: readonly string[]
}

export interface LoadContext {
  readonly network: Network
  readonly decryptor: KeyShareDecryptor
  readonly files?: FileReader | undefined
}

/**
 * Loads a node. Everything that is wrong is in the errors; what is good is loaded all the same. When the signal
 * is aborted, what was loaded by then.
 */
export async function loadNode(
  node: NodeFiles,
  { network, decryptor, files = diskReader }: LoadContext,
  options: DecryptOptions = {},
): Promise<LoadedNode> {
  const [lock, lockErrors] = await loadLock(node, network, files)
  const listing = await readKeystores(node.keystoresDir, files)
  const decrypted = await decryptor.decryptAll(listing.keystores, options)
  const errors = [...lockErrors, ...listing.errors, ...decrypted.errors]
  const keystoreFiles = listing.files
  if (lock === undefined) {
    return { lock, keystoreFiles, nodeIndex: undefined, placed: new Map(), errors, warnings: [] }
  }
  const identity = identifyNode(decrypted.shares, lock, node.clusterLockFile, node.expectedNodeIndex)
  errors.push(...identity.errors)
  if (!node.allowIncomplete) {
    errors.push(...missingShares(lock, identity, listing.announced, node))
  }
  const enrError = await checkEnrKey(node, identity, lock, files)
  if (enrError !== undefined) errors.push(enrError)
  return { ...identity, lock, keystoreFiles, errors, warnings: lock.warnings }
}

async function loadLock(
  node: NodeFiles,
  network: Network,
  files: FileReader,
): Promise<[ClusterLock | undefined, ConfigurationError[]]> {
  const file = node.clusterLockFile
  try {
    const text = await files.read(file).catch((cause: unknown) => {
      throw unreadableFile(
        'cluster lock',
        file,
        cause,
        "Set OBOL_CLUSTER_LOCK_FILE to the node's cluster-lock.json",
      )
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
    return new ConfigurationError('INVALID_ENR_KEY', `${node.enrKeyFile} does not hold 32 bytes of hex`, {
      hint: 'Put the one there that Charon wrote, or none: it is only compared with the lock',
    })
  }
}
