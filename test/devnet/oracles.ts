/** The oracles of the devnet: their keys, their protocol config, and what they do with an exit's parts. */
import { decrypt, PrivateKey } from 'eciesjs'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { bls } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { recoverSignature } from '../../core/bls/threshold.js'
import { fromHex, toHex } from '../../core/hex.js'
import { canaryInUse } from './canary/shared.js'

export interface Oracles {
  readonly keys: readonly PrivateKey[]
  /** How many parts recover an exit signature. */
  readonly threshold: number
}

/** Oracles with new keys. */
export function createOracles(count: number, threshold: number): Oracles {
  const keys = Array.from({ length: count }, () => new PrivateKey())
  canaryInUse()?.oracles.add(keys.map((key) => key.secret))
  return { keys, threshold }
}

/** The accounts that sign the oracles' approvals, in their order. */
export function oracleAccounts({ keys }: Oracles): PrivateKeyAccount[] {
  return keys.map((key) => privateKeyToAccount(toHex(key.secret)))
}

export interface ProtocolConfigOptions {
  /** Each oracle's replicas; one address that nobody listens on unless given. */
  readonly endpoints?: readonly (readonly string[])[]
  /** Most validators in one approval; 20 unless given. */
  readonly approvalBatchLimit?: number
  /** Seconds that an approval may be good for; an hour unless given. */
  readonly validityPeriod?: number
}

/** The protocol config that names them, as the JSON that the Keeper's event points to. */
export function protocolConfigOf(
  { keys, threshold }: Oracles,
  { endpoints, approvalBatchLimit = 20, validityPeriod = 3600 }: ProtocolConfigOptions = {},
): string {
  return JSON.stringify({
    oracles: keys.map((key, i) => ({
      public_key: `0x${Buffer.from(key.publicKey.toBytes(false).subarray(-64)).toString('hex')}`,
      endpoints: endpoints?.[i] ?? [`http://127.0.0.1:${20_000 + i}`],
    })),
    exit_signature_recover_threshold: threshold,
    validators_approval_batch_limit: approvalBatchLimit,
    validators_exit_rotation_batch_limit: 20,
    signature_validity_period: validityPeriod,
    exit_signature_epoch: 194_048,
  })
}

/** The part of one oracle: opened with its key, checked under its public key share. */
export function openPart(
  oracle: PrivateKey,
  sealed: string,
  publicKeyShare: string,
  signingRoot: Uint8Array,
) {
  const signature = parseSignature(decrypt(oracle.secret, fromHex(sealed)))
  if (!bls.verify({ message: signingRoot, publicKey: parsePublicKey(publicKeyShare), signature })) {
    throw new Error('the part does not verify under its public key share')
  }
  return signature
}

/** The exit signature that the first `threshold` oracles make together from their sealed parts, 96 bytes. */
export function recombine(
  { keys, threshold }: Oracles,
  sealed: readonly string[],
  publicKeyShares: readonly string[],
  signingRoot: Uint8Array,
): Uint8Array {
  const parts = keys.map((key, i) => ({
    index: BigInt(i + 1),
    signature: openPart(key, sealed[i] ?? '', publicKeyShares[i] ?? '', signingRoot),
  }))
  return bls.encodeSignature(recoverSignature(parts.slice(-threshold)))
}
