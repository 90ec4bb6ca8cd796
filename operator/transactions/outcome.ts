/** What one node's view of the chain says about the transactions that share a nonce. Pure. */
import type { Receipt } from '../../core/clients/execution.js'
import type { Hex } from '../../core/hex.js'
import type { VaultTransaction } from './store/transaction.js'

/** The transactions of one sender and nonce: at most one of them is ever mined. The oldest first. */
export type Flight = readonly [VaultTransaction, ...VaultTransaction[]]

/** What a node says, asked in this order: its newest block, the sender's nonce there, each attempt's receipt. */
export interface Observation {
  readonly head: bigint
  /** Transactions of the sender that are mined. */
  readonly transactionCount: number
  /** By transaction hash. */
  readonly receipts: ReadonlyMap<Hex, Receipt>
}

export type Outcome =
  /** Nothing that is not written down already. */
  | { readonly kind: 'unchanged' }
  /** Mined as before, and deep enough to stay. */
  | { readonly kind: 'final'; readonly transaction: VaultTransaction }
  | {
      readonly kind: 'included'
      readonly transaction: VaultTransaction
      readonly hash: Hex
      readonly receipt: Receipt
    }
  /** Another transaction of the wallet took the nonce. */
  | { readonly kind: 'superseded' }
  /** Was mined, or had lost its nonce, and a reorganisation undid that. */
  | { readonly kind: 'reopened' }

/** Groups transactions by sender and nonce, the lowest nonce first. */
export function flightsOf(transactions: readonly VaultTransaction[]): Flight[] {
  const flights = new Map<string, [VaultTransaction, ...VaultTransaction[]]>()
  for (const transaction of transactions) {
    const key = `${transaction.sender} ${transaction.nonce}`
    const flight = flights.get(key)
    if (flight === undefined) flights.set(key, [transaction])
    else flight.push(transaction)
  }
  return [...flights.values()].sort(([a], [b]) => a.nonce - b.nonce)
}

/** @param finalityDepth how many blocks under the newest one a reorganisation does not reach */
export function outcomeOf(flight: Flight, seen: Observation, finalityDepth: bigint): Outcome {
  for (const transaction of flight) {
    for (const { hash } of transaction.attempts) {
      const receipt = seen.receipts.get(hash)
      if (receipt !== undefined) return inclusion(transaction, hash, receipt, seen.head, finalityDepth)
    }
  }
  // A node that lags behind what was seen before says nothing about it.
  if (flight.some(({ block }) => block !== undefined && block.number > seen.head))
    return { kind: 'unchanged' }
  const settled: Outcome['kind'] = seen.transactionCount > flight[0].nonce ? 'superseded' : 'reopened'
  const state = settled === 'superseded' ? 'superseded' : 'sent'
  return flight.every((transaction) => transaction.state === state)
    ? { kind: 'unchanged' }
    : { kind: settled }
}

function inclusion(
  transaction: VaultTransaction,
  hash: Hex,
  receipt: Receipt,
  head: bigint,
  finalityDepth: bigint,
): Outcome {
  const expected = receipt.status === 'success' ? 'mined' : 'failed'
  if (transaction.state !== expected || transaction.block?.hash !== receipt.blockHash) {
    return { kind: 'included', transaction, hash, receipt }
  }
  const isFinal = expected === 'mined' && head - receipt.blockNumber >= finalityDepth
  return isFinal ? { kind: 'final', transaction } : { kind: 'unchanged' }
}
