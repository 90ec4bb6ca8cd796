/** Which node of the cluster holds the given key shares, and which validators it can sign for. Pure. */
import { createECDH } from 'node:crypto'
import type { ClusterLock, LockValidator } from '../../core/clusters/cluster-lock.js'
import { publicKeyOfEnr } from '../../core/clusters/enr.js'
import { ConfigurationError, describeError } from '../../core/errors.js'
import { equalBytes, type PublicKeyHex } from '../../core/hex.js'
import type { KeyShare } from './key-shares.js'

/** A key share at its place in the lock. */
export interface PlacedShare {
  readonly share: KeyShare
  readonly validator: LockValidator
  /** From 0. */
  readonly nodeIndex: number
}

export interface NodeIdentity {
  /** From 0; undefined where no share of the lock is there. */
  readonly nodeIndex: number | undefined
  /** By the validator's public key. */
  readonly placed: ReadonlyMap<PublicKeyHex, PlacedShare>
  readonly errors: readonly ConfigurationError[]
}

/**
 * Finds the node index that the shares have in common. Shares of other nodes, strangers and repeats are errors
 * that name their files.
 * @param expected the node index that the user gave, where one was given
 */
export function identifyNode(
  shares: readonly KeyShare[],
  lock: ClusterLock,
  lockFile: string,
  expected: number | undefined,
): NodeIdentity {
  const errors: ConfigurationError[] = []
  const places = placesOf(lock)
  const known = shares.flatMap((share): PlacedShare[] => {
    const place = places.get(share.publicShare)
    if (place !== undefined) return [{ share, ...place }]
    errors.push(
      new ConfigurationError(
        'SHARE_NOT_IN_LOCK',
        `keystore ${share.file}: its key ${share.publicShare} is a share of no validator of ${lockFile}`,
        { hint: 'Name the lock of this cluster, or take the keystore out of the directory' },
      ),
    )
    return []
  })
  const nodeIndex = mostFrequent(
    known.map((place) => place.nodeIndex),
    expected,
  )
  const placed = new Map<PublicKeyHex, PlacedShare>()
  for (const place of known) {
    const other = placed.get(place.validator.publicKey)
    if (place.nodeIndex !== nodeIndex) errors.push(mixed(place, nodeIndex))
    else if (other !== undefined) errors.push(repeated(place, other))
    else placed.set(place.validator.publicKey, place)
  }
  if (expected !== undefined && nodeIndex !== undefined && expected !== nodeIndex) {
    errors.push(
      new ConfigurationError(
        'WRONG_NODE_INDEX',
        `OBOL_NODE_INDEX is ${expected}, but the keystores are those of node ${nodeIndex} of ${lockFile}`,
        { hint: 'Leave OBOL_NODE_INDEX out: the keystores tell' },
      ),
    )
  }
  return { nodeIndex, placed, errors }
}

/**
 * One error for each validator of the lock that has no share here.
 * @param announced the public shares that keystores say they hold: one that failed has its own error
 */
export function missingShares(
  lock: ClusterLock,
  { nodeIndex, placed }: Pick<NodeIdentity, 'nodeIndex' | 'placed'>,
  announced: ReadonlySet<PublicKeyHex>,
  { keystoresDir, clusterLockFile }: { readonly keystoresDir: string; readonly clusterLockFile: string },
): ConfigurationError[] {
  if (nodeIndex === undefined) return []
  const isThere = ({ publicKey, shares }: LockValidator) => {
    const share = shares.get(BigInt(nodeIndex + 1))
    return placed.has(publicKey) || (share !== undefined && announced.has(share))
  }
  return lock.validators
    .filter((validator) => !isThere(validator))
    .map(
      ({ publicKey }) =>
        new ConfigurationError(
          'MISSING_KEYSTORE',
          `${keystoresDir} has no keystore for validator ${publicKey} of ${clusterLockFile}`,
          { hint: 'Copy it there, or start with --allow-incomplete-keystores' },
        ),
    )
}

/**
 * Checks the node's secp256k1 key against the record of its operator in the lock.
 * @param privateKey 32 bytes
 * @returns the error, or undefined where they agree or the lock has no record
 */
export function enrComplaint(
  privateKey: Uint8Array,
  file: string,
  nodeIndex: number,
  lock: ClusterLock,
): ConfigurationError | undefined {
  const enr = lock.operators[nodeIndex]?.enr ?? ''
  if (enr === '') return undefined
  try {
    const ecdh = createECDH('secp256k1')
    ecdh.setPrivateKey(privateKey)
    if (equalBytes(ecdh.getPublicKey(null, 'compressed'), publicKeyOfEnr(enr))) return undefined
  } catch (cause) {
    return new ConfigurationError(
      'ENR_KEY_MISMATCH',
      `${file} cannot be compared with the lock: ${describeError(cause)}`,
      { hint: 'Name the lock of this cluster, and the key that Charon wrote' },
    )
  }
  return new ConfigurationError(
    'ENR_KEY_MISMATCH',
    `${file} is not the key of node ${nodeIndex}, whose keystores these are`,
    {
      hint: 'Keystores and charon-enr-private-key must come from the same node',
    },
  )
}

/** Validator and node index by public share. */
function placesOf(lock: ClusterLock): Map<PublicKeyHex, Omit<PlacedShare, 'share'>> {
  return new Map(
    lock.validators.flatMap((validator) =>
      [...validator.shares].map(([index, publicShare]) => [
        publicShare,
        { validator, nodeIndex: Number(index) - 1 },
      ]),
    ),
  )
}

/** The value that is there most often; of several, the preferred one, else the first. */
function mostFrequent(values: readonly number[], preferred: number | undefined): number | undefined {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const candidates = [...counts].filter(([, count]) => count === most).map(([value]) => value)
  return candidates.find((value) => value === preferred) ?? candidates[0]
}

function mixed(place: PlacedShare, nodeIndex: number | undefined): ConfigurationError {
  return new ConfigurationError(
    'MIXED_NODES',
    `keystore ${place.share.file} is of node ${place.nodeIndex}, the others are taken for node ${nodeIndex}`,
    { hint: 'Each node needs a directory and a sidecar of its own' },
  )
}

function repeated(place: PlacedShare, other: PlacedShare): ConfigurationError {
  return new ConfigurationError(
    'REPEATED_SHARE',
    `keystore ${place.share.file} holds the same share as ${other.share.file}`,
    {
      hint: 'Remove one of them',
    },
  )
}
