/** The key shares inside keystores: decrypted in parallel off the event loop, each checked against its file. */
import { availableParallelism } from 'node:os'
import { bls, type SecretScalar } from '../../core/bls/backend.js'
import { parseSecretKey } from '../../core/bls/points.js'
import { ConfigurationError, DvtExitError } from '../../core/errors.js'
import { type PublicKeyHex, toHex } from '../../core/hex.js'
import { decryptCrypto, type EncryptedCrypto } from '../../core/keystore/eip2335.js'
import type { Progress } from '../../core/progress.js'
import { Secret } from '../../core/secret.js'
import { COPY_ANEW, type KeystoreFile, passwordFileOf } from './keystore-files.js'

/** One share of a validator's key, which only this node has. */
export interface KeyShare {
  readonly file: string
  readonly publicShare: PublicKeyHex
  readonly secret: Secret<SecretScalar>
}

export interface DecryptOptions {
  readonly progress?: Progress | undefined
  /** When it is aborted, no further keystore is begun and what is missing is left out. */
  readonly signal?: AbortSignal | undefined
}

/** Remembers what it decrypted last, by the files' content, so that a reload decrypts only what is new. */
export class KeyShareDecryptor {
  #known = new Map<string, KeyShare>()
  readonly #parallel: number

  /**
   * @param parallel how many keys are derived at once: one a core keeps all of them busy, as far as libuv has
   *   threads (UV_THREADPOOL_SIZE, 4 unless the process was started with more)
   */
  constructor(parallel = availableParallelism()) {
    this.#parallel = parallel
  }

  /** Decrypts all keystores of a node. What fails is in the errors, each naming its file. */
  async decryptAll(
    keystores: readonly KeystoreFile[],
    { progress = () => {}, signal }: DecryptOptions = {},
  ): Promise<{ shares: KeyShare[]; errors: ConfigurationError[] }> {
    const results = new Array<KeyShare | ConfigurationError | undefined>(keystores.length)
    const queue = keystores.entries()
    const known = new Map<string, KeyShare>()
    let done = 0
    const work = async () => {
      for (const [i, keystore] of queue) {
        if (signal?.aborted === true) return
        const name = `${keystore.file} ${keystore.contentHash}`
        const result = this.#known.get(name) ?? (await decryptShare(keystore))
        if (!(result instanceof ConfigurationError)) known.set(name, result)
        results[i] = result
        done += 1
        progress(done, keystores.length)
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#parallel, keystores.length) }, work))
    this.#known = known
    const shares: KeyShare[] = []
    const errors: ConfigurationError[] = []
    for (const result of results) {
      if (result instanceof ConfigurationError) errors.push(result)
      else if (result !== undefined) shares.push(result)
    }
    return { shares, errors }
  }
}

async function decryptShare({
  file,
  keystore,
  password,
}: KeystoreFile): Promise<KeyShare | ConfigurationError> {
  try {
    const secret = await decryptScalar(keystore.crypto, password)
    const publicShare = toHex(bls.encodePublicKey(bls.toPublicKey(secret)))
    if (keystore.publicKey !== undefined && keystore.publicKey !== publicShare) {
      throw new DvtExitError(
        'WRONG_PUBLIC_KEY',
        `holds the key of ${publicShare}, but says ${keystore.publicKey}`,
      )
    }
    return { file, publicShare, secret: new Secret(secret) }
  } catch (cause) {
    if (!(cause instanceof DvtExitError)) throw cause
    const hint =
      cause.code === 'WRONG_PASSWORD' ? `The password is read from ${passwordFileOf(file)}` : COPY_ANEW
    return new ConfigurationError(cause.code, `keystore ${file}: ${cause.message}`, { cause, hint })
  }
}

async function decryptScalar(crypto: EncryptedCrypto, password: Secret<Uint8Array>): Promise<SecretScalar> {
  const bytes = await decryptCrypto(crypto, password.reveal())
  try {
    return parseSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}
