/**
 * EIP-2335 keystores: the whole file as Charon writes it, and the bare `crypto` object that SSV keeps its
 * operator key in. Keys are derived in libuv's threads, so decryption never holds the event loop.
 */
import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { DvtExitError } from '../errors.js'
import type { PublicKeyHex } from '../hex.js'
import { describeShapeIssues } from '../shape-issues.js'
import { assertAffordable, deriveKey, hexField, isWithinStandard } from './key-derivation.js'

const kdfSchema = z.discriminatedUnion('function', [
  z.object({
    function: z.literal('pbkdf2'),
    params: z.object({
      dklen: z.literal(32),
      c: z.int().min(1),
      prf: z.literal('hmac-sha256'),
      salt: hexField(),
    }),
  }),
  z.object({
    function: z.literal('scrypt'),
    params: z.object({
      dklen: z.literal(32),
      n: z.int().min(2),
      r: z.int().min(1),
      p: z.int().min(1),
      salt: hexField(),
    }),
  }),
])

const cryptoSchema = z.object({
  kdf: kdfSchema,
  checksum: z.object({ function: z.literal('sha256'), message: hexField(32) }),
  cipher: z.object({
    function: z.literal('aes-128-ctr'),
    params: z.object({ iv: hexField(16) }),
    message: hexField(),
  }),
})

const keystoreSchema = z.object({
  version: z.literal(4),
  pubkey: hexField(48)
    .transform((bytes): PublicKeyHex => `0x${Buffer.from(bytes).toString('hex')}`)
    .optional(),
  crypto: cryptoSchema,
})

/** The encrypted part of a keystore. */
export type EncryptedCrypto = z.infer<typeof cryptoSchema>
/** A keystore with the public key that it says it holds. */
export interface Keystore {
  readonly publicKey: PublicKeyHex | undefined
  readonly crypto: EncryptedCrypto
}

/**
 * Reads a bare `crypto` object.
 * @throws DvtExitError INVALID_KEYSTORE naming the field, KDF_TOO_EXPENSIVE
 */
export function parseCrypto(json: unknown): EncryptedCrypto {
  const crypto = parse(cryptoSchema, json)
  assertDerivable(crypto)
  return crypto
}

/** Reads a whole keystore. @throws DvtExitError INVALID_KEYSTORE naming the field, KDF_TOO_EXPENSIVE */
export function parseKeystore(json: unknown): Keystore {
  const { pubkey, crypto } = parse(keystoreSchema, json)
  assertDerivable(crypto)
  return { publicKey: pubkey, crypto }
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw invalidKeystore(describeShapeIssues(parsed.error))
}

function invalidKeystore(reason: string): DvtExitError {
  return new DvtExitError('INVALID_KEYSTORE', `not an EIP-2335 keystore: ${reason}`)
}

function assertDerivable({ kdf }: EncryptedCrypto): void {
  assertAffordable(kdf)
  if (kdf.function === 'scrypt' && !isWithinStandard(kdf)) {
    const { n, r } = kdf.params
    throw invalidKeystore(`crypto.kdf.params.n: scrypt cannot work with n = ${n}, r = ${r}`)
  }
}

/**
 * A password as EIP-2335 says: NFKD, without C0, C1 and Delete control codes (so a newline at the end of a
 * password file is no part of it), in UTF-8.
 */
export function normalizePassword(password: string): Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: EIP-2335 names them
  return Buffer.from(password.normalize('NFKD').replace(/[\x00-\x1f\x7f-\x9f]/g, ''), 'utf8')
}

/**
 * Decrypts a keystore's secret, in libuv's threads.
 * @param password normalised bytes (normalizePassword)
 * @throws DvtExitError WRONG_PASSWORD, INVALID_KEYSTORE where the key derivation fails
 */
export async function decryptCrypto(crypto: EncryptedCrypto, password: Uint8Array): Promise<Uint8Array> {
  const key = await deriveKey(crypto.kdf, password)
  try {
    const checksum = createHash('sha256').update(key.subarray(16, 32)).update(crypto.cipher.message).digest()
    if (!timingSafeEqual(checksum, crypto.checksum.message)) {
      throw new DvtExitError('WRONG_PASSWORD', 'wrong password')
    }
    const decipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), crypto.cipher.params.iv)
    return new Uint8Array(Buffer.concat([decipher.update(crypto.cipher.message), decipher.final()]))
  } finally {
    key.fill(0)
  }
}
