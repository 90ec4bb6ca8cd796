/** Reads the clusters that the relayer is given: files at once, SSV owners from the chain for ever. */
import type { Kysely } from 'kysely'
import { assertLockNetwork, loadClusterLock } from '../core/clusters/cluster-lock.js'
import type { SsvChain } from '../core/clusters/ssv-chain.js'
import { SsvFollower } from '../core/clusters/ssv-follower.js'
import { loadKeyshares } from '../core/clusters/ssv-keyshares.js'
import { openSsvDatabase, type SsvSchema } from '../core/clusters/ssv-store.js'
import { ConfigurationError } from '../core/errors.js'
import type { Hex } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import type { Network } from '../core/network.js'
import { GivenClusters } from './given-clusters.js'

/** Milliseconds between two looks at SSVNetwork: it is read to the finalized block, which moves so often. */
const POLL_INTERVAL = 60_000

/** SSV_CLUSTERS, told apart: addresses are followed, anything else is a file. */
export function splitSsvClusters(entries: readonly string[]): { owners: Hex[]; files: string[] } {
  const isAddress = (entry: string) => /^0x[0-9a-f]{40}$/i.test(entry)
  return {
    owners: entries.filter(isAddress).map((owner) => owner.toLowerCase() as Hex),
    files: entries.filter((entry) => !isAddress(entry)),
  }
}

/**
 * The sharings of cluster locks and keyshares files.
 * @throws ConfigurationError for a file that cannot be used, or a lock of another network
 */
export async function loadClusterFiles(
  files: { readonly locks: readonly string[]; readonly keyshares: readonly string[] },
  network: Network,
  logger: Logger,
): Promise<GivenClusters> {
  const clusters = new GivenClusters()
  for (const file of files.locks) {
    const lock = await loadClusterLock(file)
    assertLockNetwork(lock, network, file)
    for (const warning of lock.warnings) logger.warn({ file }, warning)
    clusters.set(file, lock.validators)
  }
  for (const file of files.keyshares) clusters.set(file, await loadKeyshares(file))
  return clusters
}

export interface FollowParts {
  /** Lowercase. */
  readonly owners: readonly Hex[]
  readonly network: Network
  readonly chain: SsvChain
  /** The follower's own file. */
  readonly databaseFile: string
  readonly logger: Logger
}

/** Keeps the clusters of some owners as the chain has them. */
export class OwnersFollower {
  readonly #follower: SsvFollower
  readonly #database: Kysely<SsvSchema>

  private constructor(clusters: GivenClusters, database: Kysely<SsvSchema>, parts: FollowParts) {
    const viewpoint = { owners: new Set(parts.owners) }
    this.#database = database
    this.#follower = new SsvFollower({
      chain: parts.chain,
      contract: ssvNetworkOf(parts.network),
      database,
      viewpoints: [viewpoint],
      logger: parts.logger,
      pollInterval: POLL_INTERVAL,
    })
    this.#follower.onChange(() => {
      const usable = [...this.#follower.validators(viewpoint).values()].filter(
        (validator) => validator.usable,
      )
      clusters.set(
        'SSVNetwork',
        usable.map(({ publicKey, threshold, shares, owner }) => ({
          publicKey,
          threshold,
          shares,
          source: `SSV cluster of ${owner}`,
        })),
      )
      parts.logger.info({ validators: usable.length }, 'public shares of SSV clusters read')
    })
  }

  /** @throws ConfigurationError NO_SSV_NETWORK, and as openDatabase does */
  static async open(clusters: GivenClusters, parts: FollowParts): Promise<OwnersFollower> {
    ssvNetworkOf(parts.network)
    return new OwnersFollower(clusters, await openSsvDatabase(parts.databaseFile), parts)
  }

  /** Follows until the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#follower.follow(signal)
  }

  /** Closes the database: after run has ended. */
  async close(): Promise<void> {
    await this.#database.destroy()
  }
}

function ssvNetworkOf(network: Network): { readonly address: Hex; readonly block: number } {
  if (network.ssvNetwork !== undefined) return network.ssvNetwork
  throw new ConfigurationError('NO_SSV_NETWORK', `${network.name} has no SSVNetwork to follow`, {
    hint: 'Name keyshares.json files in SSV_CLUSTERS, or add ssvNetwork to the network config file',
  })
}
