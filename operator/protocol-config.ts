import type { ExecutionClient } from '../core/clients/execution.js'
import { IpfsClient } from '../core/clients/ipfs.js'
import { ConfigurationError } from '../core/errors.js'
import type { Network } from '../core/network.js'
import { configCidOfMajority, KeeperConfigSearch } from '../core/oracles/keeper.js'
import {
  loadProtocolConfigFile,
  type ProtocolConfig,
  readProtocolConfig,
} from '../core/oracles/protocol-config.js'

/**
 * How to learn who the oracles are now: from a file, read at once, or from the Keeper's last event and IPFS.
 * No person has to accept the set here: what goes to an oracle is sealed already, and the Keeper decides whose
 * signature counts.
 * @throws ConfigurationError NO_PROTOCOL_CONFIG_SOURCE, and those of the file
 */
export function protocolConfigSource(
  values: { readonly protocolConfigFile: string | undefined; readonly ipfsFetchEndpoints: readonly string[] },
  network: Network,
  execution: ExecutionClient | undefined,
): () => Promise<ProtocolConfig> {
  if (values.protocolConfigFile !== undefined) {
    const config = loadProtocolConfigFile(values.protocolConfigFile)
    return async () => config
  }
  if (execution === undefined) {
    throw new ConfigurationError('NO_PROTOCOL_CONFIG_SOURCE', 'nothing says who the oracles are', {
      hint: 'Set EXECUTION_ENDPOINT, to read it from the Keeper contract, or PROTOCOL_CONFIG_FILE',
    })
  }
  const ipfs = new IpfsClient(values.ipfsFetchEndpoints)
  const searches = execution.endpoints.map((endpoint) => new KeeperConfigSearch(endpoint, network.keeper))
  let last: { readonly cid: string; readonly config: ProtocolConfig } | undefined
  return async () => {
    const cid = await configCidOfMajority(searches)
    if (last?.cid !== cid) {
      last = { cid, config: readProtocolConfig(await ipfs.fetch(cid), `protocol config ${cid}`) }
    }
    return last.config
  }
}
