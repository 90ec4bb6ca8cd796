/** The key shares inside keystores: decrypted in parallel off the event loop, each checked against its file. */
import { availableParallelism } from 'node:os'
import { bls, type SecretScalar } from '../../core/bls/backend.js'
import { parseSecretKey } from '../../core/bls/points.js'
import { ConfigurationError, DvtExitError } from '../../core/errors.js'
import { type PublicKeyHex, toHex } from '../../core/hex.js'
import { decryptCrypto } from '../../core/keystore/eip2335.js'
import type { Progress } from '../../core/progress.js'
import { Secret } from '../../core/secret.js'
import type { KeystoreFile } from './keystore-files.js'

/** One share of a validator's key, which only this node has. */
export interface KeyShare {
  readonly file: string
  readonly publicShare: PublicKeyHex
  readonly secret: Secret<SecretScalar>
}

/** Remembers what was decrypted, by the files' content, so that a reload decrypts only what is new. */
export class KeyShareDecryptor {
  readonly #known = new Map<string, KeyShare>()
  readonly #parallel: number

  /** @param parallel how many keys are derived at once: one a core keeps all of them busy */
  constructor(parallel = availableParallelism()) {
    this.#parallel = parallel
  }

  /** Decrypts keystores. What fails is in the errors, each naming its file. */
  async decryptAll(
    keystores: readonly KeystoreFile[],
    progress: Progress = () => {},
  ): Promise<{ shares: KeyShare[]; errors: ConfigurationError[] }> {
    const results = new Array<KeyShare | ConfigurationError | undefined>(keystores.length)
    const queue = keystores.entries()
    let done = 0
    const work = async () => {
      for (const [i, keystore] of queue) {
        results[i] = await this.#decrypt(keystore)
        done += 1
        progress(done, keystores.length)
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#parallel, keystores.length) }, work))
    const shares: KeyShare[] = []
    const errors: ConfigurationError[] = []
    for (const result of results) {
      if (result instanceof ConfigurationError) errors.push(result)
      else if (result !== undefined) shares.push(result)
    }
    return { shares, errors }
  }

  async #decrypt(keystore: KeystoreFile): Promise<KeyShare | ConfigurationError> {
    const known = this.#known.get(`${keystore.file} ${keystore.contentHash}`)
    if (known !== undefined) return known
    try {
      const share = await decryptShare(keystore)
      this.#known.set(`${keystore.file} ${keystore.contentHash}`, share)
      return share
    } catch (error) {
      if (error instanceof ConfigurationError) return error
      throw error
    }
  }
}

async function decryptShare({ file, keystore, password }: KeystoreFile): Promise<KeyShare> {
  try {
    const secret = parseSecretKey(await decryptCrypto(keystore.crypto, password.reveal()))
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
      cause.code === 'WRONG_PASSWORD'
        ? `The password is read from ${file.replace(/\.json$/, '.txt')}`
        : undefined
    throw new ConfigurationError(cause.code, `keystore ${file}: ${cause.message}`, {
      cause,
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
