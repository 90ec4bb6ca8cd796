/** A signed transaction, given to every node. */
import { isRefusal } from '../../core/clients/json-rpc.js'
import { DvtExitError, describeError, UnavailableError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { TransactionEndpoint } from './chain.js'

/**
 * Nodes say in words of their own that they have the transaction, or that its nonce is mined: then its
 * receipt, or the lack of one, tells the rest. Geth, Reth and Erigon; Nethermind; Besu; anvil.
 */
const KNOWN = /\balready ?known|\bknown transaction|already imported/i
const NONCE_MINED = /nonce[ _]too[ _]low|oldnonce|nonce is too low/i
const REFUSALS: readonly { readonly words: RegExp; readonly code: string; readonly hint: string }[] = [
  {
    words: /insufficient ?funds|upfront[ _]cost|exceeds[ _]balance|insufficient balance/i,
    code: 'INSUFFICIENT_FUNDS',
    hint: 'Send native tokens to the wallet: it pays for the gas',
  },
  {
    words:
      /underpriced|replacementnotallowed|could not replace|feetoolow|fee too low|less than block base fee/i,
    code: 'TRANSACTION_UNDERPRICED',
    hint: 'It is sent with higher fees as long as MAX_FEE_PER_GAS_GWEI allows',
  },
]

/**
 * Sends a transaction to all nodes at once. That a node has it already, or has mined its nonce, is fine.
 * @throws DvtExitError INSUFFICIENT_FUNDS, TRANSACTION_UNDERPRICED, TRANSACTION_REFUSED where no node took it
 *   and one said why; UnavailableError NOT_SENT where none answered
 */
export async function broadcast(endpoints: readonly TransactionEndpoint[], raw: Hex): Promise<void> {
  const answers = await Promise.allSettled(endpoints.map((endpoint) => endpoint.sendRawTransaction(raw)))
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []))
  if (errors.length < endpoints.length || errors.some(isHarmless)) return
  const unexpected = errors.find((error) => !isRefusal(error) && !(error instanceof UnavailableError))
  if (unexpected !== undefined) throw unexpected
  const refusal = errors.find(isRefusal)
  if (refusal !== undefined) throw describeRefusal(refusal)
  throw new UnavailableError(
    'NOT_SENT',
    `no node took the transaction: ${errors.map(describeError).join('; ')}`,
    {
      cause: new AggregateError(errors, 'no node took the transaction'),
    },
  )
}

/**
 * Whether any node has a transaction, waiting or mined.
 * @throws UnavailableError ALL_ENDPOINTS_FAILED where no node answered
 */
export async function isKnown(endpoints: readonly TransactionEndpoint[], hash: Hex): Promise<boolean> {
  const answers = await Promise.allSettled(endpoints.map((endpoint) => endpoint.transactionByHash(hash)))
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  if (found.length > 0) return found.some((transaction) => transaction !== null)
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []))
  throw new UnavailableError(
    'ALL_ENDPOINTS_FAILED',
    `transaction ${hash}: ${errors.map(describeError).join('; ')}`,
    { cause: new AggregateError(errors, `transaction ${hash}: no endpoint served it`) },
  )
}

function isHarmless(error: unknown): boolean {
  return isRefusal(error) && (KNOWN.test(error.message) || NONCE_MINED.test(error.message))
}

function describeRefusal(refusal: DvtExitError): DvtExitError {
  const known = REFUSALS.find(({ words }) => words.test(refusal.message))
  return new DvtExitError(
    known?.code ?? 'TRANSACTION_REFUSED',
    `the transaction is not taken: ${refusal.message}`,
    {
      hint: known?.hint ?? 'It is kept, and offered again as long as it is good',
      cause: refusal,
    },
  )
}
