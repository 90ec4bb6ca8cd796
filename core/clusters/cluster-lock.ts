/** Charon's cluster lock, versions v1.0 to v1.11: which validators a cluster has, and each node's public shares. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { bls, type PublicKeyPoint } from '../bls/backend.js'
import { parsePublicKey } from '../bls/points.js'
import { publicSharesInterpolate } from '../bls/threshold.js'
import { ConfigurationError, describeError } from '../errors.js'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../hex.js'
import { parseJson } from '../json.js'
import type { Network } from '../network.js'
import { describeShapeIssues } from '../shape-issues.js'
import type { DistributedValidator } from '../signer.js'
import { unreadableFile } from './unreadable-file.js'

/** A validator of a cluster lock. Share index i + 1 is node index i. */
export interface LockValidator extends DistributedValidator {
  /** Where its withdrawals go, in lowercase; undefined where the lock does not say. */
  readonly withdrawalAddress: Hex | undefined
}

/** A node of a cluster. */
export interface LockOperator {
  /** Its Ethereum Node Record; empty where the lock has none. */
  readonly enr: string
  /** The operator's own address, in lowercase; undefined in a cluster that one person created. */
  readonly address: Hex | undefined
}

export interface ClusterLock {
  /** For example v1.11.0. */
  readonly version: string
  readonly name: string
  /** How many nodes must sign. */
  readonly threshold: number
  /** The genesis fork version of the network, 4 bytes. */
  readonly forkVersion: Hex
  /** 32 bytes. */
  readonly lockHash: Hex
  /** By node index. */
  readonly operators: readonly LockOperator[]
  readonly validators: readonly LockValidator[]
  /** What is odd but legitimate, one line each. */
  readonly warnings: readonly string[]
}

export interface LockOptions {
  /** Refuse a lock whose aggregate signature is absent or wrong, instead of warning. */
  readonly strict?: boolean
}

const bytes = (length: number) =>
  z.string().transform((text, context) => {
    const decoded = decodeBytes(text)
    if (decoded?.length === length) return toHex(decoded)
    context.addIssue({ code: 'custom', message: `expected ${length} bytes of hex or base64` })
    return z.NEVER
  })

/** v1.0 and v1.1 write bytes as base64, which can begin with 0x too; later versions as hex with 0x. */
function decodeBytes(text: string): Uint8Array | undefined {
  if (/^0x([0-9a-fA-F]{2})*$/.test(text)) return fromHex(text)
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return new Uint8Array(Buffer.from(text, 'base64'))
}

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address')
  .transform((text) => text.toLowerCase() as Hex)
const optionalAddress = z.union([z.literal('').transform(() => undefined), address]).optional()

const lockSchema = z.object({
  cluster_definition: z.object({
    name: z.string().default(''),
    version: z.string(),
    threshold: z.int().min(1),
    fork_version: bytes(4),
    operators: z.array(z.object({ enr: z.string().default(''), address: optionalAddress })).min(1),
    num_validators: z.int().min(0).optional(),
    withdrawal_address: optionalAddress,
    validators: z.array(z.object({ withdrawal_address: optionalAddress })).optional(),
  }),
  distributed_validators: z
    .array(z.object({ distributed_public_key: bytes(48), public_shares: z.array(bytes(48)) }))
    .min(1),
  lock_hash: bytes(32),
  signature_aggregate: z.string().nullish(),
})
type LockFile = z.infer<typeof lockSchema>

const KNOWN_VERSION = /^v1\.(\d|10|11)\.\d+$/
/** Versions whose locks need not carry a signature of their key shares. */
const UNSIGNED_VERSION = /^v1\.[01]\./

/**
 * Reads and checks a cluster lock file.
 * @throws ConfigurationError UNREADABLE_FILE, and as parseClusterLock does
 */
export async function loadClusterLock(file: string, options: LockOptions = {}): Promise<ClusterLock> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw unreadableFile('cluster lock', file, cause)
  }
  return parseClusterLock(text, file, options)
}

/**
 * Parses a cluster lock and checks what protects: that the public shares of each validator interpolate to its
 * key. Gives way to the event loop between validators.
 * @param source the file's path, for messages
 * @throws ConfigurationError INVALID_CLUSTER_LOCK, UNKNOWN_LOCK_VERSION, LOCK_SHARES_DO_NOT_INTERPOLATE,
 *   LOCK_SIGNATURE
 */
