/** Where the relayer is put together. */
import { extname } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { isLoopbackHost } from '../core/clients/loopback.js'
import { systemClock } from '../core/clock.js'
import type { CommandContext } from '../core/command.js'
import { ConfigurationError } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import { loadNetwork, type Network } from '../core/network.js'
import type { Values } from '../core/options.js'
import type { OraclesSource } from '../core/oracles/source.js'
import { ValidatorIndexPredictor } from '../core/validator-index/predictor.js'
import { assertMayListen } from './access/binding.js'
import { RateLimit } from './access/rate-limit.js'
import { awaitChain, type Chain, connectChain } from './chain.js'
import { Closing } from './closing.js'
import { loadClusterFiles, OwnersFollower, splitSsvClusters } from './clusters.js'
import { WorkerPool } from './crypto/worker-pool.js'
import { type ServedDatabase, serveDatabase } from './database.js'
import type { GivenClusters } from './given-clusters.js'
import { createApp } from './http/app.js'
import type { App } from './http/fastify.js'
import { closeGracefully, listen } from './http/listen.js'
import { loadTls } from './http/tls.js'
import { ExitMetrics } from './metrics.js'
import { relayerOptions } from './options.js'
import { createOracles } from './oracles.js'
import { createManager, createOperatorSide, createPool } from './registrations/create.js'
import type { ValidatorsManager } from './registrations/manager.js'
import type { PublicKeyPool } from './registrations/pool.js'
import { RelayerService } from './service.js'
import { Checkpoint } from './store/checkpoints.js'
import { ExitStore } from './store/exit-store.js'
import { defaultKeyFile, loadOrCreateKey } from './store/key-file.js'
import { ShareCipher } from './store/share-cipher.js'
import { TokenStore } from './store/tokens.js'
import { ClaimedSharings } from './validators/claimed-sharings.js'
import { productVersion } from './version.js'

export { relayerOptions }

type RelayerValues = Values<typeof relayerOptions>

/** Milliseconds for requests under way, and for everything, when the relayer is told to stop. */
const REQUESTS_END = 7_000
const ALL_END = 8_500
/** Milliseconds for a part that waits for an answer of the chain, which nobody needs any more. */
const CHAIN_END = 500

/**
 * Runs the relayer until it is told to stop.
 * @throws ConfigurationError where the options, the files or the chain do not fit together
 */
export async function runRelayer(values: RelayerValues, { signal, logger }: CommandContext): Promise<void> {
  const closing = new Closing()
  const stop = new AbortController()
  const onAbort = () => stop.abort()
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) stop.abort()
  try {
    await serve(values, { signal: stop.signal, logger }, closing)
    logger.info('stopping')
  } finally {
    stop.abort()
    signal.removeEventListener('abort', onAbort)
    await closing.close(ALL_END, logger)
  }
}

/** Makes the parts, serves until the signal is aborted, and leaves the closing to the caller. */
async function serve(values: RelayerValues, context: CommandContext, closing: Closing): Promise<void> {
  const { signal, logger } = context
  const network = loadNetwork(values.network, values.networkConfigFile)
  const chain = connectChain(values, network)
  const clusters = await loadClusters(values, network, logger)
  const served = await serveDatabase(values.database, logger, closing)
  const { database } = served
  await followOwners(values, { network, chain, clusters, signal, logger, closing })

  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const oracles = createOracles(values, {
    network,
    execution: chain.execution,
    checkpoint: new Checkpoint(database, 'oracles'),
    logger,
    closing,
  })
  const indexes = new ValidatorIndexPredictor({
    network,
    ...chain,
    store: new Checkpoint(database, 'validator-index'),
    scanStore: new Checkpoint(database, 'deposit-scan'),
  })
  const pool = await createPool(values, network, clusters)
  const manager = await createManager(values, network, chain, logger)
  const parts = {
    ...{ network, indexes, clusters, pool, manager, database, oracles, registry, logger, closing },
    databaseWorks: () => served.works(),
  }
  const service = await createService(values, parts)
  served.onRecovery(() => service.resume())
  const app = await createHttp(values, { ...parts, service })
  closing.add('http', () => closeGracefully(app, REQUESTS_END))
  const url = await listen(app, values.host, values.port)
  logger.info(
    `listening on ${url}, its API at ${url}/docs; network ${network.name}, ${describe(values, clusters)}`,
  )

  const stopped = aborted(signal)
  await Promise.race([awaitChain(chain, indexes, { clock: systemClock, signal, logger }), stopped])
  await stopped
}

async function loadClusters(values: RelayerValues, network: Network, logger: Logger): Promise<GivenClusters> {
  const { signatureThreshold, clusterLockFiles: locks = [], ssvClusters = [] } = values
  if (signatureThreshold === undefined && locks.length === 0 && ssvClusters.length === 0) {
    throw new ConfigurationError('NO_THRESHOLD', 'nothing says how many shares make a signature', {
      hint: 'Set SIGNATURE_THRESHOLD, or give the clusters with CLUSTER_LOCK_FILES or SSV_CLUSTERS',
    })
  }
  return loadClusterFiles({ locks, keyshares: splitSsvClusters(ssvClusters).files }, network, logger)
}

