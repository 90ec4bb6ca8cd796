import { numberToHex } from 'viem'
import type { Clock } from '../../core/clock.js'
import { describeError, UnavailableError } from '../../core/errors.js'
import { stringifyJson } from '../../core/json.js'
import type { Logger } from '../../core/log.js'
import { NotNow } from '../not-now.js'
import type { Round } from '../registration/round.js'
import type { PreparedTransaction } from '../transactions/dispatch.js'
import { Reasons } from './reasons.js'

export interface DryRunParts {
  readonly check: () => Promise<void>
  readonly round: Pick<Round, 'run'>
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between two tries. */
  readonly interval: number
  readonly out: { write(text: string): unknown }
}

/** What a dry run waits for: sidecars sign in their time. Anything else it says and ends. */
const WORTH_WAITING = new Set([
  'WAITING_FOR_EXITS',
  'WAITING_FOR_SIGNATURES',
  'INDEX_DIFFERS',
  'REGISTRY_MOVED',
  'KEY_DEPOSITED',
])

/**
 * Prepares one transaction and prints its transaction as JSON, unsigned.
 * @throws NotNow with the reason why nothing would be sent; ConfigurationError as the checks do
 */
export async function prepareOnce(parts: DryRunParts, signal: AbortSignal): Promise<void> {
  const reasons = new Reasons(parts.clock)
  await parts.check()
  while (!signal.aborted) {
    try {
      const outcome = await parts.round.run(signal)
      if (outcome.kind !== 'prepared') continue
      parts.out.write(`${stringifyJson(printable(outcome.transaction), 2)}\n`)
      return
    } catch (error) {
      const waits = error instanceof NotNow && WORTH_WAITING.has(error.code)
      if (!waits || error instanceof UnavailableError) throw error
      if (reasons.of(error.code, error.message).isNews) parts.logger.info(describeError(error))
      await parts.clock.sleep(parts.interval, signal)
    }
  }
}

/** What would be done, and the transaction as eth_sendTransaction takes it. */
export function printable({ from, to, data, value, gas, fees, ...facts }: PreparedTransaction) {
  const { maxFeePerGas, maxPriorityFeePerGas } = fees
  const quantities = { value, gas, maxFeePerGas, maxPriorityFeePerGas }
  const hex = Object.entries(quantities).map(([name, quantity]) => [name, numberToHex(quantity)])
  return { ...facts, transaction: { from, to, data, ...Object.fromEntries(hex) } }
}
