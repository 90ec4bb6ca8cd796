/** Reads SSVNetwork's logs from an execution node, page by page. */
import { type LogRangeLimits, LogRanges } from '../clients/log-ranges.js'
import { UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'
import type { Logger } from '../log.js'
import type { ChainLog, SsvChain } from './ssv-chain.js'
import { addressTopic, decodeSsvEvent, SSV_TOPICS } from './ssv-events.js'
import type { Checkpoint, KeptLog } from './ssv-store.js'

export interface SsvReaderParts {
  readonly chain: SsvChain
  /** SSVNetwork's address. */
  readonly address: Hex
  /** Whose clusters are read, lowercase; absent: every owner's. */
  readonly owners?: ReadonlySet<Hex>
  readonly logger: Logger
  readonly ranges?: LogRangeLimits
}

/** The logs of a span of blocks, in the chain's order, and its last block. */
export interface SsvPage {
  readonly from: bigint
  readonly end: Checkpoint
  readonly logs: readonly KeptLog[]
}

type Topics = (Hex | Hex[] | null)[]

export class SsvReader {
  readonly #parts: SsvReaderParts
  readonly #ranges: LogRanges

  constructor(parts: SsvReaderParts) {
    this.#parts = parts
    this.#ranges = new LogRanges(parts.ranges)
  }

  /**
   * A block that the node must have.
   * @throws UnavailableError BLOCK_UNKNOWN
   */
  async block(id: 'finalized' | bigint): Promise<Checkpoint> {
    const block = await this.#parts.chain.block(id)
    if (block !== null) return { number: block.number, hash: block.hash }
    throw new UnavailableError(
      'BLOCK_UNKNOWN',
      id === 'finalized'
        ? 'the execution node knows no finalized block yet'
        : `the execution node does not know block ${id}`,
      { hint: 'It may still be syncing' },
    )
  }

  /**
   * The next page: the logs that matter from a block on, up to the last block at most.
   * @throws UnavailableError, DvtExitError RPC_ERROR
   */
  page(from: bigint, last: bigint): Promise<SsvPage> {
    return this.#ranges.next(from, last, async (start, to) => {
      // The block comes first: should the chain change meanwhile, the next look at it tells.
      const end = await this.block(to)
      const logs: ChainLog[] = []
      for (const topics of this.#topics()) logs.push(...(await this.#read(topics, start, to)))
      if (logs.some((log) => log.blockNumber === to && log.blockHash !== end.hash)) {
        throw new UnavailableError('CHAIN_MOVED', `block ${to} was replaced while its logs were read`)
      }
      return { from: start, end, logs: this.#decodeAll(logs) }
    })
  }

  /** All ValidatorAdded of one owner in a span of blocks. Throws as page does. */
  async registrationsOf(owner: Hex, from: bigint, last: bigint): Promise<KeptLog[]> {
    const topics = [SSV_TOPICS.ValidatorAdded, addressTopic(owner)]
    const pages = await this.#ranges.all(from, last, (start, to) => this.#read(topics, start, to))
    return this.#decodeAll(pages.flat())
  }

  /** Operators are needed whoever owns them: a cluster's operators belong to anybody. */
  #topics(): Topics[] {
    const { OperatorAdded, OperatorRemoved, ValidatorAdded, ValidatorRemoved } = SSV_TOPICS
    const { owners } = this.#parts
    if (owners === undefined) return [[[OperatorAdded, OperatorRemoved, ValidatorAdded, ValidatorRemoved]]]
    return [
      [[OperatorAdded, OperatorRemoved]],
      [[ValidatorAdded, ValidatorRemoved], [...owners].map((owner) => addressTopic(owner))],
    ]
  }

  async #read(topics: Topics, fromBlock: bigint, toBlock: bigint): Promise<ChainLog[]> {
    const { chain, address } = this.#parts
    const logs = await chain.logs({ address, topics, fromBlock, toBlock })
    return logs
      .filter((log) => log.address.toLowerCase() === address.toLowerCase())
      .filter((log) => log.blockNumber >= fromBlock && log.blockNumber <= toBlock)
  }

  #decodeAll(logs: readonly ChainLog[]): KeptLog[] {
    return logs.flatMap((log) => this.#decode(log)).sort(byPosition)
  }

  #decode(log: ChainLog): KeptLog[] {
    const { blockNumber, logIndex, topics, data } = log
    const event = decodeSsvEvent(log)
    if (event !== undefined)
      return [{ blockNumber, logIndex, event, encoded: { topics, data }, verdicts: {} }]
    const name = Object.entries(SSV_TOPICS).find(([, topic]) => topic === topics[0]?.toLowerCase())?.[0]
    if (name !== undefined) {
      this.#parts.logger.warn(
        { block: blockNumber.toString(), log: logIndex },
        `${name}: skipped: does not parse`,
      )
    }
    return []
  }
}

/** The chain's order. */
export function byPosition(a: KeptLog, b: KeptLog): number {
  return a.blockNumber === b.blockNumber ? a.logIndex - b.logIndex : a.blockNumber < b.blockNumber ? -1 : 1
}

/** Where a log stands, as a key. */
export function positionOf({ blockNumber, logIndex }: KeptLog): string {
  return `${blockNumber}/${logIndex}`
}
