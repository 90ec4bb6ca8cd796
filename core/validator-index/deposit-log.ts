/** The DepositEvents since a block, up to a latest block that is pinned by its hash. */
import { tryInTurn } from '../clients/endpoint.js'
import type { ExecutionClient } from '../clients/execution.js'
import type { ExecutionEndpoint } from '../clients/execution-endpoint.js'
import { isRefusal } from '../clients/json-rpc.js'
import { LogRanges } from '../clients/log-ranges.js'
import { UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'
import {
  DEPOSIT_EVENT,
  type DepositEvent,
  decodeDepositEvent,
  readDepositCount,
  readDepositRoot,
} from './deposit-event.js'

/** An execution block by number and hash. */
export interface PinnedBlock {
  readonly number: bigint
  readonly hash: Hex
}

/** A block and how many deposits there were at its end. */
export interface CountedBlock extends PinnedBlock {
  readonly depositCount: number
}

export interface DepositSpan {
  readonly start: CountedBlock
  readonly end: CountedBlock & { readonly depositRoot: Hex }
  /** Those after `start` up to `end`, complete and in order. */
  readonly events: readonly DepositEvent[]
}

export class DepositLog {
  readonly #execution: ExecutionClient
  readonly #contract: Hex
  readonly #ranges = new Map<ExecutionEndpoint, LogRanges>()
  #span: DepositSpan | undefined
  /** The block that was seen to be canonical below the span's end. */
  #anchor: Hex | undefined

  constructor(execution: ExecutionClient, contract: Hex) {
    this.#execution = execution
    this.#contract = contract
  }

  /**
   * The events from a block to the latest one. Only what is new since the last call is asked for.
   * @param start where events begin to matter; its count is asked for where it is not known
   * @param anchor a finalized block, which must be canonical at the execution node too
   * @throws UnavailableError where no endpoint gives all of them
   */
  async read(start: PinnedBlock & { depositCount?: number }, anchor: PinnedBlock): Promise<DepositSpan> {
    return tryInTurn(
      'deposit events',
      this.#execution.endpoints,
      async (endpoint) => {
        try {
          return await this.#readFrom(endpoint, start, anchor)
        } catch (error) {
          // What is refused now, such as a block that was just reorganised away, may be served in a moment.
          throw isRefusal(error) ? new UnavailableError('ENDPOINT_REFUSED', error.message) : error
        }
      },
      this.#execution.retry,
    )
  }

  /** Forgets the events up to a block of the span. */
  forgetUpTo(start: CountedBlock): void {
    if (this.#span === undefined) return
    const events = this.#span.events.filter(({ blockNumber }) => blockNumber > start.number)
    this.#span = { ...this.#span, start, events }
  }

  async #readFrom(
    endpoint: ExecutionEndpoint,
    start: PinnedBlock & { depositCount?: number },
    anchor: PinnedBlock,
  ): Promise<DepositSpan> {
    const head = await endpoint.block('latest')
    if (head === null || head.number < anchor.number) {
      throw new UnavailableError(
        'EXECUTION_NODE_BEHIND',
        `execution node ${endpoint.shown} is at block ${head?.number ?? 'none'}, ${anchor.number} is finalized`,
        { hint: 'Wait until it is in sync' },
      )
    }
    const known = this.#span?.start.hash === start.hash ? this.#span : undefined
    if (known?.end.hash === head.hash && this.#anchor === anchor.hash) return known
    const before = known !== undefined && (await isCanonical(endpoint, known.end)) ? known : undefined
    if (before === undefined || this.#anchor !== anchor.hash) {
      await assertCanonical(endpoint, anchor)
      if (start.hash !== anchor.hash) await assertCanonical(endpoint, start)
    }
    const span = await this.#extend(endpoint, before ?? (await this.#emptySpan(endpoint, start)), head)
    this.#span = span
    this.#anchor = anchor.hash
    return span
  }

  async #emptySpan(
    endpoint: ExecutionEndpoint,
    start: PinnedBlock & { depositCount?: number },
  ): Promise<Pick<DepositSpan, 'start' | 'events'> & { end: CountedBlock }> {
    const depositCount = start.depositCount ?? (await readDepositCount(endpoint, this.#contract, start.hash))
    const counted = { number: start.number, hash: start.hash, depositCount }
    return { start: counted, end: counted, events: [] }
  }

  async #extend(
    endpoint: ExecutionEndpoint,
    before: Pick<DepositSpan, 'start' | 'events'> & { end: CountedBlock },
    head: PinnedBlock,
  ): Promise<DepositSpan> {
    const events = await this.#events(endpoint, before.end.number + 1n, head.number)
    await assertCanonical(endpoint, head)
    const [depositCount, depositRoot] = await Promise.all([
      readDepositCount(endpoint, this.#contract, head.hash),
      readDepositRoot(endpoint, this.#contract, head.hash),
    ])
    assertComplete(endpoint.shown, events, before.end.depositCount, depositCount)
    return {
      start: before.start,
      end: { number: head.number, hash: head.hash, depositCount, depositRoot },
      events: [...before.events, ...events],
    }
  }

  async #events(endpoint: ExecutionEndpoint, from: bigint, to: bigint): Promise<DepositEvent[]> {
    const ranges = this.#ranges.get(endpoint) ?? new LogRanges()
    this.#ranges.set(endpoint, ranges)
    return (
      await ranges.all(from, to, (first, last) => readEvents(endpoint, this.#contract, first, last))
    ).flat()
  }
}

/** The contract's events in a range of blocks, in order. Throws as ExecutionApi.logs does. */
export async function readEvents(
  endpoint: ExecutionEndpoint,
  contract: Hex,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<DepositEvent[]> {
  const logs = await endpoint.logs({ address: contract, topics: [DEPOSIT_EVENT], fromBlock, toBlock })
  return logs.map(decodeDepositEvent).sort((a, b) => a.index - b.index)
}

/**
 * The events must be numbered without a gap from one count to the other.
 * @throws UnavailableError LOGS_MISSING
 */
export function assertComplete(
  shown: string,
  events: readonly DepositEvent[],
  from: number,
  to: number = from + events.length,
): void {
  if (events.every(({ index }, i) => index === from + i) && from + events.length === to) return
  throw new UnavailableError(
    'LOGS_MISSING',
    `${shown} gave ${events.length} DepositEvents where the deposits ${from} to ${to - 1} were made`,
    { hint: 'The endpoint leaves logs out: use another one' },
  )
}

/** @throws UnavailableError NOT_CANONICAL */
export async function assertCanonical(endpoint: ExecutionEndpoint, block: PinnedBlock): Promise<void> {
  if (await isCanonical(endpoint, block)) return
  throw new UnavailableError(
    'NOT_CANONICAL',
    `block ${block.number} ${block.hash} is not in the chain of execution node ${endpoint.shown}`,
    { hint: 'It may be behind, on a fork, or of another network than the beacon node' },
  )
}

async function isCanonical(endpoint: ExecutionEndpoint, block: PinnedBlock): Promise<boolean> {
  return (await endpoint.block(block.number))?.hash === block.hash
}
