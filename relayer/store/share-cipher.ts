/** Encryption of shares at rest: AES-256-GCM, bound to the row that the share belongs to. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { DvtExitError } from '../../core/errors.js'
import { fromHex, type PublicKeyHex } from '../../core/hex.js'
import type { Secret } from '../../core/secret.js'
import { isExit, type MessageName, validatorIndexOf } from '../exits/message.js'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What a share is bound to: it opens in no other row. */
export interface ShareRow {
  readonly publicKey: PublicKeyHex
  readonly message: MessageName
  readonly shareIndex: bigint
}

export class ShareCipher {
  readonly #encryptionKey: Uint8Array
  readonly #digestKey: Uint8Array

  /** @param key 32 bytes, from loadOrCreateKey */
  constructor(key: Secret<Uint8Array>) {
    this.#encryptionKey = derive(key.reveal(), 'dvt-exit relayer share encryption')
    this.#digestKey = derive(key.reveal(), 'dvt-exit relayer share digest')
  }

  /** nonce ‖ tag ‖ ciphertext: 28 bytes more than the share. */
  seal(row: ShareRow, share: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#encryptionKey, nonce).setAAD(boundTo(row))
    const ciphertext = Buffer.concat([cipher.update(share), cipher.final()])
    return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]))
  }

  /** @throws DvtExitError SHARE_UNREADABLE for another key, another row, or altered bytes */
  open(row: ShareRow, sealed: Uint8Array): Uint8Array {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#encryptionKey, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(boundTo(row)).setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      return new Uint8Array(
        Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]),
      )
    } catch {
      throw new DvtExitError(
        'SHARE_UNREADABLE',
        `the stored share ${row.shareIndex} of ${row.publicKey} does not open with the relayer’s key`,
        { hint: 'Restore the key file that belongs to this database' },
      )
    }
  }

  /** Tells equal shares of a key and index from different ones, and means nothing without the key. */
  digest(publicKey: PublicKeyHex, shareIndex: bigint, share: Uint8Array): string {
    return createHmac('sha256', this.#digestKey)
      .update(fromHex(publicKey, 48))
      .update(uint64(shareIndex))
      .update(share)
      .digest('hex')
  }

  /** Names the key without giving it away, so that a database knows which key it belongs to. */
  fingerprint(): string {
    return createHmac('sha256', this.#digestKey).update('fingerprint').digest('hex')
  }
}

function derive(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), purpose, 32))
}

function boundTo({ publicKey, message, shareIndex }: ShareRow): Buffer {
  const named = isExit(message) ? uint64(BigInt(validatorIndexOf(message))) : Buffer.from(message)
  return Buffer.concat([fromHex(publicKey, 48), named, uint64(shareIndex)])
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
