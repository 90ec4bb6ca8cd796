/** An execution node that serves SSVNetwork's logs, beside an EVM that has none of them. */
import { readFileSync } from 'node:fs'
import type { Network } from '../../core/network.js'
import { Chain, compactRegistry, type RecordedLog } from './chain.js'
import { SSV_LOGS } from './clusters.js'
import { ExecutionDouble } from './execution-double.js'

/** Blocks after the last log until which everything is final, and until the head. */
const FINALIZED_AFTER = 100
const HEAD_AFTER = 200

/** The logs of the bundled SSV cluster. */
export function bundledSsvLogs(): RecordedLog[] {
  return JSON.parse(readFileSync(SSV_LOGS, 'utf8')) as RecordedLog[]
}

/** Starts the node. */
export async function startSsvNode(
  network: Network,
  logs: readonly RecordedLog[] = bundledSsvLogs(),
): Promise<ExecutionDouble> {
  const last = Math.max(...logs.map(({ blockNumber }) => Number(blockNumber)))
  const chain = new Chain({
    network,
    registry: compactRegistry(0),
    head: last + HEAD_AFTER,
    finalized: last + FINALIZED_AFTER,
  })
  chain.addLogs(logs)
  chain.registerOperators(logs)
  return new ExecutionDouble(chain).listen()
}
