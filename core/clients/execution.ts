/** The calls to execution nodes' JSON-RPC that the product needs, on several endpoints tried in turn. */
import type { Hex } from '../hex.js'
import { DEFAULT_RETRY, type RetryOptions } from './endpoint.js'
import { ExecutionEndpoint } from './execution-endpoint.js'
import { tryRefusalsToo } from './json-rpc.js'

/** A block by tag, by number, or by hash (32 bytes of hex). */
export type BlockId = 'latest' | 'safe' | 'finalized' | bigint | Hex

export interface Block {
  readonly number: bigint
  readonly hash: Hex
  readonly parentHash: Hex
  /** Seconds since 1970. */
  readonly timestamp: bigint
}

/** One event log. All hex is lowercase. */
export interface Log {
  readonly address: Hex
  readonly topics: Hex[]
  readonly data: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly transactionHash: Hex
  readonly logIndex: number
}

/** What a call or a transaction does. Amounts in wei. */
export interface CallRequest {
  readonly from: Hex
  readonly to: Hex
  readonly data: Hex
  readonly value?: bigint
}

/** What became of a transaction that is in a block. */
export interface Receipt {
  readonly status: 'success' | 'reverted'
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly gasUsed: bigint
}

/** Wei per gas, of the last blocks and of the next. */
export interface FeeHistory {
  /** The oldest block's first; one more than blocks were asked for: the last is that of the block to come. */
  readonly baseFees: readonly bigint[]
  /** What was paid on top at the percentile asked for, block by block. */
  readonly rewards: readonly bigint[]
}

/** Which contracts' logs, and which topics at each position (null: any). */
export interface LogSelection {
  readonly address?: Hex | Hex[]
  readonly topics?: (Hex | Hex[] | null)[]
}

/** A selection in the blocks fromBlock … toBlock, both included. */
export interface LogFilter extends LogSelection {
  readonly fromBlock: bigint
  readonly toBlock: bigint
}

export interface ExecutionClientOptions {
  /** Milliseconds for one request. */
  readonly timeout?: number
  readonly retry?: RetryOptions
  /** The network's chain id: an endpoint of another network is refused at its first use. */
  readonly chainId?: number
}

/** What one endpoint and all of them together can be asked. */
export interface ExecutionApi {
  chainId(): Promise<number>
  /** null where the endpoint knows no such block. */
  block(id: BlockId): Promise<Block | null>
  /** @throws DvtExitError RPC_ERROR where the endpoint refuses, for example because the range is too large */
  logs(filter: LogFilter): Promise<Log[]>
  /** The logs of one block by its hash: a reorganisation cannot mix in another's. */
  logsOfBlock(blockHash: Hex, selection: LogSelection): Promise<Log[]>
  /** eth_call. A block hash must be canonical. @throws DvtExitError RPC_ERROR where it reverts */
  call(to: Hex, data: Hex, block?: BlockId): Promise<Hex>
  /** 32 bytes. */
  storageAt(address: Hex, slot: Hex, block?: BlockId): Promise<Hex>
  /** eth_call with a sender. @throws RpcError with the revert data where it reverts */
  simulate(request: CallRequest, block?: BlockId): Promise<Hex>
  /** @throws RpcError with the revert data where it would revert */
  estimateGas(request: CallRequest): Promise<bigint>
  /** Wei. */
  balance(address: Hex): Promise<bigint>
  /** The nonce of the account's next transaction, those that wait counted or not. */
  transactionCount(address: Hex, block: 'latest' | 'pending'): Promise<number>
  /** @param percentile of the priority fees in each of the last blocks, the pending one included */
  feeHistory(blocks: number, percentile: number): Promise<FeeHistory>
  /** The transaction's hash. @throws RpcError where the node does not take it */
  sendRawTransaction(raw: Hex): Promise<Hex>
  /** null where it is in no block. */
  transactionReceipt(hash: Hex): Promise<Receipt | null>
  /** null where the endpoint does not know it; its block is null while it waits. */
  transactionByHash(hash: Hex): Promise<{ readonly blockNumber: bigint | null } | null>
}

