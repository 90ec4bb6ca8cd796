import type { RelayerClient } from '../core/clients/relayer.js'
import { RelayerError } from '../core/clients/relayer-errors.js'
import { ConfigurationError, describeError } from '../core/errors.js'
import type { Network } from '../core/network.js'

/**
 * That the relayer lets this operator in, and works for the same network.
 * @throws ConfigurationError RELAYER_REFUSES_OPERATOR, WRONG_NETWORK; UnavailableError where it does not answer
 */
export async function assertRelayer(
  relayer: Pick<RelayerClient, 'info' | 'shown'>,
  network: Network,
): Promise<void> {
  let answer: { readonly network: string }
  try {
    answer = await relayer.info()
  } catch (error) {
    if (!(error instanceof RelayerError)) throw error
    throw new ConfigurationError('RELAYER_REFUSES_OPERATOR', describeError(error), { cause: error })
  }
  if (answer.network === network.name) return
  throw new ConfigurationError(
    'WRONG_NETWORK',
    `the relayer ${relayer.shown} works for ${answer.network.slice(0, 40)}, this operator for ${network.name}`,
    { hint: 'Set NETWORK or RELAYER_ENDPOINT right' },
  )
}
