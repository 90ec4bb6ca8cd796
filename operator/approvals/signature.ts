import { DvtExitError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'

/** The order of secp256k1's group. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/**
 * An oracle's signature r ‖ s ‖ v as the Keeper's ECDSA (OpenZeppelin) takes it: v is 27 or 28, and s is in
 * the lower half of the order.
 * @param signature 65 bytes, 0x, lowercase; v may be 0 or 1, which mean 27 and 28
 * @throws DvtExitError MALFORMED_SIGNATURE
 */
export function normalizeSignature(signature: Hex): Hex {
  const r = BigInt(signature.slice(0, 66))
  const s = BigInt(`0x${signature.slice(66, 130)}`)
  const v = Number.parseInt(signature.slice(130), 16)
  if (r === 0n || r >= ORDER) throw malformed('r is not in the range of the curve')
  if (s === 0n || s >= ORDER) throw malformed('s is not in the range of the curve')
  if (s > ORDER / 2n) throw malformed('s is in the upper half of the range')
  if (v !== 0 && v !== 1 && v !== 27 && v !== 28) throw malformed(`v is ${v}`)
  return `${signature.slice(0, 130) as Hex}${(v < 27 ? v + 27 : v).toString(16)}`
}

function malformed(reason: string): DvtExitError {
  return new DvtExitError('MALFORMED_SIGNATURE', `malformed signature: ${reason}`)
}
