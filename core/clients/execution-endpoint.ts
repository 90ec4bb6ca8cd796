import { z } from 'zod'
import { ConfigurationError } from '../errors.js'
import type { Hex } from '../hex.js'
import { type EndpointLimits, HttpEndpoint } from './endpoint.js'
import type {
  Block,
  BlockId,
  CallRequest,
  ExecutionApi,
  FeeHistory,
  Log,
  LogFilter,
  LogSelection,
  Receipt,
} from './execution.js'
import { checkEntries, hexField, quantityField, unexpectedAnswer } from './json-fields.js'
import { callJsonRpc } from './json-rpc.js'

const smallQuantity = quantityField.refine((value) => value < 2n ** 53n).transform((value) => Number(value))

const blockSchema = z.object({
  number: quantityField,
  hash: hexField(32),
  parentHash: hexField(32),
  timestamp: quantityField,
})

const logSchema = z.object({
  address: hexField(20),
  topics: z.array(hexField(32)).max(4),
  data: hexField(),
  blockNumber: quantityField,
  blockHash: hexField(32),
  transactionHash: hexField(32),
  logIndex: smallQuantity,
})

const receiptSchema = z.object({
  status: z
    .enum(['0x0', '0x1'])
    .transform((status): 'success' | 'reverted' => (status === '0x1' ? 'success' : 'reverted')),
  blockNumber: quantityField,
  blockHash: hexField(32),
  gasUsed: quantityField,
})

const transactionSchema = z.object({ blockNumber: quantityField.nullable() })

const feeHistorySchema = z
  .object({ baseFeePerGas: z.array(quantityField).min(1), reward: z.array(z.tuple([quantityField])) })
  .transform(({ baseFeePerGas, reward }) => ({ baseFees: baseFeePerGas, rewards: reward.flat() }))

/** One execution node. Without retries; every call may throw UnavailableError or DvtExitError RPC_ERROR. */
export class ExecutionEndpoint implements ExecutionApi {
  /** The URL without credentials and path, for logs and errors. */
  readonly shown: string
  readonly #http: HttpEndpoint
  readonly #chainId: number | undefined
  #checked: Promise<void> | undefined

  /** @param chainId checked before the first call, where given */
  constructor(url: string, limits: EndpointLimits, chainId?: number) {
    this.#http = new HttpEndpoint(url, limits)
    this.shown = this.#http.shown
    this.#chainId = chainId
  }

  chainId(): Promise<number> {
    return callJsonRpc(this.#http, 'eth_chainId', [], smallQuantity)
  }

  async block(id: BlockId): Promise<Block | null> {
    const byHash = isBlockHash(id)
    const method = byHash ? 'eth_getBlockByHash' : 'eth_getBlockByNumber'
    const block = await this.#call(method, [byHash ? id : blockTag(id), false], blockSchema.nullable())
    if (block !== null && (byHash ? block.hash !== id : typeof id === 'bigint' && block.number !== id)) {
      throw unexpectedAnswer(`${this.shown} ${method}`, `block ${block.number} ${block.hash} for ${id}`)
    }
    return block
  }

  async logs({ fromBlock, toBlock, ...selection }: LogFilter): Promise<Log[]> {
    const range = { fromBlock: quantity(fromBlock), toBlock: quantity(toBlock) }
    return this.#logs({ ...selection, ...range }, (log) =>
      log.blockNumber < fromBlock || log.blockNumber > toBlock ? 'a log outside the range' : undefined,
    )
  }

