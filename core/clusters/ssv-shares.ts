/**
 * The `shares` bytes of an SSV registration: the validator key's signature of owner and nonce (96 bytes),
 * then n share public keys (48 bytes each), then n ciphertexts (256 bytes each), in the operators' order.
 */
import { getAddress, keccak256, stringToBytes } from 'viem'
import { bls, type PublicKeyPoint, type SecretScalar } from '../bls/backend.js'
import { parsePublicKey } from '../bls/points.js'
import { publicSharesInterpolate } from '../bls/threshold.js'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../hex.js'

const SIGNATURE = 96
const PUBLIC_KEY = 48
const CIPHERTEXT = 256

/** Sizes of clusters, 3f + 1, with what must sign of each, 2f + 1. */
const THRESHOLDS: ReadonlyMap<number, number> = new Map([
  [4, 3],
  [7, 5],
  [10, 7],
  [13, 9],
])

/** How many of n operators must sign; undefined where SSV has no clusters of n. */
export function ssvThreshold(operators: number): number | undefined {
  return THRESHOLDS.get(operators)
}

export interface SsvShares {
  /** By the validator's key over owner and nonce, 96 bytes. */
  readonly signature: Uint8Array
  /** Share public key by operator id. */
  readonly publicKeys: ReadonlyMap<bigint, PublicKeyHex>
  /** The encrypted share by operator id, 256 bytes. */
  readonly ciphertexts: ReadonlyMap<bigint, Uint8Array>
}

/** The parts of a registration's shares; undefined where the length is not exact. */
export function splitShares(shares: Hex, operatorIds: readonly bigint[]): SsvShares | undefined {
  const ciphertextsAt = SIGNATURE + PUBLIC_KEY * operatorIds.length
  if (shares.length !== 2 + 2 * (ciphertextsAt + CIPHERTEXT * operatorIds.length)) return undefined
  const bytes = fromHex(shares)
  const slice = (start: number, size: number, i: number) =>
    bytes.slice(start + i * size, start + (i + 1) * size)
  return {
    signature: bytes.slice(0, SIGNATURE),
    publicKeys: new Map(operatorIds.map((id, i) => [id, toHex(slice(SIGNATURE, PUBLIC_KEY, i))])),
    ciphertexts: new Map(operatorIds.map((id, i) => [id, slice(ciphertextsAt, CIPHERTEXT, i)])),
  }
}

/** The owner and nonce as the validator's key signs them: `0xChecksummedAddress:7`. */
export function ownerNonceText(owner: Hex, nonce: number): string {
  return `${getAddress(owner)}:${nonce}`
}

/**
 * The first nonce from `from` to `to` that a registration's signature is for; undefined where it is for
 * none of them, or where key or signature are no valid points.
 * @param publicKey the validator's
 * @param signature 96 bytes
 */
export function signedNonce(
  publicKey: Hex,
  signature: Uint8Array,
  owner: Hex,
  from: number,
  to: number,
): number | undefined {
  try {
    const key = bls.decodePublicKey(fromHex(publicKey, PUBLIC_KEY))
    const point = bls.decodeSignature(signature)
    for (let nonce = from; nonce <= to; nonce++) {
      const message = keccak256(stringToBytes(ownerNonceText(owner, nonce)), 'bytes')
      if (bls.verify({ message, publicKey: key, signature: point })) return nonce
    }
  } catch {
    return undefined
  }
  return undefined
}

/**
 * Whether the share public keys are those of one sharing of the validator's key. The SSV node does not
 * look, but with others the cluster can never sign.
 */
export function sharesBelongTogether(
  publicKey: Hex,
  publicKeys: ReadonlyMap<bigint, PublicKeyHex>,
  threshold: number,
): boolean {
  try {
    const shares = [...publicKeys].map(([index, key]) => ({ index, publicKey: parsePublicKey(key) }))
    return publicSharesInterpolate(parsePublicKey(publicKey), shares, threshold)
  } catch {
    return false
  }
}

/** A key share as its operator holds it. */
export interface OpenedShare {
  readonly secret: SecretScalar
  readonly publicKey: PublicKeyPoint
}

/**
 * The key share in a decrypted ciphertext: ASCII hex with 0x (ssv-keys) or without (ssv-dkg).
 * @returns undefined where that is not a scalar in (0, r)
 */
export function readKeyShare(plaintext: Uint8Array): OpenedShare | undefined {
  const digits = /^(?:0x)?([0-9a-fA-F]{1,64})$/.exec(Buffer.from(plaintext).toString('latin1'))?.[1]
  if (digits === undefined) return undefined
  try {
    const secret = bls.decodeSecretKey(Buffer.from(digits.padStart(64, '0'), 'hex'))
    return { secret, publicKey: bls.toPublicKey(secret) }
  } catch {
    return undefined
  }
}
