import { encodeAbiParameters, encodeFunctionData, numberToHex, parseAbi } from 'viem'
import type { Hex } from '../../core/hex.js'
import type { Chain, ChainBlock, ChainLog } from './chain.js'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from './http-double.js'

const abi = parseAbi([
  'function get_deposit_count() view returns (bytes)',
  'function get_deposit_root() view returns (bytes32)',
])
const GET_DEPOSIT_COUNT = encodeFunctionData({ abi, functionName: 'get_deposit_count' })
const GET_DEPOSIT_ROOT = encodeFunctionData({ abi, functionName: 'get_deposit_root' })

type BlockReference = string | { readonly blockHash: Hex } | undefined
interface Filter {
  readonly address?: Hex | Hex[]
  readonly topics?: (Hex | Hex[] | null)[]
  readonly fromBlock?: string
  readonly toBlock?: string
  readonly blockHash?: Hex
}
interface Call {
  readonly id: unknown
  readonly method: string
  readonly params: readonly unknown[]
}

class Refusal extends Error {}

/** An execution node's JSON-RPC. */
export class ExecutionDouble extends HttpDouble {
  readonly #chain: Chain
  /** Blocks that one eth_getLogs may span. */
  maxRange = Number.POSITIVE_INFINITY
  /** Logs that it leaves out, as some providers do. */
  leavesOut: (log: ChainLog) => boolean = () => false
  /** Blocks before the head whose state is still there. */
  stateHistory = Number.POSITIVE_INFINITY
  /** Blocks that it is behind the chain. */
  behind = 0

  constructor(chain: Chain) {
    super()
    this.#chain = chain
  }

  protected override kindOf({ body }: DoubleRequest): string {
    return (JSON.parse(body) as Call).method
  }

  protected override answer({ body }: DoubleRequest): DoubleAnswer {
    const { id, method, params } = JSON.parse(body) as Call
    try {
      return { status: 200, body: { jsonrpc: '2.0', id, result: this.#call(method, params) } }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { status: 200, body: { jsonrpc: '2.0', id, error: { code: -32_000, message: error.message } } }
    }
  }

  get #head(): number {
    return this.#chain.head - this.behind
  }

  #call(method: string, params: readonly unknown[]): unknown {
    const [first, second, third] = params
    switch (method) {
      case 'eth_chainId':
        return numberToHex(this.#chain.network.chainId)
      case 'eth_blockNumber':
        return numberToHex(this.#head)
      case 'eth_getBlockByNumber':
        return blockResult(this.#chain.block(this.#numberOf(String(first))), this.#head)
      case 'eth_getBlockByHash':
        return blockResult(this.#chain.blockByHash(first as Hex), this.#head)
      case 'eth_getLogs':
        return this.#logs(first as Filter)
      case 'eth_call':
        return this.#contractCall(first as { to: Hex; data: Hex }, second as BlockReference)
      case 'eth_getStorageAt':
        this.#stateOf(third as BlockReference)
        return this.#chain.storageAt(first as Hex, second as Hex)
      default:
        throw new Refusal(`the method ${method} does not exist`)
    }
  }

  #logs(filter: Filter): unknown[] {
    const [from, to] = this.#rangeOf(filter)
    if (to - from + 1 > this.maxRange) throw new Refusal(`query exceeds the block range of ${this.maxRange}`)
    return this.#chain
      .logs(from, Math.min(to, this.#head))
      .filter((log) => matches(log, filter) && !this.leavesOut(log))
      .map((log) => this.#logResult(log))
  }

  #rangeOf({ blockHash, fromBlock = 'latest', toBlock = 'latest' }: Filter): [number, number] {
    if (blockHash === undefined) return [this.#numberOf(fromBlock), this.#numberOf(toBlock)]
    const block = this.#chain.blockByHash(blockHash)
    if (block === undefined) throw new Refusal('unknown block')
    return [block.number, block.number]
  }

  #contractCall({ to, data }: { to: Hex; data: Hex }, reference: BlockReference): Hex {
    const block = this.#stateOf(reference)
    const { address } = this.#chain.network.depositContract
    if (to.toLowerCase() !== address.toLowerCase()) return '0x'
    if (data === GET_DEPOSIT_ROOT) return this.#chain.depositRoot(block)
    if (data !== GET_DEPOSIT_COUNT) throw new Refusal('execution reverted')
    const count = Buffer.alloc(8)
    count.writeBigUInt64LE(BigInt(this.#chain.depositCount(block)))
    return encodeAbiParameters([{ type: 'bytes' }], [`0x${count.toString('hex')}`])
  }

  #stateOf(reference: BlockReference): number {
    const number =
      typeof reference === 'object'
        ? this.#chain.blockByHash(reference.blockHash)?.number
        : this.#numberOf(reference ?? 'latest')
    if (number === undefined || number > this.#head) throw new Refusal('header not found')
    if (number < this.#head - this.stateHistory) throw new Refusal('missing trie node')
    return number
  }

  #numberOf(tag: string): number {
    if (tag === 'latest' || tag === 'pending') return this.#head
    if (tag === 'finalized' || tag === 'safe') return Math.min(this.#chain.finalized, this.#head)
    return tag === 'earliest' ? 0 : Number(tag)
  }

  #logResult(log: ChainLog): unknown {
    return {
      ...log,
      address: log.address.toLowerCase(),
      blockNumber: numberToHex(log.blockNumber),
      blockHash: this.#chain.block(log.blockNumber)?.hash,
      logIndex: numberToHex(log.logIndex),
      transactionIndex: '0x0',
      removed: false,
    }
  }
}

function blockResult(block: ChainBlock | undefined, head: number): unknown {
  if (block === undefined || block.number > head) return null
  return {
    ...block,
    number: numberToHex(block.number),
    timestamp: numberToHex(block.timestamp),
    transactions: [],
  }
}

function matches(log: ChainLog, { address, topics = [] }: Filter): boolean {
  return (
    includes(address ?? null, log.address) &&
    topics.every((wanted, position) => {
      const topic = log.topics[position]
      return topic === undefined ? wanted === null : includes(wanted, topic)
    })
  )
}

function includes(wanted: Hex | Hex[] | null, value: Hex): boolean {
  if (wanted === null) return true
  const list = typeof wanted === 'string' ? [wanted] : wanted
  return list.some((item) => item.toLowerCase() === value.toLowerCase())
}
