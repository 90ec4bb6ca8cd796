import { DvtExitError } from '../errors.js'
import { fromHex, shorten } from '../hex.js'
import { bls, type PublicKeyPoint, type SecretScalar, type SignaturePoint } from './backend.js'

/**
 * A public key from 48 bytes or their hex, checked: on the curve, in the subgroup, not infinity.
 * @throws DvtExitError INVALID_PUBLIC_KEY
 */
export function parsePublicKey(encoded: Uint8Array | string): PublicKeyPoint {
  try {
    return bls.decodePublicKey(typeof encoded === 'string' ? fromHex(encoded, 48) : encoded)
  } catch (cause) {
    const shown = typeof encoded === 'string' ? shorten(encoded) : `of ${encoded.length} bytes`
    throw new DvtExitError('INVALID_PUBLIC_KEY', `BLS public key ${shown} is not a valid point`, { cause })
  }
}

/**
 * A signature from 96 bytes or their hex, checked: on the curve, in the subgroup, not infinity. The message
 * of the error does not repeat the signature.
 * @throws DvtExitError INVALID_SIGNATURE
 */
export function parseSignature(encoded: Uint8Array | string): SignaturePoint {
  try {
    return bls.decodeSignature(typeof encoded === 'string' ? fromHex(encoded, 96) : encoded)
  } catch {
    throw new DvtExitError('INVALID_SIGNATURE', 'BLS signature is not a valid point')
  }
}

/**
 * A secret key from 32 big-endian bytes. The message of the error does not repeat the key.
 * @throws DvtExitError INVALID_SECRET_KEY for zero and for anything not below the group order
 */
export function parseSecretKey(bytes: Uint8Array): SecretScalar {
  try {
    return bls.decodeSecretKey(bytes)
  } catch {
    throw new DvtExitError('INVALID_SECRET_KEY', 'BLS secret key is not in 1 … r − 1')
  }
}
