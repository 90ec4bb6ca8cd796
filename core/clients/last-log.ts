/** The last log of one kind that a contract emitted, searched backwards and followed from then on. */
import { UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'
import { isRefusal } from './json-rpc.js'

/** What is read of a log. */
export interface FoundLog {
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockNumber: bigint
  readonly logIndex: number
}

/** The calls of an execution endpoint, or of several, that the search needs. */
export interface LogReader {
  block(id: 'latest' | 'finalized'): Promise<{ readonly number: bigint } | null>
  logs(filter: {
    address: Hex
    topics: Hex[]
    fromBlock: bigint
    toBlock: bigint
  }): Promise<readonly FoundLog[]>
}

export interface LogSource {
  readonly address: Hex
  /** The block that the contract was deployed in. */
  readonly block: number
  /** The event. */
  readonly topic: Hex
  /** How far the search goes: the latest block may still be reorganised away. */
  readonly upTo: 'finalized' | 'latest'
}

/** Blocks in one request at first; halved as often as the endpoint refuses the range. */
const PAGE = 50_000n
/** How often in one search a range that got no answer is halved too: the endpoint may be down. */
const SILENCES = 3
/** Blocks before the latest that are searched again each time, since they may be replaced. */
const UNSETTLED = 64n

/**
 * Follows the event. The first search goes backwards from the head to the contract's deployment and stops at the
 * first event; later ones look at the blocks that came since, or that may have been replaced.
 */
export class LastLogSearch {
  readonly #reader: LogReader
  readonly #source: LogSource
  #settled: FoundLog | undefined
  #searchedTo: bigint | undefined
  #page = PAGE

  constructor(reader: LogReader, source: LogSource) {
    this.#reader = reader
    this.#source = source
  }

  /**
   * The last such log, undefined where there is none yet. Where the endpoint knows no finalized block, the latest
   * is searched to.
   * @throws the endpoint's own errors
   */
  async latest(): Promise<{ readonly log: FoundLog | undefined; readonly head: bigint }> {
    const head = await this.#head()
    const from = this.#searchedTo === undefined ? BigInt(this.#source.block) : this.#searchedTo + 1n
    const found = await this.#searchBackwards(from, head)
    const log = found ?? this.#settled
    this.#settle(log, this.#source.upTo === 'finalized' ? head : head - UNSETTLED)
    return { log, head }
  }

  /** Nothing up to this block is asked for again. Without any log, all of it is: it may come to light. */
  #settle(log: FoundLog | undefined, block: bigint): void {
    if (log === undefined || log.blockNumber > block) return
    if (this.#searchedTo !== undefined && block <= this.#searchedTo) return
    this.#settled = log
    this.#searchedTo = block
  }

  async #head(): Promise<bigint> {
    let finalized: { readonly number: bigint } | null = null
    try {
      if (this.#source.upTo === 'finalized') finalized = await this.#reader.block('finalized')
    } catch (error) {
      // A devnet without finality may refuse the tag.
      if (!isRefusal(error)) throw error
    }
    const head = finalized ?? (await this.#reader.block('latest'))
    if (head === null) throw new UnavailableError('NO_HEAD', 'the execution endpoint has no latest block')
    return head.number
  }

  async #searchBackwards(from: bigint, head: bigint): Promise<FoundLog | undefined> {
    let to = head
    let silences = 0
    while (to >= from) {
      const start = to - this.#page + 1n > from ? to - this.#page + 1n : from
      const logs = await this.#logs(start, to, silences < SILENCES)
      if (logs === 'silence') silences++
      if (logs === 'silence' || logs === 'refused') continue
      const last = logs.toSorted(byPosition).at(-1)
      if (last !== undefined) return last
      to = start - 1n
    }
    return undefined
  }

  async #logs(fromBlock: bigint, toBlock: bigint, patient: boolean) {
    try {
      const { address, topic } = this.#source
      return await this.#reader.logs({ address, topics: [topic], fromBlock, toBlock })
    } catch (error) {
      const silent = error instanceof UnavailableError
      const smallerMayHelp = isRefusal(error) || (silent && patient)
      if (!smallerMayHelp || fromBlock === toBlock) throw error
      this.#page = (toBlock - fromBlock + 1n) / 2n
      return silent ? ('silence' as const) : ('refused' as const)
    }
  }
}

function byPosition(a: FoundLog, b: FoundLog): number {
  return Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex
}
