/** What one node's view of the chain says about the registrations that share a nonce. Pure. */
import type { Receipt } from '../../core/clients/execution.js'
import type { Hex } from '../../core/hex.js'
import type { Registration } from './store/registration.js'

/** The registrations of one sender and nonce: at most one of them is ever mined. The oldest first. */
export type Flight = readonly [Registration, ...Registration[]]

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
  | { readonly kind: 'final'; readonly registration: Registration }
  | {
      readonly kind: 'included'
      readonly registration: Registration
      readonly hash: Hex
      readonly receipt: Receipt
    }
  /** Another transaction of the wallet took the nonce. */
  | { readonly kind: 'superseded' }
  /** Was mined, or had lost its nonce, and a reorganisation undid that. */
  | { readonly kind: 'reopened' }

/** Groups registrations by sender and nonce, the lowest nonce first. */
export function flightsOf(registrations: readonly Registration[]): Flight[] {
  const flights = new Map<string, [Registration, ...Registration[]]>()
  for (const registration of registrations) {
    const key = `${registration.sender} ${registration.nonce}`
    const flight = flights.get(key)
    if (flight === undefined) flights.set(key, [registration])
    else flight.push(registration)
  }
  return [...flights.values()].sort(([a], [b]) => a.nonce - b.nonce)
}

/** @param finalityDepth how many blocks under the newest one a reorganisation does not reach */
export function outcomeOf(flight: Flight, seen: Observation, finalityDepth: bigint): Outcome {
  for (const registration of flight) {
    for (const { hash } of registration.attempts) {
      const receipt = seen.receipts.get(hash)
      if (receipt !== undefined) return inclusion(registration, hash, receipt, seen.head, finalityDepth)
    }
  }
  // A node that lags behind what was seen before says nothing about it.
  if (flight.some(({ block }) => block !== undefined && block.number > seen.head))
    return { kind: 'unchanged' }
  const settled: Outcome['kind'] = seen.transactionCount > flight[0].nonce ? 'superseded' : 'reopened'
  const state = settled === 'superseded' ? 'superseded' : 'sent'
  return flight.every((registration) => registration.state === state)
    ? { kind: 'unchanged' }
    : { kind: settled }
}

function inclusion(
  registration: Registration,
  hash: Hex,
  receipt: Receipt,
  head: bigint,
  finalityDepth: bigint,
): Outcome {
  const expected = receipt.status === 'success' ? 'mined' : 'failed'
  if (registration.state !== expected || registration.block?.hash !== receipt.blockHash) {
    return { kind: 'included', registration, hash, receipt }
  }
  const isFinal = expected === 'mined' && head - receipt.blockNumber >= finalityDepth
  return isFinal ? { kind: 'final', registration } : { kind: 'unchanged' }
}
