/** Keystores as Charon writes them, of few rounds or many. */
import { createCipheriv, createHash, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import { normalizePassword } from '../../core/keystore/eip2335.js'

export type Kdf =
  | { readonly function: 'pbkdf2'; readonly c: number }
  | { readonly function: 'scrypt'; readonly n: number; readonly r: number; readonly p: number }

/** Encrypts several secrets under one password and salt: the key, which takes long, is derived once. */
export function keystoreMaker(password: string, kdf: Kdf = { function: 'pbkdf2', c: 16 }) {
  const salt = randomBytes(32)
  const key = derive(normalizePassword(password), salt, kdf)
  const { function: name, ...rest } = kdf
  const params = { dklen: 32, ...rest, ...(name === 'pbkdf2' ? { prf: 'hmac-sha256' } : {}) }
  /** @param publicKey 48 bytes of hex without 0x */
  return (secret: Uint8Array, publicKey: string) => {
    const iv = randomBytes(16)
    const message = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv).update(secret)
    const checksum = createHash('sha256').update(key.subarray(16)).update(message).digest('hex')
    return {
      version: 4,
      uuid: '00000000-0000-4000-8000-000000000000',
      path: '',
      description: '',
      pubkey: publicKey,
      crypto: {
        kdf: { function: name, params: { ...params, salt: salt.toString('hex') }, message: '' },
        checksum: { function: 'sha256', params: {}, message: checksum },
        cipher: {
          function: 'aes-128-ctr',
          params: { iv: iv.toString('hex') },
          message: message.toString('hex'),
        },
      },
    }
  }
}

function derive(password: Uint8Array, salt: Uint8Array, kdf: Kdf): Buffer {
  if (kdf.function === 'pbkdf2') return pbkdf2Sync(password, salt, kdf.c, 32, 'sha256')
  return scryptSync(password, salt, 32, { N: kdf.n, r: kdf.r, p: kdf.p })
}
