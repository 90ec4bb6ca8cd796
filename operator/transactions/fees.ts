/** What a transaction may cost: from the fees of the last blocks, and for replacing one that is stuck. */
import type { FeeHistory } from '../../core/clients/execution.js'
import { UnavailableError } from '../../core/errors.js'

/** Wei for one unit of gas. */
export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** The history that currentFees wants: the last blocks, and which percentile of their priority fees. */
export const FEE_HISTORY = { blocks: 10, percentile: 80 } as const

const GWEI = 1_000_000_000n
const ROUNDED_TO = GWEI / 10n

/**
 * The fees that a transaction sent now needs: priority = mean of the rewards, rounded to 0.1 Gwei above
 * 1 Gwei; max = priority + 2 × the next block's base fee (protocol: as the Python operator's "high priority").
 * @param history of FEE_HISTORY.blocks blocks up to the pending one, at FEE_HISTORY.percentile
 * @param minPriorityFee wei; gnosis wants 1 Gwei
 * @throws UnavailableError INCOMPLETE_FEE_HISTORY
 */
export function currentFees(history: FeeHistory, minPriorityFee = 0n): Fees {
  const nextBaseFee = history.baseFees.at(-1)
  if (nextBaseFee === undefined) {
    throw new UnavailableError('INCOMPLETE_FEE_HISTORY', 'the fee history names no base fee', {
      hint: 'Check EXECUTION_ENDPOINTS: the node must serve eth_feeHistory',
    })
  }
  const mean = roundPriorityFee(meanOf(history.rewards))
  const maxPriorityFeePerGas = mean < minPriorityFee ? minPriorityFee : mean
  return { maxFeePerGas: maxPriorityFeePerGas + 2n * nextBaseFee, maxPriorityFeePerGas }
}

/** Whether fees are at or above what the user allows for one unit of gas. */
export function isTooHigh(fees: Fees, limitWei: bigint): boolean {
  return fees.maxFeePerGas >= limitWei
}

/**
 * The fees that replace a transaction of the same nonce: what is wanted now, but each at least 12.5 % above
 * the previous attempt's (nodes ask for 10 %, and for more than nothing where it was nothing).
 */
export function replacementFees(previous: Fees, wanted: Fees): Fees {
  return {
    maxFeePerGas: larger(wanted.maxFeePerGas, raised(previous.maxFeePerGas)),
    maxPriorityFeePerGas: larger(wanted.maxPriorityFeePerGas, raised(previous.maxPriorityFeePerGas)),
  }
}

/** For a person: Gwei with up to three decimals. */
export function formatGwei(wei: bigint): string {
  return `${Number((wei + 500_000n) / 1_000_000n) / 1000} Gwei`
}

function meanOf(values: readonly bigint[]): bigint {
  if (values.length === 0) return 0n
  return values.reduce((sum, value) => sum + value, 0n) / BigInt(values.length)
}

function roundPriorityFee(fee: bigint): bigint {
  return fee > GWEI ? ((fee + ROUNDED_TO / 2n) / ROUNDED_TO) * ROUNDED_TO : fee
}

function raised(fee: bigint): bigint {
  return larger((fee * 9n + 7n) / 8n, fee + 1n)
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
