/** A relayer core for tests: real store, real decisions, crypto in this thread, a chain and clock to turn. */
import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { Registry } from 'prom-client'
import { pointFromScalar } from 'tiny-secp256k1'
import { bls } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { recoverPublicKey, recoverSignature } from '../../core/bls/threshold.js'
import { UnavailableError } from '../../core/errors.js'
import { fromHex, type PublicKeyHex, toHex } from '../../core/hex.js'
import { createLogger } from '../../core/log.js'
import { type ProtocolConfig, parseProtocolConfig } from '../../core/oracles/protocol-config.js'
import { openAsOracle } from '../../core/oracles/seal.js'
import type { OraclesSource } from '../../core/oracles/source.js'
import { Secret } from '../../core/secret.js'
import type { DistributedValidator } from '../../core/signer.js'
import { checkPublicKeys, checkShares } from '../../relayer/crypto/check-shares.js'
import { checkSharings } from '../../relayer/crypto/check-sharings.js'
import type { ExitCrypto } from '../../relayer/crypto/exit-crypto.js'
import { makeSignature } from '../../relayer/crypto/make-signature.js'
import { trySubsets } from '../../relayer/crypto/try-subsets.js'
import type { OracleShares } from '../../relayer/exits/service.js'
import { DEFAULT_LIMITS, type RelayerLimits } from '../../relayer/limits.js'
import { ExitMetrics } from '../../relayer/metrics.js'
import { RelayerService } from '../../relayer/service.js'
import { ExitStore } from '../../relayer/store/exit-store.js'
import { openRelayerDatabase } from '../../relayer/store/open.js'
import type { ExitsSchema } from '../../relayer/store/schema.js'
import { ShareCipher } from '../../relayer/store/share-cipher.js'
import { ClaimedSharings } from '../../relayer/validators/claimed-sharings.js'
import type { WantedDeposit } from '../../relayer/validators/service.js'
import { exitRoot, hoodi } from './clusters.js'

/** Oracles with their secret keys. */
export interface TestOracles {
  readonly config: ProtocolConfig
  readonly secretKeys: readonly Uint8Array[]
}

export function createOracles(count: number, threshold: number): TestOracles {
  const secretKeys = Array.from({ length: count }, () => new Uint8Array(randomBytes(32)))
  const oracles = secretKeys.map((key) => ({
    public_key: toHex(pointFromScalar(key, false)?.subarray(1) ?? new Uint8Array()),
    endpoints: [],
  }))
  return {
    config: parseProtocolConfig({ oracles, exit_signature_recover_threshold: threshold }, 'test'),
    secretKeys,
  }
}

/** Opens every part, checks each under its key share, and combines the last `threshold` of them, as hex. */
export function combineParts(
  { config, secretKeys }: TestOracles,
  shares: OracleShares,
  publicKey: PublicKeyHex,
  validatorIndex: number,
): string {
  const parts = secretKeys.map((key, i) => ({
    index: BigInt(i + 1),
    publicKey: parsePublicKey(shares.publicKeys[i] ?? ''),
    signature: parseSignature(openAsOracle(key, fromHex(shares.encryptedExitSignatures[i] ?? ''))),
  }))
  if (!parts.every((part) => bls.verify({ ...part, message: exitRoot(validatorIndex) }))) {
    throw new Error('a part does not verify under its key share')
  }
  const some = parts.slice(-config.exitSignatureRecoverThreshold)
  if (toHex(bls.encodePublicKey(recoverPublicKey(some))) !== publicKey) {
    throw new Error('the key shares do not make the validator’s key')
  }
  return toHex(bls.encodeSignature(recoverSignature(some)))
}

/** The tasks of the worker threads, in this thread, counted. */
export function inThisThread(): ExitCrypto & { readonly work: { checked: number; trials: number } } {
  const work = { checked: 0, trials: 0 }
  return {
    work,
    checkPublicKeys: async (publicKeys) => checkPublicKeys(publicKeys),
    checkShares: async (shares) => {
      work.checked += shares.length
      return checkShares(shares)
    },
    checkSharings: async (sharings) => checkSharings(sharings),
    makeSignature: async (exit) => makeSignature(exit),
    trySubsets: async (exit) => {
      work.trials += exit.subsets.length
      return trySubsets(exit)
    },
    close: async () => undefined,
  }
}

export interface TestRelayerOptions {
  readonly file?: string
  readonly crypto?: ExitCrypto
  readonly limits?: Partial<RelayerLimits>
  /** 3 unless given; null: none. */
  readonly signatureThreshold?: number | null
  /** Who the oracles are, in place of currentOracles. */
  readonly oracles?: (database: Kysely<ExitsSchema>) => OraclesSource
}

/** What outlives a restart: the database file is the caller's, the rest is here. */
export class TestWorld {
  readonly key = new Secret(new Uint8Array(randomBytes(32)))
  readonly oracles = createOracles(3, 2)
  currentOracles: ProtocolConfig | undefined = this.oracles.config
  nextIndex = 1_000
  now = 1_000_000
  known: PublicKeyHex[] = []
  chainUp = true
  sharings: DistributedValidator[] = []
  /** The deposits of keys of which only the exit is asked for. */
  readonly deposits = new Map<PublicKeyHex, WantedDeposit>()
  #oraclesListeners: (() => void)[] = []
  #sharingsListeners: (() => void)[] = []

  /** Tells the relayer that the oracles changed. */
  announceOracles(): void {
    for (const listener of this.#oraclesListeners) listener()
  }

  /** Tells the relayer that the sharings changed. */
  announceSharings(): void {
    for (const listener of this.#sharingsListeners) listener()
  }

  async open(options: TestRelayerOptions = {}) {
    const database = await openRelayerDatabase(options.file ?? ':memory:')
    const store = await ExitStore.open(database, new ShareCipher(this.key))
    const crypto = options.crypto ?? inThisThread()
    const answerOfChain = <T>(value: T): T => {
      if (!this.chainUp) throw new UnavailableError('ALL_ENDPOINTS_FAILED', 'the chain is down')
      return value
    }
    const registry = new Registry()
    const service = new RelayerService({
      store,
      crypto,
      network: hoodi,
      indexes: {
        next: async () => answerOfChain({ index: this.nextIndex }),
        knownKeys: async (keys) => answerOfChain(keys.filter((key) => this.known.includes(key))),
      },
      publicShares: {
        sharingsOf: (key) => this.sharings.filter((sharing) => sharing.publicKey === key),
        onChange: (listener) => void this.#sharingsListeners.push(listener),
      },
      claimedShares: await ClaimedSharings.open(database),
      depositOf: (key) => this.deposits.get(key),
      oracles: options.oracles?.(database) ?? {
        current: async () => {
          if (this.currentOracles === undefined) throw new UnavailableError('ORACLES_UNKNOWN', 'unknown')
          return this.currentOracles
        },
        onChange: (listener) => void this.#oraclesListeners.push(listener),
      },
      signatureThreshold: options.signatureThreshold === null ? undefined : (options.signatureThreshold ?? 3),
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      concurrency: 2,
      clock: () => this.now,
      logger: createLogger('test', 'silent', 'json'),
      metrics: new ExitMetrics(registry),
    })
    await service.start()
    const close = async () => {
      this.#oraclesListeners = []
      this.#sharingsListeners = []
      await service.close()
      await database.destroy()
    }
    return { service, store, database, crypto, registry, close }
  }
}
export type TestRelayer = Awaited<ReturnType<TestWorld['open']>>
