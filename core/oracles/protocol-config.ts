/** StakeWise's protocol config: who the oracles are, and how many of them recover an exit signature. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isPoint } from 'tiny-secp256k1'
import { publicKeyToAddress } from 'viem/accounts'
import { z } from 'zod'
import { ConfigurationError, describeError } from '../errors.js'
import { fromHex, type Hex, toHex } from '../hex.js'
import { parseJson } from '../json.js'
import { describeShapeIssues } from '../shape-issues.js'
import { hexBytes } from '../wire/fields.js'

export interface Oracle {
  /** secp256k1, uncompressed: 65 bytes that begin with 04. */
  readonly publicKey: Uint8Array
  /** Derived from the key, with checksum. */
  readonly address: Hex
  /** The oracle's replicas. */
  readonly endpoints: readonly string[]
}

export interface ProtocolConfig {
  /** In the config's order, which is that of the parts in every answer. */
  readonly oracles: readonly Oracle[]
  /** How many oracles' parts make an exit signature. */
  readonly exitSignatureRecoverThreshold: number
  /** Names the set of oracles: the hash of their ordered keys and the threshold. Endpoints do not count. */
  readonly setHash: Hex
  /** The rest is used when validators are registered, and may be missing in a devnet's config. */
  readonly validatorsApprovalBatchLimit: number | undefined
  readonly validatorsExitRotationBatchLimit: number | undefined
  /** Seconds. */
  readonly signatureValidityPeriod: number | undefined
}

const oracleKey = hexBytes(64, 'oracle public key').transform((hex, context) => {
  const publicKey = Uint8Array.of(4, ...fromHex(hex))
  if (isPoint(publicKey)) return publicKey
  context.addIssue({ code: 'custom', message: 'oracle public key is not a point of secp256k1' })
  return z.NEVER
})

const schema = z
  .object({
    oracles: z
      .array(z.object({ public_key: oracleKey, endpoints: z.array(z.string()).default([]) }))
      .min(1)
      .refine(
        (oracles) => new Set(oracles.map((oracle) => toHex(oracle.public_key))).size === oracles.length,
        {
          message: 'the same oracle is listed twice',
        },
      ),
    exit_signature_recover_threshold: z.int().min(1),
    validators_approval_batch_limit: z.int().min(1).optional(),
    validators_exit_rotation_batch_limit: z.int().min(1).optional(),
    signature_validity_period: z.int().min(1).optional(),
  })
  .refine((config) => config.exit_signature_recover_threshold <= config.oracles.length, {
    message: 'exit_signature_recover_threshold is more than there are oracles',
  })

/**
 * The config from its parsed JSON (chain.md, "Protocol config"). Unknown fields are ignored.
 * @param source where it came from, for messages
 * @throws ConfigurationError INVALID_PROTOCOL_CONFIG
 */
export function parseProtocolConfig(json: unknown, source: string): ProtocolConfig {
  const parsed = schema.safeParse(json)
  if (!parsed.success) {
    throw new ConfigurationError(
      'INVALID_PROTOCOL_CONFIG',
      `${source}: ${describeShapeIssues(parsed.error)}`,
      {
        hint: 'It must hold the oracles and exit_signature_recover_threshold, as the Keeper’s config on IPFS does',
      },
    )
  }
  const config = parsed.data
  const oracles = config.oracles.map(({ public_key, endpoints }) => ({
    publicKey: public_key,
    address: publicKeyToAddress(toHex(public_key)),
    endpoints,
  }))
  return {
    oracles,
    exitSignatureRecoverThreshold: config.exit_signature_recover_threshold,
    setHash: oracleSetHash(
      oracles.map((oracle) => oracle.publicKey),
      config.exit_signature_recover_threshold,
    ),
    validatorsApprovalBatchLimit: config.validators_approval_batch_limit,
    validatorsExitRotationBatchLimit: config.validators_exit_rotation_batch_limit,
    signatureValidityPeriod: config.signature_validity_period,
  }
}

/** SHA-256 over the ordered keys (65 bytes each) and the threshold (8 bytes, big-endian). */
export function oracleSetHash(publicKeys: readonly Uint8Array[], threshold: number): Hex {
  const hash = createHash('sha256')
  for (const publicKey of publicKeys) hash.update(publicKey)
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(threshold))
  return toHex(hash.update(number).digest())
}

/**
 * The config from the bytes of its JSON, as they come from IPFS.
 * @throws ConfigurationError INVALID_PROTOCOL_CONFIG
 */
export function readProtocolConfig(content: Uint8Array, source: string): ProtocolConfig {
  let json: unknown
  try {
    json = parseJson(Buffer.from(content).toString('utf8'))
  } catch (cause) {
    throw new ConfigurationError('INVALID_PROTOCOL_CONFIG', `${source} is not JSON: ${describeError(cause)}`)
  }
  return parseProtocolConfig(json, source)
}

/**
 * The config from PROTOCOL_CONFIG_FILE.
 * @throws ConfigurationError PROTOCOL_CONFIG_UNREADABLE, INVALID_PROTOCOL_CONFIG
 */
export function loadProtocolConfigFile(file: string): ProtocolConfig {
  let content: Buffer
  try {
    content = readFileSync(file)
  } catch (cause) {
    throw new ConfigurationError(
      'PROTOCOL_CONFIG_UNREADABLE',
      `cannot read PROTOCOL_CONFIG_FILE ${file}: ${describeError(cause)}`,
      { cause, hint: 'Name a readable file with the protocol config as JSON' },
    )
  }
  return readProtocolConfig(content, file)
}
