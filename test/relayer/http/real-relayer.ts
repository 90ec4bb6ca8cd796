import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { PublicKeyHex } from '../../../core/hex.js'
import { parseProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { fixedOracles } from '../../../core/oracles/source.js'
import type { DistributedValidator } from '../../../core/signer.js'
import { WorkerPool } from '../../../relayer/crypto/worker-pool.js'
import type { App } from '../../../relayer/http/fastify.js'
import { DEFAULT_LIMITS } from '../../../relayer/limits.js'
import { ExitMetrics } from '../../../relayer/metrics.js'
import { RelayerService } from '../../../relayer/service.js'
import { ExitStore } from '../../../relayer/store/exit-store.js'
import { loadOrCreateKey } from '../../../relayer/store/key-file.js'
import { openRelayerDatabase } from '../../../relayer/store/open.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import { ClaimedSharings } from '../../../relayer/validators/claimed-sharings.js'
import { type TestAppOptions, testApp } from './test-app.js'
import { KEYS, NETWORK, shareOf } from './transcript.js'

export interface RealRelayerOptions {
  /** The index that the chain gives next. */
  readonly nextIndex: number
  readonly clusters: readonly DistributedValidator[]
  /** What its HTTP side is made with, where that matters. */
  readonly http?: TestAppOptions
}

const threads = new WorkerPool({ threads: 1 })
/** The threads are shared by all relayers of a test file: starting some takes long. */
export const stopThreads = () => threads.close()

/** The relayer with its real core, store and threads; only the chain is made up. */
export class RealRelayer {
  readonly deposited = new Set<PublicKeyHex>()
  chainFailure: Error | undefined
  nextIndex: number
  #now = 1_795_169_700
  readonly #folder = mkdtempSync(join(tmpdir(), 'relayer-'))
  /** Where all that it keeps is. */
  readonly databaseFile = join(this.#folder, 'relayer.db')
  readonly keyFile = join(this.#folder, 'keys', 'relayer.key')
  readonly #clusters: readonly DistributedValidator[]
  readonly #http: TestAppOptions
  #running: { readonly app: App; readonly service: RelayerService; close(): Promise<void> } | undefined

  private constructor({ nextIndex, clusters, http = {} }: RealRelayerOptions) {
    this.nextIndex = nextIndex
    this.#clusters = clusters
    this.#http = http
  }

  static async start(options: RealRelayerOptions): Promise<RealRelayer> {
    const relayer = new RealRelayer(options)
    relayer.#running = await relayer.#run()
    return relayer
  }

  get app(): App {
    return this.#current().app
  }

  /** Posts a right share of the n-th recorded validator, as a node's sidecar does. */
  async postShare(node: number, n: number, validatorIndex: number): Promise<void> {
    const shares = [
      { public_key: KEYS.validators[n]?.public_key, exit_signature: shareOf(n, node, validatorIndex) },
    ]
    const answer = await this.app.inject({
      method: 'POST',
      url: '/exit-signature',
      headers: { host: 'localhost' },
      payload: { share_index: node, shares },
    })
    if (answer.body !== '{}') throw new Error(`the share was not taken: ${answer.body}`)
  }

  /** Resolves when nothing is being recovered. */
  async settled(): Promise<void> {
    await this.#current().service.idle()
  }

  /** Ends the process, as far as one process can, and starts anew on the same database. */
  async restart(): Promise<void> {
    await this.#current().close()
    this.#running = await this.#run()
  }

  /** Lets the lifetime of all exits pass, and what is over be dropped. */
  async passLifetime(): Promise<void> {
    this.#now += DEFAULT_LIMITS.validatorLifetime + 1
    await this.#current().service.sweep()
  }

  async stop(): Promise<void> {
    await this.#running?.close()
    this.#running = undefined
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #current() {
    if (this.#running === undefined) throw new Error('the relayer does not run')
    return this.#running
  }

  async #run() {
    const database = await openRelayerDatabase(this.databaseFile)
    const cipher = new ShareCipher(loadOrCreateKey(this.keyFile))
    const service = new RelayerService({
      store: await ExitStore.open(database, cipher),
      crypto: threads,
      network: NETWORK,
      indexes: {
        next: async () => this.#chain({ index: this.nextIndex }),
        knownKeys: async (keys) => this.#chain(keys.filter((key) => this.deposited.has(key))),
      },
      publicShares: {
        sharingsOf: (publicKey) => this.#clusters.filter((cluster) => cluster.publicKey === publicKey),
        onChange: () => undefined,
      },
      claimedShares: await ClaimedSharings.open(database),
      depositOf: () => undefined,
      oracles: fixedOracles(parseProtocolConfig(KEYS.oracles_config, 'keys.json')),
      signatureThreshold: KEYS.threshold,
      limits: DEFAULT_LIMITS,
      concurrency: threads.threads,
      clock: () => this.#now,
      logger: pino({ level: 'silent' }),
      metrics: new ExitMetrics(new Registry()),
    })
    await service.start()
    const app = await testApp(service, this.#http)
    const close = async () => {
      await app.close()
      await service.close()
      await database.destroy()
    }
    return { app, service, close }
  }

  #chain<T>(answer: T): T {
    if (this.chainFailure !== undefined) throw this.chainFailure
    return answer
  }
}
