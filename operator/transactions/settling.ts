/** Comparing what was sent with what a node sees of the chain, and writing down what changed. */
import { describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { TransactionChain, TransactionEndpoint } from './chain.js'
import { observe } from './observation.js'
import { type Flight, flightsOf, type Observation, type Outcome, outcomeOf } from './outcome.js'
import { revertReason } from './revert-reason.js'
import { contentOf } from './signing.js'
import type { OperatorStore } from './store/store.js'
import type { VaultTransaction } from './store/transaction.js'

/** What became of a transaction that was sent. */
export interface Settled {
  readonly state: 'mined' | 'reverted' | 'superseded'
  readonly transaction: VaultTransaction
}

/** What a node says about the transactions of one nonce. */
export interface Change {
  readonly flight: Flight
  readonly outcome: Outcome
  readonly head: Observation['head']
}

interface Parts {
  readonly chain: TransactionChain
  readonly store: OperatorStore
  readonly logger: Logger
}

type Inclusion = Extract<Outcome, { kind: 'included' }>

/** What one node says about all that is not settled for good, the lowest nonce first. */
export async function changesSeenBy(
  endpoint: TransactionEndpoint,
  store: OperatorStore,
  finalityDepth: bigint,
): Promise<Change[]> {
  const head = (await endpoint.block('latest'))?.number ?? 0n
  const changes: Change[] = []
  for (const flight of flightsOf(await store.unsettled(head - finalityDepth))) {
    const seen = await observe(endpoint, head, flight)
    changes.push({ flight, outcome: outcomeOf(flight, seen, finalityDepth), head })
  }
  return changes
}

/** Keeps and logs a change. @returns what it settles, if anything */
export async function writeDown(
  parts: Parts,
  { flight, outcome, head }: Change,
): Promise<Settled | undefined> {
  const { store, logger } = parts
  const ids = flight.map(({ id }) => id)
  const newest = flight.at(-1) ?? flight[0]
  const fields = { nonce: newest.nonce }
  switch (outcome.kind) {
    case 'unchanged':
      return undefined
    case 'final':
      await store.noteFinal(outcome.transaction.id)
      return undefined
    case 'included':
      return writeInclusion(parts, flight, outcome)
    case 'superseded': {
      await store.noteSuperseded(ids, head)
      logger.warn(fields, `another transaction of the wallet took the ${newest.kind}’s nonce`)
      const block = { number: head, hash: undefined }
      return { state: 'superseded', transaction: { ...newest, state: 'superseded', block } }
    }
    case 'reopened':
      await store.noteReopened(ids)
      logger.warn(fields, `a reorganisation undid the ${newest.kind}: it waits to be mined again`)
      return undefined
  }
}

async function writeInclusion(parts: Parts, flight: Flight, outcome: Inclusion): Promise<Settled> {
  const { store, logger } = parts
  const { transaction, hash, receipt } = outcome
  const others = flight.flatMap(({ id }) => (id === transaction.id ? [] : [id]))
  const block = { number: receipt.blockNumber, hash: receipt.blockHash }
  const inclusion = { hash, block, gasUsed: receipt.gasUsed }
  const fields = { hash, block: Number(block.number) }
  if (receipt.status === 'success') {
    logger.info(fields, `the ${transaction.kind} is mined`)
    const mined = await store.noteIncluded(transaction.id, { ...inclusion, state: 'mined' }, others)
    return { state: 'mined', transaction: mined }
  }
  const failure = await reasonOf(parts.chain, outcome)
  logger.error({ ...fields, failure }, `the ${transaction.kind} reverted`)
  const failed = await store.noteIncluded(transaction.id, { ...inclusion, state: 'failed', failure }, others)
  return { state: 'reverted', transaction: failed }
}

/** A node that cannot simulate must not keep the outcome from being written down. */
async function reasonOf(chain: TransactionChain, { transaction, hash, receipt }: Inclusion): Promise<string> {
  const { raw } = transaction.attempts.find((attempt) => attempt.hash === hash) ?? transaction.attempts[0]
  const { to, data, value, gas } = contentOf(raw)
  const { gasUsed, blockNumber: block } = receipt
  try {
    return await revertReason(chain, { from: transaction.sender, to, data, value, gas, gasUsed, block })
  } catch (error) {
    return `it reverted, and why could not be asked: ${describeError(error)}`
  }
}