const DEFAULT_TIMEOUT = 60_000

/**
 * Execution nodes tried in turn. Every call throws UnavailableError ALL_ENDPOINTS_FAILED where none served
 * it, DvtExitError RPC_ERROR where one understood and refused and none served it, and ConfigurationError
 * WRONG_NETWORK for an endpoint of another chain.
 */
export class ExecutionClient implements ExecutionApi {
  /** The same calls on one endpoint only, without retries. */
  readonly endpoints: readonly ExecutionEndpoint[]
  readonly retry: RetryOptions

  constructor(urls: readonly string[], options: ExecutionClientOptions = {}) {
    const { timeout = DEFAULT_TIMEOUT, retry = DEFAULT_RETRY, chainId } = options
    this.endpoints = urls.map((url) => new ExecutionEndpoint(url, { timeout }, chainId))
    this.retry = retry
  }

  chainId(): Promise<number> {
    return this.#inTurn('chain id', (endpoint) => endpoint.chainId())
  }

  block(id: BlockId): Promise<Block | null> {
    return this.#inTurn(`block ${id}`, (endpoint) => endpoint.block(id))
  }

  logs(filter: LogFilter): Promise<Log[]> {
    const what = `logs of blocks ${filter.fromBlock} to ${filter.toBlock}`
    return this.#inTurn(what, (endpoint) => endpoint.logs(filter))
  }

  logsOfBlock(blockHash: Hex, selection: LogSelection): Promise<Log[]> {
    return this.#inTurn(`logs of block ${blockHash}`, (endpoint) =>
      endpoint.logsOfBlock(blockHash, selection),
    )
  }

  call(to: Hex, data: Hex, block?: BlockId): Promise<Hex> {
    return this.#inTurn(`call of ${to}`, (endpoint) => endpoint.call(to, data, block))
  }

  storageAt(address: Hex, slot: Hex, block?: BlockId): Promise<Hex> {
    return this.#inTurn(`storage of ${address}`, (endpoint) => endpoint.storageAt(address, slot, block))
  }

  simulate(request: CallRequest, block?: BlockId): Promise<Hex> {
    return this.#inTurn(`call of ${request.to}`, (endpoint) => endpoint.simulate(request, block))
  }

  estimateGas(request: CallRequest): Promise<bigint> {
    return this.#inTurn(`gas for ${request.to}`, (endpoint) => endpoint.estimateGas(request))
  }

  balance(address: Hex): Promise<bigint> {
    return this.#inTurn(`balance of ${address}`, (endpoint) => endpoint.balance(address))
  }

  transactionCount(address: Hex, block: 'latest' | 'pending'): Promise<number> {
    return this.#inTurn(`nonce of ${address}`, (endpoint) => endpoint.transactionCount(address, block))
  }

  feeHistory(blocks: number, percentile: number): Promise<FeeHistory> {
    return this.#inTurn('fee history', (endpoint) => endpoint.feeHistory(blocks, percentile))
  }

  sendRawTransaction(raw: Hex): Promise<Hex> {
    return this.#inTurn('sending', (endpoint) => endpoint.sendRawTransaction(raw))
  }

  transactionReceipt(hash: Hex): Promise<Receipt | null> {
    return this.#inTurn(`receipt of ${hash}`, (endpoint) => endpoint.transactionReceipt(hash))
  }

  transactionByHash(hash: Hex): Promise<{ readonly blockNumber: bigint | null } | null> {
    return this.#inTurn(`transaction ${hash}`, (endpoint) => endpoint.transactionByHash(hash))
  }

  #inTurn<T>(what: string, operation: (endpoint: ExecutionEndpoint) => Promise<T>): Promise<T> {
    return tryRefusalsToo(what, this.endpoints, operation, this.retry)
  }
}
