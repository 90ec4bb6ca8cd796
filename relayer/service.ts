/** The relayer's core: exits by the index that the chain will give, their shares, and what the oracles get. */
import { DvtExitError, describeError } from '../core/errors.js'
import type { PublicKeyHex } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import type { Network } from '../core/network.js'
import type { ProtocolConfig } from '../core/oracles/protocol-config.js'
import type { OraclesSource } from '../core/oracles/source.js'
import type { ExitCrypto } from './crypto/exit-crypto.js'
import { RequestedKeyError } from './exits/errors.js'
import { assertDistinctKeys, KeyChecks } from './exits/key-checks.js'
import { listShownExits, listShownValidators } from './exits/listing.js'
import { depositMessage, exitMessage, isExit } from './exits/message.js'
import { type MessageId, messageName } from './exits/records.js'
import type { ExitService, ListedExit, PostedShare, RejectedShare, RequestedExit } from './exits/service.js'
import { type PublicSharesSource, Sharings } from './exits/sharings.js'
import { SigningRoots } from './exits/signing-roots.js'
import type { RelayerLimits } from './limits.js'
import type { ExitMetrics } from './metrics.js'
import { PostedShares } from './posted-shares.js'
import { Readiness } from './readiness.js'
import { Recoveries } from './recoveries.js'
import { ShareIntake } from './share-intake.js'
import type { ExitStore } from './store/exit-store.js'
import { Upkeep } from './upkeep.js'
import type { ClaimedSharings } from './validators/claimed-sharings.js'
import { Claims } from './validators/claims.js'
import type {
  CollectedValidator,
  ListedValidator,
  PostedSignatures,
  RejectedSignature,
  ValidatorService,
  WantedDeposit,
  WantedValidator,
} from './validators/service.js'

/** What the chain says about keys and indexes. */
export interface IndexSource {
  /** The index that the next validator gets. */
  next(): Promise<{ readonly index: number }>
  /** Those of the keys that are validators, or have a deposit, already. */
  knownKeys(publicKeys: PublicKeyHex[]): Promise<PublicKeyHex[]>
}

export interface RelayerParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly network: Network
  readonly indexes: IndexSource
  readonly publicShares: PublicSharesSource
  /** What sidecars claim, for keys in no given cluster. */
  readonly claimedShares: ClaimedSharings
  /** The deposit of a key of which only the exit is asked for; undefined where none is known. */
  readonly depositOf: (publicKey: PublicKeyHex) => WantedDeposit | undefined
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

export class RelayerService implements ExitService, ValidatorService {
  readonly #parts: RelayerParts
  readonly #keyChecks: KeyChecks
  readonly #intake: ShareIntake
  readonly #recoveries: Recoveries
  readonly #readiness: Readiness
  readonly #claims: Claims
  readonly #upkeep: Upkeep
  #version: number
  #list: { readonly version: number; readonly exits: readonly ListedExit[] } | undefined
  #sweeper: NodeJS.Timeout | undefined
  #background: Promise<void> = Promise.resolve()