interface FollowContext extends CommandContext {
  readonly network: Network
  readonly chain: Chain
  readonly clusters: GivenClusters
  readonly closing: Closing
}

async function followOwners(values: RelayerValues, context: FollowContext): Promise<void> {
  const { network, chain, clusters, signal, logger, closing } = context
  const { owners } = splitSsvClusters(values.ssvClusters ?? [])
  if (owners.length === 0) return
  const follower = await OwnersFollower.open(clusters, {
    owners,
    network,
    chain: chain.execution,
    databaseFile: besides(values.database, 'ssv'),
    logger,
  })
  const following = follower.run(signal)
  closing.add(
    'SSV clusters',
    async () => {
      await following
      await follower.close()
    },
    CHAIN_END,
  )
}

interface Parts {
  readonly network: Network
  readonly indexes: ValidatorIndexPredictor
  readonly clusters: GivenClusters
  readonly pool: PublicKeyPool
  readonly manager: ValidatorsManager | undefined
  readonly database: ServedDatabase['database']
  readonly databaseWorks: () => Promise<boolean>
  readonly oracles: OraclesSource
  readonly registry: Registry
  readonly logger: Logger
  readonly closing: Closing
}

async function createService(values: RelayerValues, parts: Parts): Promise<RelayerService> {
  const { network, indexes, clusters, pool, database, oracles, registry, logger, closing } = parts
  const cipher = new ShareCipher(loadOrCreateKey(values.keyFile ?? defaultKeyFile()))
  const store = await ExitStore.open(database, cipher)
  const crypto = new WorkerPool()
  closing.add('threads', () => crypto.close())
  const service = new RelayerService({
    store,
    crypto,
    network,
    indexes,
    publicShares: clusters,
    claimedShares: await ClaimedSharings.open(database),
    depositOf: (publicKey) => pool.depositOf(publicKey),
    oracles,
    signatureThreshold: values.signatureThreshold,
    limits: {
      validatorLifetime: values.validatorLifetime,
      maxKeysPerRequest: values.maxKeysPerRequest,
      maxExits: values.maxExits,
      maxTrials: values.maxTrials,
      maxSetsPerKey: values.maxSetsPerKey,
    },
    concurrency: crypto.threads,
    clock: () => Date.now() / 1000,
    logger,
    metrics: new ExitMetrics(registry),
  })
  closing.add('recoveries', () => service.close())
  await service.start()
  return service
}

async function createHttp(
  values: RelayerValues,
  parts: Parts & { readonly service: RelayerService },
): Promise<App> {
  const { network, service, database, databaseWorks, oracles, registry, logger } = parts
  const { host, open, allowPlainHttpTokens } = values
  const tls = loadTls(values)
  const tokens = new TokenStore(database, () => Math.floor(Date.now() / 1000))
  const binding = { host, open, encrypted: tls !== undefined, allowPlainHttpTokens }
  assertMayListen(binding, await tokens.hasRole('operator'), logger)
  return createApp({
    service,
    operator: createOperatorSide({ ...parts, vaults: values.vaults ?? [] }),
    network: network.name,
    access: {
      settings: {
        ...values,
        allowedHosts: values.allowedHosts ?? [],
        corsOrigins: values.corsOrigins ?? [],
        boundToLoopback: isLoopbackHost(host),
      },
      trustProxy: values.trustProxy,
      identify: (token) => tokens.identify(token),
      rateLimit: new RateLimit({
        perSecond: values.maxRequestsPerSecond,
        burst: 4 * values.maxRequestsPerSecond,
        clock: () => performance.now(),
      }),
    },
    limits: {
      bodyBytes: values.maxBodyBytes,
      keysPerRequest: values.maxKeysPerRequest,
      sharesPerRequest: values.maxSharesPerRequest,
      connections: values.maxConnections,
      connectionsPerAddress: values.maxConnectionsPerAddress,
    },
    health: {
      needed: { database: databaseWorks },
      wanted: { oracles: async () => (await oracles.current()).oracles.length > 0 },
    },
    registry,
    logger,
    version: productVersion(),
    tls,
  })
}

/** What the relayer knows of clusters, for its first line. */
function describe({ signatureThreshold, ssvClusters }: RelayerValues, clusters: GivenClusters): string {
  const { owners } = splitSsvClusters(ssvClusters ?? [])
  const known =
    clusters.size === 0 ? 'no public shares known' : `public shares of ${clusters.size} validators`
  const followed = owners.length === 0 ? '' : `, those of ${owners.length} SSV owners are read from the chain`
  const others = signatureThreshold === undefined ? '' : `, threshold ${signatureThreshold} for others`
  return known + followed + others
}

/** relayer.db becomes relayer-ssv.db. */
function besides(file: string, name: string): string {
  if (file === ':memory:') return file
  const extension = extname(file)
  return `${file.slice(0, file.length - extension.length)}-${name}${extension}`
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