  async logsOfBlock(blockHash: Hex, selection: LogSelection): Promise<Log[]> {
    return this.#logs({ ...selection, blockHash }, (log) =>
      log.blockHash === blockHash ? undefined : 'a log of another block',
    )
  }

  call(to: Hex, data: Hex, block: BlockId = 'latest'): Promise<Hex> {
    return this.#call('eth_call', [{ to, data }, blockParameter(block)], hexField())
  }

  storageAt(address: Hex, slot: Hex, block: BlockId = 'latest'): Promise<Hex> {
    return this.#call('eth_getStorageAt', [address, slot, blockParameter(block)], hexField(32))
  }

  simulate(request: CallRequest, block: BlockId = 'latest'): Promise<Hex> {
    return this.#call('eth_call', [callParameter(request), blockParameter(block)], hexField())
  }

  estimateGas(request: CallRequest): Promise<bigint> {
    return this.#call('eth_estimateGas', [callParameter(request)], quantityField)
  }

  balance(address: Hex): Promise<bigint> {
    return this.#call('eth_getBalance', [address, 'latest'], quantityField)
  }

  transactionCount(address: Hex, block: 'latest' | 'pending'): Promise<number> {
    return this.#call('eth_getTransactionCount', [address, block], smallQuantity)
  }

  feeHistory(blocks: number, percentile: number): Promise<FeeHistory> {
    const params = [quantity(BigInt(blocks)), 'pending', [percentile]]
    return this.#call('eth_feeHistory', params, feeHistorySchema)
  }

  sendRawTransaction(raw: Hex): Promise<Hex> {
    return this.#call('eth_sendRawTransaction', [raw], hexField(32))
  }

  transactionReceipt(hash: Hex): Promise<Receipt | null> {
    return this.#call('eth_getTransactionReceipt', [hash], receiptSchema.nullable())
  }

  transactionByHash(hash: Hex): Promise<{ readonly blockNumber: bigint | null } | null> {
    return this.#call('eth_getTransactionByHash', [hash], transactionSchema.nullable())
  }

  async #logs(
    filter: LogSelection & Readonly<Record<string, unknown>>,
    complaint: (log: Log) => string | undefined,
  ): Promise<Log[]> {
    const what = `${this.shown} eth_getLogs`
    const entries = await this.#call('eth_getLogs', [filter], z.array(z.unknown()))
    const logs = await checkEntries(what, entries, logSchema)
    for (const log of logs) {
      const trouble = complaint(log) ?? (isSelected(log, filter) ? undefined : 'a log that was not asked for')
      if (trouble !== undefined) throw unexpectedAnswer(what, trouble)
    }
    return logs
  }

  async #call<T>(method: string, params: readonly unknown[], schema: z.ZodType<T>): Promise<T> {
    await this.#checkNetwork()
    return callJsonRpc(this.#http, method, params, schema)
  }

  /** Asked once; again where it could not be asked. */
  async #checkNetwork(): Promise<void> {
    if (this.#chainId === undefined) return
    this.#checked ??= this.#compareNetwork(this.#chainId)
    try {
      await this.#checked
    } catch (error) {
      this.#checked = undefined
      throw error
    }
  }

  async #compareNetwork(expected: number): Promise<void> {
    const chainId = await this.chainId()
    if (chainId === expected) return
    throw new ConfigurationError(
      'WRONG_NETWORK',
      `execution endpoint ${this.shown} is on chain ${chainId}, the network’s chain id is ${expected}`,
      { hint: 'Check EXECUTION_ENDPOINT and NETWORK' },
    )
  }
}

function isBlockHash(id: BlockId): id is Hex {
  return typeof id === 'string' && id.startsWith('0x')
}

function quantity(value: bigint): Hex {
  return `0x${value.toString(16)}`
}

function callParameter({ from, to, data, value = 0n }: CallRequest) {
  return { from, to, data, value: quantity(value) }
}

function blockTag(id: BlockId): string {
  return typeof id === 'bigint' ? quantity(id) : id
}

/** A block hash as EIP-1898 says; one that is no longer canonical is refused by the node. */
function blockParameter(id: BlockId): unknown {
  return isBlockHash(id) ? { blockHash: id, requireCanonical: true } : blockTag(id)
}

function isSelected(log: Log, { address, topics = [] }: LogSelection): boolean {
  return (
    (address === undefined || includes(address, log.address)) &&
    topics.every((wanted, position) => {
      const topic = log.topics[position]
      return wanted === null || (topic !== undefined && includes(wanted, topic))
    })
  )
}

function includes(wanted: Hex | Hex[], value: Hex): boolean {
  const list = typeof wanted === 'string' ? [wanted] : wanted
  return list.some((item) => item.toLowerCase() === value)
}