export async function parseClusterLock(
  text: string,
  source: string,
  options: LockOptions = {},
): Promise<ClusterLock> {
  const lock = parseLockFile(text, source)
  const definition = lock.cluster_definition
  const validators = lock.distributed_validators.map(
    (validator, i): LockValidator => ({
      publicKey: validator.distributed_public_key,
      threshold: definition.threshold,
      shares: new Map(validator.public_shares.map((share, node) => [BigInt(node + 1), share])),
      source,
      withdrawalAddress: definition.validators?.[i]?.withdrawal_address ?? definition.withdrawal_address,
    }),
  )
  assertShape(lock, source)
  const sums: PublicKeyPoint[] = []
  for (const validator of validators) {
    sums.push(checkShares(validator, source))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const complaint = signatureComplaint(lock, bls.addPublicKeys(sums), options.strict === true)
  const warnings = complaint === undefined ? [] : [`cluster lock ${source}: ${complaint}`]
  if (options.strict === true && warnings[0] !== undefined) {
    throw new ConfigurationError('LOCK_SIGNATURE', warnings[0], {
      hint: 'Leave --strict-lock out if the lock was extended without its nodes (add-validators --unverified)',
    })
  }
  return {
    version: definition.version,
    name: definition.name,
    threshold: definition.threshold,
    forkVersion: definition.fork_version,
    lockHash: lock.lock_hash,
    operators: definition.operators.map(({ enr, address }) => ({ enr, address })),
    validators,
    warnings,
  }
}

/** @throws ConfigurationError LOCK_OF_ANOTHER_NETWORK */
export function assertLockNetwork(lock: ClusterLock, network: Network, source: string): void {
  if (lock.forkVersion === network.genesisForkVersion) return
  throw new ConfigurationError(
    'LOCK_OF_ANOTHER_NETWORK',
    `cluster lock ${source} has fork version ${lock.forkVersion}, but ${network.name} has ${network.genesisForkVersion}`,
    { hint: 'Set NETWORK to the network of the cluster, or name the lock of the right cluster' },
  )
}

function parseLockFile(text: string, source: string): LockFile {
  let json: unknown
  try {
    json = parseJson(text)
  } catch (cause) {
    throw invalidLock(source, `not JSON (${describeError(cause)})`)
  }
  const version = z.object({ cluster_definition: z.object({ version: z.string() }) }).safeParse(json)
  if (version.success && !KNOWN_VERSION.test(version.data.cluster_definition.version)) {
    throw new ConfigurationError(
      'UNKNOWN_LOCK_VERSION',
      `cluster lock ${source} has version ${version.data.cluster_definition.version}, known are v1.0 to v1.11`,
      { hint: 'Update dvt-exit' },
    )
  }
  const parsed = lockSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw invalidLock(source, describeShapeIssues(parsed.error))
}

function assertShape(lock: LockFile, source: string): void {
  const { operators, threshold } = lock.cluster_definition
  if (operators.length < threshold) {
    throw invalidLock(source, `${operators.length} operators cannot have a threshold of ${threshold}`)
  }
  const keys = new Set<PublicKeyHex>()
  for (const { distributed_public_key: key, public_shares: shares } of lock.distributed_validators) {
    if (shares.length !== operators.length) {
      throw invalidLock(
        source,
        `validator ${key} has ${shares.length} public shares for ${operators.length} operators`,
      )
    }
    if (keys.has(key)) throw invalidLock(source, `validator ${key} is there twice`)
    keys.add(key)
  }
}

/** Checks that a validator's public shares interpolate to its key. Returns the sum of the public shares. */
function checkShares(validator: LockValidator, source: string): PublicKeyPoint {
  const shares = [...validator.shares].map(([index, share]) => ({
    index,
    publicKey: point(share, `public share ${index} of validator ${validator.publicKey}`, source),
  }))
  const publicKey = point(validator.publicKey, `validator ${validator.publicKey}`, source)
  if (!publicSharesInterpolate(publicKey, shares, validator.threshold)) {
    throw new ConfigurationError(
      'LOCK_SHARES_DO_NOT_INTERPOLATE',
      `cluster lock ${source}: the public shares of validator ${validator.publicKey} do not make its key`,
      { hint: 'The file is damaged or forged: take the lock from another node of the cluster' },
    )
  }
  return bls.addPublicKeys(shares.map((share) => share.publicKey))
}

function point(hex: PublicKeyHex, what: string, source: string) {
  try {
    return parsePublicKey(hex)
  } catch {
    throw invalidLock(source, `${what} is not a point of the curve`)
  }
}

/**
 * What is odd about the signature of all key shares over the lock hash; undefined where nothing is.
 * @param publicKey the sum of all public shares of all validators
 */
function signatureComplaint(lock: LockFile, publicKey: PublicKeyPoint, strict: boolean): string | undefined {
  const text = lock.signature_aggregate ?? ''
  if (text === '' || text === '0x') {
    const isUsual = UNSIGNED_VERSION.test(lock.cluster_definition.version)
    return isUsual && !strict ? undefined : 'it carries no signature of its key shares'
  }
  try {
    const signature = bls.decodeSignature(decodeBytes(text) ?? new Uint8Array())
    if (bls.verify({ message: fromHex(lock.lock_hash), publicKey, signature })) return undefined
  } catch {
    // Not a point: as wrong as any other signature.
  }
  return 'the signature of its key shares does not verify (add-validators --unverified leaves such a lock)'
}

function invalidLock(source: string, reason: string): ConfigurationError {
  return new ConfigurationError('INVALID_CLUSTER_LOCK', `cluster lock ${source}: ${reason}`, {
    hint: 'Name the cluster-lock.json that Charon wrote',
  })
}
