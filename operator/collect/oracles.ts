import type { ExecutionClient } from '../../core/clients/execution.js'
import { IpfsClient } from '../../core/clients/ipfs.js'
import { ConfigurationError } from '../../core/errors.js'
import type { Network } from '../../core/network.js'
import { configCidOfMajority, KeeperConfigSearch } from '../../core/oracles/keeper.js'
import {
  loadProtocolConfigFile,
  type ProtocolConfig,
  readProtocolConfig,
} from '../../core/oracles/protocol-config.js'
import type { OracleSet } from './oracle-parts.js'

/**
 * How to learn who the oracles are: from a file, read at once, or from the Keeper's event and IPFS.
 * @throws ConfigurationError NO_PROTOCOL_CONFIG_SOURCE, and those of the file
 */
export function oracleSource(
  values: { readonly protocolConfigFile: string | undefined; readonly ipfsFetchEndpoints: readonly string[] },
  network: Network,
  execution: ExecutionClient | undefined,
): () => Promise<OracleSet> {
  if (values.protocolConfigFile !== undefined) {
    const oracles = oracleSetOf(loadProtocolConfigFile(values.protocolConfigFile))
    return async () => oracles
  }
  if (execution === undefined) {
    throw new ConfigurationError('NO_PROTOCOL_CONFIG_SOURCE', 'nothing says who the oracles are', {
      hint: 'Set EXECUTION_ENDPOINT, to read it from the Keeper contract, or PROTOCOL_CONFIG_FILE',
    })
  }
  const ipfs = new IpfsClient(values.ipfsFetchEndpoints)
  return async () => {
    const searches = execution.endpoints.map((endpoint) => new KeeperConfigSearch(endpoint, network.keeper))
    const cid = await configCidOfMajority(searches)
    return oracleSetOf(readProtocolConfig(await ipfs.fetch(cid), `protocol config ${cid}`))
  }
}

function oracleSetOf(config: ProtocolConfig): OracleSet {
  return { count: config.oracles.length, threshold: config.exitSignatureRecoverThreshold }
}
