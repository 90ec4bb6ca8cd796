/** A Charon node's key shares as a signer, kept up to date while Charon's files change. */
import { bls } from '../../core/bls/backend.js'
import { type Clock, systemClock } from '../../core/clock.js'
import { ConfigurationErrors, DvtExitError, describeError } from '../../core/errors.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { type DepositMessage, depositSigningRoot } from '../../core/messages/deposit.js'
import { type VoluntaryExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { ExitSigner, PublicShares } from '../../core/signer.js'
import { directoryFingerprint } from './fingerprint.js'
import { type LoadContext, type LoadedNode, loadNode, type NodeFiles } from './node.js'
import type { PlacedShare } from './node-identity.js'

/** Milliseconds between two looks at Charon's files. */
const WATCH_INTERVAL = 5_000

export interface ObolSignerContext extends LoadContext {
  readonly logger: Logger
  readonly clock?: Clock
}

export class ObolSigner implements ExitSigner {
  readonly name: string
  readonly shareIndex: bigint
  readonly #files: NodeFiles
  readonly #context: ObolSignerContext
  readonly #listeners: (() => void)[] = []
  readonly #stop = new AbortController()
  #placed: ReadonlyMap<PublicKeyHex, PlacedShare>
  #watching: Promise<void> = Promise.resolve()

  private constructor(files: NodeFiles, context: ObolSignerContext, nodeIndex: number, loaded: LoadedNode) {
    this.#files = files
    this.#context = context
    this.#placed = loaded.placed
    this.name = `charon node ${nodeIndex}`
    this.shareIndex = BigInt(nodeIndex + 1)
  }

  /**
   * Loads a node's files and begins to watch them.
   * @throws ConfigurationErrors with everything that is wrong with them
   */
  static async create(files: NodeFiles, context: ObolSignerContext): Promise<ObolSigner> {
    const fingerprint = await directoryFingerprint(files)
    const loaded = await loadNode(files, context)
    if (loaded.errors.length > 0 || loaded.nodeIndex === undefined)
      throw new ConfigurationErrors(loaded.errors)
    for (const warning of loaded.warnings) context.logger.warn(warning)
    const signer = new ObolSigner(files, context, loaded.nodeIndex, loaded)
    signer.#watching = signer.#watch(fingerprint)
    return signer
  }

  validators(): ReadonlyMap<PublicKeyHex, PublicShares> {
    return new Map([...this.#placed].map(([publicKey, { validator }]) => [publicKey, validator]))
  }

  async signExit(publicKey: PublicKeyHex, exit: VoluntaryExit): Promise<Uint8Array> {
    return this.#sign(publicKey, voluntaryExitSigningRoot(this.#context.network, exit))
  }

  async signDeposit(publicKey: PublicKeyHex, deposit: DepositMessage): Promise<Uint8Array> {
    return this.#sign(publicKey, depositSigningRoot(this.#context.network, deposit))
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#watching
  }

  #sign(publicKey: PublicKeyHex, root: Uint8Array): Uint8Array {
    const placed = this.#placed.get(publicKey)
    if (placed === undefined) {
      throw new DvtExitError('UNKNOWN_VALIDATOR', `${this.name} has no key share of validator ${publicKey}`)
    }
    return bls.encodeSignature(bls.sign(placed.share.secret.reveal(), root))
  }

  async #watch(first: string): Promise<void> {
    const clock = this.#context.clock ?? systemClock
    let seen = first
    for (;;) {
      await clock.sleep(WATCH_INTERVAL, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      const now = await directoryFingerprint(this.#files)
      if (now === seen) continue
      seen = now
      try {
        this.#take(await loadNode(this.#files, this.#context))
      } catch (error) {
        this.#context.logger.error(`${this.name}: cannot reload its keystores: ${describeError(error)}`)
      }
    }
  }

  /** Takes what is good of a reload. Shares that were good stay, as long as the lock still has them. */
  #take(loaded: LoadedNode): void {
    const { logger } = this.#context
    for (const error of loaded.errors) logger.warn(`${this.name}: ${describeError(error)}`)
    for (const warning of loaded.warnings) logger.warn(warning)
    if (loaded.lock === undefined) return
    if (loaded.nodeIndex !== undefined && BigInt(loaded.nodeIndex + 1) !== this.shareIndex) {
      logger.error(
        `${this.name}: the files are now those of node ${loaded.nodeIndex}: restart the sidecar to become it`,
      )
      return
    }
    const next = new Map<PublicKeyHex, PlacedShare>()
    for (const validator of loaded.lock.validators) {
      const before = this.#placed.get(validator.publicKey)
      const kept =
        before !== undefined && validator.shares.get(this.shareIndex) === before.share.publicShare
          ? { ...before, validator }
          : undefined
      const placed = loaded.placed.get(validator.publicKey) ?? kept
      if (placed !== undefined) next.set(validator.publicKey, placed)
    }
    this.#report(next)
    this.#placed = next
    for (const listener of this.#listeners) listener()
  }

  #report(next: ReadonlyMap<PublicKeyHex, PlacedShare>): void {
    const { logger } = this.#context
    for (const publicKey of next.keys()) {
      if (!this.#placed.has(publicKey)) logger.info(`${this.name}: added validator ${publicKey}`)
    }
    for (const publicKey of this.#placed.keys()) {
      if (!next.has(publicKey)) logger.info(`${this.name}: removed validator ${publicKey}`)
    }
  }
}
