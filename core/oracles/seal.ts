/**
 * Sealing bytes for an oracle: ECIES over secp256k1, the defaults of eciespy 0.4 and eciesjs 0.5.
 *
 * uncompressed ephemeral key (65) ‖ nonce (16) ‖ tag (16) ‖ AES-256-GCM ciphertext; the AES key is
 * HKDF-SHA256 over ephemeral key ‖ shared point, both uncompressed, with empty salt and info.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { isPrivate, pointFromScalar, pointMultiply } from 'tiny-secp256k1'
import { DvtExitError } from '../errors.js'

const POINT_BYTES = 65
const NONCE_BYTES = 16
const TAG_BYTES = 16
/** How much longer the sealed form is than the plain one. */
export const SEAL_OVERHEAD = POINT_BYTES + NONCE_BYTES + TAG_BYTES

/**
 * Encrypts to an oracle's key.
 * @param publicKey 65 bytes: 04 and the coordinates
 * @param random gives uniform bytes
 * @returns SEAL_OVERHEAD bytes more than the plaintext: 193 for a signature
 * @throws DvtExitError INVALID_ORACLE_KEY
 */
export function sealForOracle(
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  random: (length: number) => Uint8Array = randomBytes,
): Uint8Array {
  const ephemeral = randomPrivateKey(random)
  const ephemeralPublicKey = pointFromScalar(ephemeral, false)
  if (ephemeralPublicKey === null) throw new Error('a private key has a public key')
  const nonce = random(NONCE_BYTES)
  const cipher = createCipheriv(
    'aes-256-gcm',
    deriveKey(ephemeralPublicKey, sharedPoint(publicKey, ephemeral)),
    nonce,
  )
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return new Uint8Array(Buffer.concat([ephemeralPublicKey, nonce, cipher.getAuthTag(), ciphertext]))
}

/**
 * Decrypts what was sealed for an oracle.
 * @param secretKey 32 bytes
 * @throws DvtExitError SEAL_BROKEN where it was sealed for another key or altered
 */
export function openAsOracle(secretKey: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < SEAL_OVERHEAD) {
    throw new DvtExitError('SEAL_BROKEN', `sealed bytes are too short: ${sealed.length}`)
  }
  const ephemeralPublicKey = sealed.subarray(0, POINT_BYTES)
  const nonce = sealed.subarray(POINT_BYTES, POINT_BYTES + NONCE_BYTES)
  const tag = sealed.subarray(POINT_BYTES + NONCE_BYTES, SEAL_OVERHEAD)
  try {
    const key = deriveKey(ephemeralPublicKey, sharedPoint(ephemeralPublicKey, secretKey))
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(tag)
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(SEAL_OVERHEAD)), decipher.final()]))
  } catch {
    throw new DvtExitError('SEAL_BROKEN', 'sealed bytes do not open with this key')
  }
}

function randomPrivateKey(random: (length: number) => Uint8Array): Uint8Array {
  for (;;) {
    const key = random(32)
    if (isPrivate(key)) return key
  }
}

function sharedPoint(point: Uint8Array, scalar: Uint8Array): Uint8Array {
  try {
    const shared = pointMultiply(point, scalar, false)
    if (shared !== null) return shared
  } catch {
    // Told below: the library's own message does not say which key.
  }
  throw new DvtExitError('INVALID_ORACLE_KEY', 'oracle public key is not a point of secp256k1')
}

function deriveKey(ephemeralPublicKey: Uint8Array, shared: Uint8Array): Uint8Array {
  const material = Buffer.concat([ephemeralPublicKey, shared])
  return new Uint8Array(hkdfSync('sha256', material, new Uint8Array(0), new Uint8Array(0), 32))
}
