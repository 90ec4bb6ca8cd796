/**
 * EIP-2335 keystores: the whole file as Charon writes it, and the bare `crypto` object that SSV keeps its
 * operator key in. Keys are derived in libuv's threads, so decryption never holds the event loop.
 */
import { createDecipheriv, createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { DvtExitError, describeError } from '../errors.js'
import { fromHex, type PublicKeyHex } from '../hex.js'
import { describeShapeIssues } from '../shape-issues.js'

/** Beyond these a file is an attack or a mistake: deriving its key would take hours or all memory. */
const MAX_PBKDF2_ITERATIONS = 2 ** 24
const MAX_SCRYPT_N = 2 ** 20
const MAX_SCRYPT_MEMORY = 2 ** 31
const MAX_SCRYPT_BLOCK_SIZE = 64
const MAX_SCRYPT_PARALLELISM = 16

const hexField = (length?: number) =>
  z.string().transform((text, context) => {
    try {
      return fromHex(text, length)
    } catch {
      context.addIssue({
        code: 'custom',
        message: length === undefined ? 'expected hex' : `expected ${length} bytes of hex`,
      })
      return z.NEVER
    }
  })

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
  assertAffordable(crypto)
  return crypto
}

/** Reads a whole keystore. @throws DvtExitError INVALID_KEYSTORE naming the field, KDF_TOO_EXPENSIVE */
export function parseKeystore(json: unknown): Keystore {
  const { pubkey, crypto } = parse(keystoreSchema, json)
  assertAffordable(crypto)
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

function assertAffordable({ kdf }: EncryptedCrypto): void {
  if (kdf.function === 'pbkdf2') {
    if (kdf.params.c <= MAX_PBKDF2_ITERATIONS) return
    throw tooExpensive(`pbkdf2 c = ${kdf.params.c}`)
  }
  const { n, r, p } = kdf.params
  if (
    n > MAX_SCRYPT_N ||
    r > MAX_SCRYPT_BLOCK_SIZE ||
    p > MAX_SCRYPT_PARALLELISM ||
    scryptMemory(n, r) > MAX_SCRYPT_MEMORY
  ) {
    throw tooExpensive(`scrypt n = ${n}, r = ${r}, p = ${p}`)
  }
  // RFC 7914, section 2: a power of two below 2^(128 · r / 8).
  if (!Number.isInteger(Math.log2(n)) || Math.log2(n) >= 16 * r) {
    throw invalidKeystore(`crypto.kdf.params.n: scrypt cannot work with n = ${n}, r = ${r}`)
  }
}

/** Bytes. */
function scryptMemory(n: number, r: number): number {
  return 128 * n * r
}

function tooExpensive(parameters: string): DvtExitError {
  return new DvtExitError('KDF_TOO_EXPENSIVE', `key derivation with ${parameters} is beyond sense`)
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
  const key = await deriveKey(crypto, password)
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

async function deriveKey({ kdf }: EncryptedCrypto, password: Uint8Array): Promise<Buffer> {
  try {
    if (kdf.function === 'pbkdf2') {
      return await promisify(pbkdf2)(password, kdf.params.salt, kdf.params.c, 32, 'sha256')
    }
    const { n, r, p, salt } = kdf.params
    // OpenSSL counts its smaller buffers too.
    const maxmem = scryptMemory(n, r) + 128 * r * p + 2 ** 20
    return await promisify<Buffer>((done) => scrypt(password, salt, 32, { N: n, r, p, maxmem }, done))()
  } catch (cause) {
    // For example: not enough memory.
    throw new DvtExitError('INVALID_KEYSTORE', `its key cannot be derived: ${describeError(cause)}`, {
      cause,
    })
  }
}
