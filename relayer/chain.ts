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
 * Waits, with growing pauses, until nodes of both kinds have answered, or the signal is aborted. Meanwhile
 * the relayer serves what needs no chain.
 * @throws ConfigurationError WRONG_NETWORK
 */
export async function awaitChain(
  chain: Chain,
  clock: Clock,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  const pause = new Backoff(1000, 60_000)
  const checks = [() => chain.execution.chainId(), () => chain.beacon.finalizedHeader()]
  for (const check of checks) {
    for (let answered = false; !answered && !signal.aborted; ) {
      try {
        await check()
        answered = true
      } catch (error) {
        if (error instanceof ConfigurationError) throw error
        logger.warn(`the chain cannot be asked, trying again: ${describeError(error)}`)
        await clock.sleep(pause.next(), signal)
      }
    }
    pause.reset()
  }
  if (!signal.aborted) logger.info('execution and beacon nodes answer')
}
