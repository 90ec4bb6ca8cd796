/** A Charon node's key shares as a signer, kept up to date while Charon's files change. */
import { bls } from '../../core/bls/backend.js'
import { type Clock, systemClock } from '../../core/clock.js'
import type { LockValidator } from '../../core/clusters/cluster-lock.js'
import { ConfigurationErrors, DvtExitError, describeError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import {
  type DepositMessage,
  depositSigningRoot,
  withdrawalCredentials,
} from '../../core/messages/deposit.js'
import { type VoluntaryExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { ExitSigner, PublicShares } from '../../core/signer.js'
import { directoryFingerprint } from './fingerprint.js'
import type { DecryptOptions, KeyShare } from './key-shares.js'
import { type LoadContext, type LoadedNode, loadNode, type NodeFiles } from './node.js'
import type { PlacedShare } from './node-identity.js'

/** Milliseconds between two looks at Charon's files. */
const WATCH_INTERVAL = 5_000

export interface ObolSignerContext extends LoadContext {
  readonly logger: Logger
  readonly clock?: Clock | undefined
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
   * @param options.signal stops loading; the signer itself is stopped by close
   * @throws ConfigurationErrors with everything that is wrong with them; the signal's reason once it is aborted
   */
  static async create(
    files: NodeFiles,
    context: ObolSignerContext,
    options: DecryptOptions = {},
  ): Promise<ObolSigner> {
    const fingerprint = await directoryFingerprint(files)
    const loaded = await loadNode(files, context, options)
    options.signal?.throwIfAborted()
    if (loaded.errors.length > 0 || loaded.nodeIndex === undefined) {
      throw new ConfigurationErrors(loaded.errors)
    }
    for (const warning of loaded.warnings) context.logger.warn(warning)
    const signer = new ObolSigner(files, context, loaded.nodeIndex, loaded)
    signer.#watching = signer.#watch(fingerprint)
    return signer
  }

  validators(): ReadonlyMap<PublicKeyHex, PublicShares> {
    return new Map([...this.#placed].map(([publicKey, { validator }]) => [publicKey, validator]))
  }

  /** The one that all nodes agreed on in the cluster lock. */
  withdrawalAddresses(publicKey: PublicKeyHex): readonly Hex[] {
    const address = this.#placed.get(publicKey)?.validator.withdrawalAddress
    return address === undefined ? [] : [address]
  }

  async signExit(publicKey: PublicKeyHex, exit: VoluntaryExit): Promise<Uint8Array> {
    return this.#sign(publicKey, voluntaryExitSigningRoot(this.#context.network, exit))
  }

  /**
   * As ExitSigner says; only for the withdrawal address that the cluster lock names.
   * @throws DvtExitError UNKNOWN_VALIDATOR, WRONG_WITHDRAWAL_ADDRESS
   */
  async signDeposit(publicKey: PublicKeyHex, deposit: DepositMessage): Promise<Uint8Array> {
    assertOwnDeposit(this.#placedShare(publicKey).validator, deposit)
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
    return bls.encodeSignature(bls.sign(this.#placedShare(publicKey).share.secret.reveal(), root))
  }

  #placedShare(publicKey: PublicKeyHex): PlacedShare {
    const placed = this.#placed.get(publicKey)
    if (placed !== undefined) return placed
    throw new DvtExitError('UNKNOWN_VALIDATOR', `${this.name} has no key share of validator ${publicKey}`)
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

  /**
   * Takes what is good of a reload. Shares that were good stay while the lock has them, whatever became of
   * their files; but where keystores may be missing, one that was taken away is no error and its share goes.
   */
  #take(loaded: LoadedNode): void {
    const { logger } = this.#context
    for (const error of loaded.errors) logger.warn(`${this.name}: ${describeError(error)}`)
    for (const warning of loaded.warnings) logger.warn(warning)
    const { lock, nodeIndex, keystoreFiles } = loaded
    if (lock === undefined) return
    const isSameNode = nodeIndex === undefined || BigInt(nodeIndex + 1) === this.shareIndex
    if (!isSameNode) {
      logger.error(
        `${this.name}: the files are now those of node ${nodeIndex}: restart the sidecar to become it`,
      )
    }
    const wasTakenAway = ({ file }: KeyShare) =>
      this.#files.allowIncomplete && isSameNode && keystoreFiles?.has(file) === false
    const next = new Map<PublicKeyHex, PlacedShare>()
    for (const validator of lock.validators) {
      const found = isSameNode ? loaded.placed.get(validator.publicKey) : undefined
      const before = this.#placed.get(validator.publicKey)
      const isKept =
        before !== undefined &&
        validator.shares.get(this.shareIndex) === before.share.publicShare &&
        !wasTakenAway(before.share)
      if (found !== undefined) next.set(validator.publicKey, found)
      else if (isKept) next.set(validator.publicKey, { ...before, validator })
    }
    const changes = describeChanges(this.#placed, next)
    this.#placed = next
    for (const change of changes) logger.info(`${this.name}: ${change}`)
    if (changes.length > 0) for (const listener of this.#listeners) listener()
  }
}

/** One line for each validator that was added, removed, or has another sharing than before. */
function describeChanges(
  before: ReadonlyMap<PublicKeyHex, PlacedShare>,
  after: ReadonlyMap<PublicKeyHex, PlacedShare>,
): string[] {
  const changes: string[] = []
  for (const [publicKey, placed] of after) {
    const old = before.get(publicKey)
    if (old === undefined) changes.push(`added validator ${publicKey}`)
    else if (!isSameSharing(old.validator, placed.validator)) {
      changes.push(`validator ${publicKey} has new key shares`)
    }
  }
  for (const publicKey of before.keys()) {
    if (!after.has(publicKey)) changes.push(`removed validator ${publicKey}`)
  }
  return changes
}

function isSameSharing(a: PublicShares, b: PublicShares): boolean {
  return (
    a.threshold === b.threshold &&
    a.shares.size === b.shares.size &&
    [...a.shares].every(([index, share]) => b.shares.get(index) === share)
  )
}

/** Whoever gets the withdrawals owns the deposit: only the address that all nodes agreed on in the lock. */
function assertOwnDeposit({ publicKey, withdrawalAddress }: LockValidator, deposit: DepositMessage): void {
  const allowed =
    withdrawalAddress === undefined
      ? []
      : [withdrawalCredentials('0x01', withdrawalAddress), withdrawalCredentials('0x02', withdrawalAddress)]
  if (deposit.publicKey === publicKey && allowed.includes(deposit.withdrawalCredentials)) return
  throw new DvtExitError(
    'WRONG_WITHDRAWAL_ADDRESS',
    `deposit of validator ${deposit.publicKey} with withdrawal credentials ${deposit.withdrawalCredentials}: the cluster lock has validator ${publicKey} with ${withdrawalAddress ?? 'no withdrawal address'}`,
  )
}
