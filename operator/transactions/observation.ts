import type { Receipt } from '../../core/clients/execution.js'
import type { Hex } from '../../core/hex.js'
import type { TransactionEndpoint } from './chain.js'
import type { Flight, Observation } from './outcome.js'

/**
 * What one node says about a nonce. The nonce is asked before the receipts: a transaction mined in between
 * has a receipt then, and is not taken for one that lost its nonce.
 * @param head the node's newest block, asked before
 */
export async function observe(
  endpoint: TransactionEndpoint,
  head: bigint,
  flight: Flight,
): Promise<Observation> {
  const transactionCount = await endpoint.transactionCount(flight[0].sender, 'latest')
  const receipts = new Map<Hex, Receipt>()
  for (const { hash } of flight.flatMap((transaction) => transaction.attempts)) {
    const receipt = await endpoint.transactionReceipt(hash)
    if (receipt !== null) receipts.set(hash, receipt)
  }
  return { head, transactionCount, receipts }
}
