import { isRefusal, revertDataOf } from '../../core/clients/json-rpc.js'
import type { Hex } from '../../core/hex.js'
import { describeRevert } from '../../core/vault/revert.js'
import type { TransactionChain } from './chain.js'
import { type CallFrom, revertBehind } from './hidden-revert.js'

/** A transaction that was mined and reverted. */
export interface RevertedTransaction {
  readonly from: Hex
  readonly to: Hex
  readonly data: Hex
  /** Wei. */
  readonly value: bigint
  readonly gas: bigint
  readonly gasUsed: bigint
  readonly block: bigint
}

/**
 * Why a mined transaction reverted, one line, as far as it can be found out: receipts do not say it. It is
 * simulated on the block before its own, and after its own, since what made it fail may be in the same block.
 */
export async function revertReason(
  chain: TransactionChain,
  transaction: RevertedTransaction,
): Promise<string> {
  const { from, to, data, value, gas, gasUsed, block } = transaction
  if (gasUsed >= gas) return `it ran out of gas (${gas})`
  for (const state of [block - 1n, block]) {
    try {
      await chain.simulate({ from, to, data, value }, state)
    } catch (error) {
      if (!isRefusal(error)) throw error
      const simulate = (call: CallFrom) => chain.simulate(call, state)
      const reason = await revertBehind(revertDataOf(error), { from, to, data }, simulate)
      const { name, meaning } = describeRevert(reason)
      return `${name}: ${meaning}`
    }
  }
  return 'it reverted, and does not in a simulation'
}
