import type { ExecutionClient } from '../core/clients/execution.js'
import { IpfsClient } from '../core/clients/ipfs.js'
import type { Logger } from '../core/log.js'
import type { Network } from '../core/network.js'
import type { Values } from '../core/options.js'
import { KeeperConfigSearch } from '../core/oracles/keeper.js'
import { loadProtocolConfigFile } from '../core/oracles/protocol-config.js'
import { fixedOracles, KeeperOracles, type OraclesSource } from '../core/oracles/source.js'
import type { Closing } from './closing.js'
import type { relayerOptions } from './options.js'
import type { Checkpoint } from './store/checkpoints.js'

/** Milliseconds between two looks at the Keeper: the set of oracles changes a few times a year. */
const INTERVAL = 30_000
/** Milliseconds that an answer of a node is waited for when the relayer stops. */
const LONGEST_CLOSE = 500

export interface OraclesParts {
  readonly network: Network
  readonly execution: ExecutionClient
  readonly checkpoint: Checkpoint
  readonly logger: Logger
  readonly closing: Closing
}

/**
 * The oracles from the config file, where one is given, else from the Keeper, which is then asked in the
 * background: the relayer serves before it has answered.
 * @throws ConfigurationError for a config file that cannot be used
 */
export function createOracles(values: Values<typeof relayerOptions>, parts: OraclesParts): OraclesSource {
  const { network, execution, checkpoint, logger, closing } = parts
  if (values.protocolConfigFile !== undefined) {
    return fixedOracles(loadProtocolConfigFile(values.protocolConfigFile))
  }
  const oracles = new KeeperOracles({
    searches: execution.endpoints.map((endpoint) => new KeeperConfigSearch(endpoint, network.keeper)),
    ipfs: new IpfsClient(values.ipfsFetchEndpoints),
    store: checkpoint,
    acceptHash: values.acceptOracles,
    logger,
    interval: INTERVAL,
  })
  const started = oracles.start().catch((error: unknown) => {
    logger.error({ err: error }, 'cannot follow the oracles’ config')
  })
  closing.add(
    'oracles',
    async () => {
      await started
      await oracles.close()
    },
    LONGEST_CLOSE,
  )
  return oracles
}
