/** The relayer's core: exits by the index that the chain will give, their shares, and what the oracles get. */
import { DvtExitError, describeError, UnavailableError } from '../core/errors.js'
import type { PublicKeyHex } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import type { Network } from '../core/network.js'
import type { ProtocolConfig } from '../core/oracles/protocol-config.js'
import type { OraclesSource } from '../core/oracles/source.js'
import type { ExitCrypto } from './crypto/exit-crypto.js'
import { RequestedKeyError } from './exits/errors.js'
import { assertDistinctKeys, KeyChecks } from './exits/key-checks.js'
import { type ExitId, exitName } from './exits/records.js'
import type {
  ExitService,
  ListedExit,
  OracleShares,
  PostedShare,
  RejectedShare,
  RequestedExit,
} from './exits/service.js'
import { type PublicSharesSource, Sharings } from './exits/sharings.js'
import { SigningRoots } from './exits/signing-roots.js'
import type { ExitMetrics } from './metrics.js'
import { PostedShares } from './posted-shares.js'
import { Recoveries } from './recoveries.js'
import type { ExitStore } from './store/exit-store.js'

/** What the chain says about keys and indexes. */
export interface IndexSource {
  /** The index that the next validator gets. */
  next(): Promise<{ readonly index: number }>
  /** Those of the keys that are validators, or have a deposit, already. */
  knownKeys(publicKeys: PublicKeyHex[]): Promise<PublicKeyHex[]>
}

export interface RelayerLimits {
  /** Seconds after the last request for an exit until it is dropped. */
  readonly validatorLifetime: number
  /** Public keys in one request. */
  readonly maxKeysPerRequest: number
  /** Public keys whose exits are kept. */
  readonly maxExits: number
  /** Subsets tried in one round, where public shares are not known. */
  readonly maxTrials: number
}

export const DEFAULT_LIMITS: RelayerLimits = {
  validatorLifetime: 3600,
  maxKeysPerRequest: 1000,
  maxExits: 10_000,
  maxTrials: 2500,
}

export interface RelayerParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly network: Network
  readonly indexes: IndexSource
  readonly publicShares: PublicSharesSource
  readonly oracles: OraclesSource
  /** SIGNATURE_THRESHOLD: shares that make a signature of a key in no given cluster. */
  readonly signatureThreshold: number | undefined
  readonly limits: RelayerLimits
  /** Exits recovered at once: the threads that the crypto has for it. */
  readonly concurrency: number
  /** Seconds since 1970. */
  readonly clock: () => number
  readonly logger: Logger
  readonly metrics: ExitMetrics
}

/** Milliseconds between two looks for exits whose lifetime is over or whose validator has its deposit. */
const SWEEP_INTERVAL = 300_000

export class RelayerService implements ExitService {
  readonly #parts: RelayerParts
  readonly #keyChecks: KeyChecks
  readonly #posts: PostedShares
  readonly #recoveries: Recoveries
  readonly #shares = new Map<string, OracleShares>()
  #version: number
  #ready: { readonly version: number; readonly setHash: string; readonly names: Set<string> } | undefined
  #list: { readonly version: number; readonly exits: readonly ListedExit[] } | undefined
  #expiredAt = 0
  #sweeper: NodeJS.Timeout | undefined
  #background: Promise<void> = Promise.resolve()

