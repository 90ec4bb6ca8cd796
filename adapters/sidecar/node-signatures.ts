/** A node's own signatures, made once and kept in memory as long as its keys stay what they are. */
import { Conditions } from '../../core/conditions.js'
import { describeError } from '../../core/errors.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { ExitSigner } from '../../core/signer.js'
import { SignatureCache } from './signature-cache.js'

/** A signature to make. */
export interface SigningTask {
  readonly signer: ExitSigner
  readonly publicKey: PublicKeyHex
  /** Names what is signed, key included. */
  readonly id: string
  readonly make: () => Promise<Uint8Array>
  /** What it is, for the log. */
  readonly describe: () => object
}

/** 96 bytes. */
export interface MadeSignature {
  readonly signature: Uint8Array
  /** Keeps it for the next time: to be called when it is in the audit log. */
  readonly keep: () => void
}

const REMEMBERED = 10_000

export class NodeSignatures {
  readonly #what: string
  readonly #most: number
  readonly #logger: Logger
  /** Replaced when a node's keys change: it may hold another sharing then, whose shares do not mix. */
  readonly #caches = new Map<ExitSigner, SignatureCache>()
  readonly #troubles = new Conditions(REMEMBERED)

  /**
   * @param what is signed, for the log, as "an exit"
   * @param most how many signatures of each node are kept
   */
  constructor(what: string, signers: readonly ExitSigner[], most: number, logger: Logger) {
    this.#what = what
    this.#most = most
    this.#logger = logger
    for (const signer of signers) {
      this.#renew(signer)
      signer.onChange(() => this.#renew(signer))
    }
  }

  /** One that was kept. */
  get(signer: ExitSigner, id: string): Uint8Array | undefined {
    return this.#caches.get(signer)?.get(id)
  }

  /** Makes a signature; undefined, said once in the log, where the node cannot. */
  async make({ signer, publicKey, id, make, describe }: SigningTask): Promise<MadeSignature | undefined> {
    const cache = this.#caches.get(signer)
    const trouble = `${signer.shareIndex}/${publicKey}`
    try {
      const signature = await make()
      this.#troubles.ends(trouble)
      return { signature, keep: () => cache?.set(id, signature) }
    } catch (error) {
      const reason = describeError(error)
      if (this.#troubles.begins(trouble, reason)) {
        this.#logger.error(describe(), `cannot sign ${this.#what}: ${reason}`)
      }
      return undefined
    }
  }

  /** Forgets one that was found wrong, so that it is made anew. */
  forget(signer: ExitSigner, id: string): void {
    this.#caches.get(signer)?.delete(id)
  }

  #renew(signer: ExitSigner): void {
    this.#caches.set(signer, new SignatureCache(this.#most))
  }
}
