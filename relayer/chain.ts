/** The relayer's view of the chain: its nodes, and what they say about indexes. */
import { Backoff } from '../core/backoff.js'
import { BeaconClient } from '../core/clients/beacon.js'
import { ExecutionClient } from '../core/clients/execution.js'
import type { Clock } from '../core/clock.js'
import { ConfigurationError, describeError } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { Network } from '../core/network.js'
import { required, type Values } from '../core/options.js'
import { relayerOptions } from './options.js'
import type { IndexSource } from './service.js'

export interface Chain {
  readonly execution: ExecutionClient
  readonly beacon: BeaconClient
}

/** Milliseconds. The operator waits 10 s for an answer and asks again: better a quick 503 than a late answer. */
const TIMEOUT = 20_000
const RETRY = { rounds: 2, delay: 300 }

/** @throws ConfigurationError MISSING_OPTION without execution or beacon nodes */
export function connectChain(values: Values<typeof relayerOptions>, network: Network): Chain {
  const options = { timeout: TIMEOUT, retry: RETRY }
  return {
    execution: new ExecutionClient(required(values.executionEndpoints, relayerOptions.executionEndpoints), {
      ...options,
      chainId: network.chainId,
    }),
    beacon: new BeaconClient(required(values.consensusEndpoints, relayerOptions.consensusEndpoints), {
      ...options,
      genesisValidatorsRoot: network.genesisValidatorsRoot,
    }),
  }
}

/**
 * Waits, with growing pauses, until the nodes have given the next validator index once, or the signal is
 * aborted. Meanwhile the relayer serves what needs no chain.
 * @throws ConfigurationError WRONG_NETWORK, FOREIGN_CHECKPOINT
 */
export async function awaitChain(
  { execution }: Chain,
  indexes: IndexSource,
  { clock, signal, logger }: { readonly clock: Clock; readonly signal: AbortSignal; readonly logger: Logger },
): Promise<void> {
  const pause = new Backoff(1000, 60_000)
  while (!signal.aborted) {
    try {
      // Asked first, so that a wrong network shows while the beacon node is away.
      await execution.block('latest')
      const { index } = await indexes.next()
      if (!signal.aborted) logger.info(`the chain answers: the next validator gets index ${index}`)
      return
    } catch (error) {
      if (error instanceof ConfigurationError) throw error
      if (!signal.aborted) logger.warn(`the chain cannot be asked, trying again: ${describeError(error)}`)
      await clock.sleep(pause.next(), signal)
    }
  }
}
