/** Keys from passwords, as EIP-2335 keystores and Web3 Secret Storage files say: scrypt or PBKDF2, 32 bytes. */
import { pbkdf2, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { DvtExitError, describeError } from '../errors.js'
import { fromHex } from '../hex.js'

/** Beyond these a file is an attack or a mistake: deriving its key would take hours or all memory. */
const MAX_PBKDF2_ITERATIONS = 2 ** 24
const MAX_SCRYPT_N = 2 ** 20
const MAX_SCRYPT_MEMORY = 2 ** 31
const MAX_SCRYPT_BLOCK_SIZE = 64
const MAX_SCRYPT_PARALLELISM = 16

/** A key derivation function with its parameters; the key has 32 bytes. */
export type KeyDerivation =
  | { readonly function: 'pbkdf2'; readonly params: { readonly c: number; readonly salt: Uint8Array } }
  | {
      readonly function: 'scrypt'
      readonly params: {
        readonly n: number
        readonly r: number
        readonly p: number
        readonly salt: Uint8Array
      }
    }

/** Hex of any or of a fixed number of bytes, as a keystore's field. The message does not repeat it. */
export const hexField = (length?: number) =>
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

/** @throws DvtExitError KDF_TOO_EXPENSIVE; INVALID_KEYSTORE where n is no power of two */
export function assertAffordable(kdf: KeyDerivation): void {
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
  if (!Number.isInteger(Math.log2(n))) {
    throw new DvtExitError('INVALID_KEYSTORE', `scrypt cannot work with n = ${n}, r = ${r}`)
  }
}

/** Whether OpenSSL derives it: of scrypt it takes n below 2^(128 · r / 8) alone (RFC 7914, section 2). */
export function isWithinStandard(kdf: KeyDerivation): boolean {
  return kdf.function === 'pbkdf2' || Math.log2(kdf.params.n) < 16 * kdf.params.r
}

/**
 * Derives a key of 32 bytes in libuv's threads.
 * @param kdf affordable (assertAffordable) and isWithinStandard; PBKDF2 with HMAC-SHA-256
 * @throws DvtExitError INVALID_KEYSTORE where the derivation fails
 */
export async function deriveKey(kdf: KeyDerivation, password: Uint8Array): Promise<Buffer> {
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

/** Bytes. */
function scryptMemory(n: number, r: number): number {
  return 128 * n * r
}

function tooExpensive(parameters: string): DvtExitError {
  return new DvtExitError('KDF_TOO_EXPENSIVE', `key derivation with ${parameters} is beyond sense`)
}