  constructor(parts: RelayerParts) {
    this.#parts = parts
    // A version of an earlier process never comes again.
    this.#version = Math.floor(parts.clock() * 1000)
    const sharings = new Sharings(parts.publicShares)
    const signingRoots = new SigningRoots(parts.network)
    this.#keyChecks = new KeyChecks((publicKeys) => parts.crypto.checkPublicKeys(publicKeys))
    this.#posts = new PostedShares({ ...parts, sharings, signingRoots, readiness: () => this.#readiness() })
    this.#recoveries = new Recoveries({
      ...parts,
      sharings,
      signingRoots,
      mostTrials: parts.limits.maxTrials,
      onChange: () => this.#changed(),
    })
    parts.publicShares.onChange(() => this.#resume())
    parts.oracles.onChange(() => {
      this.#shares.clear()
      this.#changed()
      this.#resume()
    })
  }

  get listVersion(): number {
    return this.#version
  }

  /** Goes on with what a former process left, and begins to drop what is over. */
  async start(): Promise<void> {
    await this.#recoveries.resume()
    this.#sweeper = setInterval(() => this.#inBackground(() => this.sweep()), SWEEP_INTERVAL)
  }

  /** Resolves when no recovery waits or runs. */
  async idle(): Promise<void> {
    await this.#background
    await this.#recoveries.idle()
  }

  /** Stops; what is unfinished goes on at the next start. Crypto and database are the caller's to close. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    await this.#background
    await this.#recoveries.close()
  }

  /**
   * See ExitService. Where the chain does not answer nothing is served, not even exits that are ready: their
   * index may have moved since, and an exit for a wrong index is refused by the oracles at best.
   */
  async requestExits(publicKeys: readonly PublicKeyHex[]): Promise<readonly RequestedExit[]> {
    const { indexes, oracles, store, limits, clock } = this.#parts
    assertDistinctKeys(publicKeys)
    if (publicKeys.length > limits.maxKeysPerRequest) {
      throw new DvtExitError(
        'TOO_MANY_EXITS',
        `${publicKeys.length} keys are asked for at once, ${limits.maxKeysPerRequest} are allowed`,
        { hint: 'Ask for fewer' },
      )
    }
    await this.#expire()
    await this.#keyChecks.assertValid(publicKeys)
    const config = await oracles.current()
    const [known, { index: start }] = await Promise.all([indexes.knownKeys([...publicKeys]), indexes.next()])
    await this.#refuseKnown(publicKeys, known)
    const asked = publicKeys.map((publicKey, i) => ({ publicKey, validatorIndex: start + i }))
    const shown = await store.request(asked, {
      now: Math.floor(clock()),
      touchAfter: Math.max(1, Math.floor(limits.validatorLifetime / 60)),
      mostKeys: limits.maxExits,
    })
    if (shown.length > 0) this.#changed()
    for (const exit of shown) {
      // It may be a new exit in the place of a dropped one, whose parts are others.
      this.#shares.delete(cached(exit, config))
      this.#recoveries.enqueue(exit)
    }
    return this.#answer(asked, config)
  }

  async listExits(): Promise<readonly ListedExit[]> {
    await this.#expire()
    if (this.#list?.version === this.#version) return this.#list.exits
    const version = this.#version
    const config = await this.#currentOracles()
    const ready = config === undefined ? new Set<string>() : await this.#readyNames(config)
    const exits = await this.#parts.store.list(ready)
    this.#list = { version, exits }
    return exits
  }

  async postShares(shareIndex: bigint, shares: readonly PostedShare[]): Promise<readonly RejectedShare[]> {
    await this.#expire()
    const { rejected, changed } = await this.#posts.take(shareIndex, shares)
    if (changed.length > 0) this.#changed()
    for (const exit of changed) this.#recoveries.enqueue(exit)
    return rejected
  }

  /** Drops exits whose lifetime is over, and those whose validator has its deposit. */
  async sweep(): Promise<void> {
    await this.#expire()
    const { store, indexes, logger } = this.#parts
    const publicKeys = await store.publicKeys()
    if (publicKeys.length === 0) return
    try {
      await this.#drop(await indexes.knownKeys(publicKeys))
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      logger.debug({ error: describeError(error) }, 'cannot look for deposits now')
    }
  }

  async #refuseKnown(asked: readonly PublicKeyHex[], known: readonly PublicKeyHex[]): Promise<void> {
    await this.#drop(known)
    const position = asked.findIndex((publicKey) => known.includes(publicKey))
    const publicKey = asked[position]
    if (publicKey === undefined) return
    throw new RequestedKeyError(
      'KNOWN_VALIDATOR',
      publicKey,
      position,
      'is a validator, or has a deposit, already',
      'Leave it out: it takes no further index',
    )
  }

  async #drop(publicKeys: readonly PublicKeyHex[]): Promise<void> {
    if (publicKeys.length === 0) return
    const dropped = await this.#parts.store.deleteKeys(publicKeys)
    if (dropped === 0) return
    this.#changed()
    this.#parts.logger.info({ exits: dropped }, 'exits of deposited validators dropped, with their shares')
  }

  /** Drops exits whose lifetime is over, at most once a second of the clock. */
  async #expire(): Promise<void> {
    const now = Math.floor(this.#parts.clock())
    if (now <= this.#expiredAt) return
    this.#expiredAt = now
    const dropped = await this.#parts.store.deleteAskedBefore(now - this.#parts.limits.validatorLifetime)
    if (dropped === 0) return
    this.#changed()
    this.#parts.logger.info({ exits: dropped }, 'exits that nobody asks for dropped, with their shares')
  }

  /** Parts never change once they are made, so each is read from the store once. */
  async #answer(asked: readonly ExitId[], config: ProtocolConfig): Promise<RequestedExit[]> {
    const ready = await this.#readyNames(config)
    const missing = asked.filter(
      (exit) => ready.has(exitName(exit)) && !this.#shares.has(cached(exit, config)),
    )
    const found = await this.#parts.store.partsOf(
      missing.map((exit) => exit.publicKey),
      config.setHash,
    )
    for (const exit of missing) {
      const parts = found.get(exitName(exit))
      if (parts !== undefined) this.#shares.set(cached(exit, config), parts)
    }
    return asked.map((exit) => ({
      ...exit,
      oracleShares: ready.has(exitName(exit)) ? (this.#shares.get(cached(exit, config)) ?? null) : null,
    }))
  }

  async #readyNames(config: ProtocolConfig): Promise<Set<string>> {
    const known = this.#ready
    if (known?.version === this.#version && known.setHash === config.setHash) return known.names
    const version = this.#version
    const names = await this.#parts.store.readyExits(config.setHash)
    this.#ready = { version, setHash: config.setHash, names }
    if (this.#shares.size > 2 * names.size + this.#parts.limits.maxKeysPerRequest) this.#shares.clear()
    return names
  }

  async #readiness(): Promise<(exit: ExitId) => boolean> {
    const config = await this.#currentOracles()
    if (config === undefined) return () => false
    const names = await this.#readyNames(config)
    return (exit) => names.has(exitName(exit))
  }

  async #currentOracles(): Promise<ProtocolConfig | undefined> {
    try {
      return await this.#parts.oracles.current()
    } catch (error) {
      if (error instanceof UnavailableError) return undefined
      throw error
    }
  }

  #changed(): void {
    this.#version++
  }

  #resume(): void {
    this.#inBackground(() => this.#recoveries.resume())
  }

  #inBackground(work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((error: unknown) => {
      this.#parts.logger.error({ error: describeError(error) }, 'background work failed')
    })
  }
}

function cached(exit: ExitId, config: ProtocolConfig): string {
  return `${config.setHash} ${exitName(exit)}`
}
