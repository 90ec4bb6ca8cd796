import { DvtExitError } from '../../core/errors.js'
import type { PublicKeyHex } from '../../core/hex.js'

/** One of the asked keys cannot have an exit. */
export class RequestedKeyError extends DvtExitError {
  override readonly name = 'RequestedKeyError'
  readonly publicKey: PublicKeyHex
  /** 0-based position in the request. */
  readonly position: number

  constructor(
    code: 'INVALID_PUBLIC_KEY' | 'DUPLICATE_PUBLIC_KEY' | 'KNOWN_VALIDATOR',
    publicKey: PublicKeyHex,
    position: number,
    message: string,
    hint: string,
  ) {
    super(code, `public key ${publicKey} at position ${position} ${message}`, { hint })
    this.publicKey = publicKey
    this.position = position
  }
}