  constructor(parts: RelayerParts) {
    this.#parts = parts
    const { store, oracles, limits, indexes } = parts
    const onChange = () => this.#changed()
    // A version of an earlier process never comes again.
    this.#version = Math.floor(parts.clock() * 1000)
    const { publicShares: given, claimedShares: claimed } = parts
    const sharings = new Sharings(given, claimed)
    const signingRoots = new SigningRoots(parts.network)
    this.#claims = new Claims({ ...parts, signingRoots, given, claimed, maxSets: limits.maxSetsPerKey })
    this.#keyChecks = new KeyChecks((publicKeys) => parts.crypto.checkPublicKeys(publicKeys))
    const version = () => this.#version
    this.#readiness = new Readiness({ store, oracles, version, spare: limits.maxKeysPerRequest })
    this.#upkeep = new Upkeep({
      ...parts,
      knownKeys: (publicKeys) => indexes.knownKeys(publicKeys),
      lifetime: limits.validatorLifetime,
      onChange,
    })
    const posts = new PostedShares({
      ...parts,
      sharings,
      signingRoots,
      readiness: () => this.#readiness.check(),
    })
    const takeUp = (messages: readonly MessageId[]) => this.#takeUp(messages)
    this.#intake = new ShareIntake({ posts, claims: this.#claims, takeUp })
    this.#recoveries = new Recoveries({
      ...parts,
      sharings,
      signingRoots,
      maxTrials: limits.maxTrials,
      onChange,
    })
    given.onChange(() => this.resume())
    oracles.onChange(() => {
      this.#readiness.forgetAll()
      this.#changed()
      this.resume()
    })
  }

  get listVersion(): number {
    return this.#version
  }

  /** Goes on with what a former process left, and begins to drop what is over. */
  async start(): Promise<void> {
    await this.#claims.recount()
    await this.#recoveries.resume()
    this.#sweeper = setInterval(() => this.#inBackground(() => this.sweep()), SWEEP_INTERVAL)
  }

  /** Takes up in the background what is unfinished: after a time in which nothing could be stored. */
  resume(): void {
    this.#inBackground(() => this.#recoveries.resume())
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

  /** Drops what is over, and those whose validator has its deposit. */
  async sweep(): Promise<void> {
    await this.#upkeep.sweep()
    const { claimedShares, store } = this.#parts
    await claimedShares.keepOnly(new Set(await store.publicKeys()))
  }

  /**
   * See ExitService. Where the chain does not answer nothing is served, not even exits that are ready: their
   * index may have moved since, and an exit for a wrong index is refused by the oracles at best.
   */
  async requestExits(publicKeys: readonly PublicKeyHex[]): Promise<readonly RequestedExit[]> {
    const { indexes, oracles } = this.#parts
    await this.#assertAskable(publicKeys)
    const config = await oracles.current()
    const [known, { index: start }] = await Promise.all([indexes.knownKeys([...publicKeys]), indexes.next()])
    await this.#refuseKnown(publicKeys, known)
    const exits = publicKeys.map((publicKey, i) => ({ publicKey, message: exitMessage(start + i) }))
    await this.#request(exits, config)
    const shares = await this.#readiness.oracleShares(exits, config)
    return exits.map(({ publicKey }, i) => ({
      publicKey,
      validatorIndex: start + i,
      oracleShares: shares[i] ?? null,
    }))
  }

  async listExits(): Promise<readonly ListedExit[]> {
    await this.#upkeep.expire()
    if (this.#list?.version === this.#version) return this.#list.exits
    const version = this.#version
    const exits = listShownExits(await this.#parts.store.listed(), await this.#readiness.exits())
    this.#list = { version, exits }
    return exits
  }

  async postShares(
    shareIndex: bigint,
    shares: readonly PostedShare[],
    caller: string,
  ): Promise<readonly RejectedShare[]> {
    await this.#upkeep.expire()
    return this.#intake.takeShares({ shareIndex, caller }, shares)
  }

  async requestValidators(wanted: readonly WantedValidator[]): Promise<readonly CollectedValidator[]> {
    const publicKeys = wanted.map(({ publicKey }) => publicKey)
    await this.#assertAskable(publicKeys)
    const config = await this.#parts.oracles.current()
    const exits = wanted.map(({ publicKey, validatorIndex }) => ({
      publicKey,
      message: exitMessage(validatorIndex),
    }))
    const deposits = wanted.map(({ publicKey, deposit }) => ({ publicKey, message: depositMessage(deposit) }))
    await this.#request([...exits, ...deposits], config)
    const shares = await this.#readiness.oracleShares(exits, config)
    const signatures = await this.#parts.store.depositSignatures(publicKeys)
    return wanted.map((validator, i) => {
      const message = depositMessage(validator.deposit)
      const depositSignature = signatures.get(messageName({ ...validator, message })) ?? null
      return { ...validator, depositSignature, oracleShares: shares[i] ?? null }
    })
  }

  async listValidators(): Promise<readonly ListedValidator[]> {
    await this.#upkeep.expire()
    const { store, depositOf } = this.#parts
    const [listing, readyExits, readyDeposits] = await Promise.all([
      store.listed(),
      this.#readiness.exits(),
      this.#readiness.deposits(),
    ])
    return listShownValidators({ ...listing, readyExits, readyDeposits, depositOf })
  }

  async postSignatures(
    shareIndex: bigint,
    shares: readonly PostedSignatures[],
    caller: string,
  ): Promise<readonly RejectedSignature[]> {
    await this.#upkeep.expire()
    return this.#intake.takeSignatures({ shareIndex, caller }, shares)
  }

  /** @throws DvtExitError DUPLICATE_PUBLIC_KEY, TOO_MANY_EXITS, INVALID_PUBLIC_KEY */
  async #assertAskable(publicKeys: readonly PublicKeyHex[]): Promise<void> {
    const { maxKeysPerRequest } = this.#parts.limits
    assertDistinctKeys(publicKeys)
    if (publicKeys.length > maxKeysPerRequest) {
      throw new DvtExitError(
        'TOO_MANY_EXITS',
        `${publicKeys.length} keys are asked for at once, ${maxKeysPerRequest} are allowed`,
        { hint: 'Ask for fewer' },
      )
    }
    await this.#upkeep.expire()
    await this.#keyChecks.assertValid(publicKeys)
  }

  async #request(asked: readonly MessageId[], config: ProtocolConfig): Promise<void> {
    const { store, limits, clock } = this.#parts
    const shown = await store.request(asked, {
      now: Math.floor(clock()),
      touchAfter: Math.max(1, Math.floor(limits.validatorLifetime / 60)),
      mostKeys: limits.maxExits,
    })
    for (const wanted of shown) if (isExit(wanted.message)) this.#readiness.forget(wanted, config)
    this.#takeUp(shown)
  }

  #takeUp(messages: readonly MessageId[]): void {
    if (messages.length > 0) this.#changed()
    for (const wanted of messages) this.#recoveries.enqueue(wanted)
  }

  async #refuseKnown(asked: readonly PublicKeyHex[], known: readonly PublicKeyHex[]): Promise<void> {
    await this.#upkeep.drop(known)
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

  #changed(): void {
    this.#version++
  }

  #inBackground(work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((error: unknown) => {
      this.#parts.logger.error({ error: describeError(error) }, 'background work failed')
    })
  }
}
