/**
 * A chain in memory, as far as the product asks about it: blocks, logs, storage, the registry of validators and
 * the queue of deposits. One slot a block, with the same number. The doubles of nodes serve it.
 */
import { createHash } from 'node:crypto'
import {
  concatHex,
  decodeEventLog,
  encodeAbiParameters,
  encodeEventTopics,
  keccak256,
  numberToHex,
  parseAbi,
} from 'viem'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { ChainDeposit } from './deposits.js'

const abi = parseAbi([
  'event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)',
  'event ConfigUpdated(string configIpfsHash)',
  'event OperatorAdded(uint64 indexed operatorId, address indexed owner, bytes publicKey, uint256 fee)',
])
/** Where SSVNetwork keeps its operators' ids by public key. */
const SSV_OPERATOR_KEYS = 0xd56c4f4aab8ca22f9fde432777379f436593c6027698a6995e2daea890bed104n + 2n

/** Validators that were there before: so many, with keys that tell their index. */
export interface Registry {
  readonly count: number
  publicKeyOf(index: number): PublicKeyHex
  indexOf(publicKey: PublicKeyHex): number | undefined
}

export interface ChainLog {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockNumber: number
  readonly logIndex: number
  readonly transactionHash: Hex
}

export interface ChainBlock {
  readonly number: number
  readonly hash: Hex
  readonly parentHash: Hex
  readonly timestamp: number
}

/** A log as eth_getLogs answers it, for logs that are given to a chain. */
export interface RecordedLog {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockNumber: string
  readonly blockHash: Hex
  readonly transactionHash: Hex
  readonly logIndex: string
}

export interface ChainOptions {
  readonly network: Network
  readonly registry: Registry
  /** The head when it starts. */
  readonly head: number
  readonly finalized: number
  /** electra unless given; the beacon API's version. */
  readonly fork?: string
  /** DepositEvents before those that the chain knows; as many as validators unless given. */
  readonly depositsBefore?: number
}

interface Queued {
  readonly deposit: ChainDeposit
  readonly since: number
  processed: number | undefined
}

/** So many validators, whose keys (no points of the curve) hold their index in the last six bytes. */
export function compactRegistry(
  count: number,
  extra: ReadonlyMap<PublicKeyHex, number> = new Map(),
): Registry {
  const prefix = `0xa1${'5a'.repeat(41)}`
  const named = new Map([...extra].map(([key, index]) => [index, key]))
  return {
    count,
    publicKeyOf: (index) => named.get(index) ?? (`${prefix}${index.toString(16).padStart(12, '0')}` as Hex),
    indexOf: (key) => {
      const known = extra.get(key)
      if (known !== undefined || !key.startsWith(prefix)) return known
      const index = Number.parseInt(key.slice(prefix.length), 16)
      return index < count && !named.has(index) ? index : undefined
    },
  }
}

export class Chain {
  readonly network: Network
  fork: string
  head: number
  finalized: number
  readonly #registry: Registry
  readonly #depositsBefore: number
  readonly #added: { publicKey: PublicKeyHex; at: number }[] = []
  readonly #queue: Queued[] = []
  #logs: ChainLog[] = []
  readonly #hashes = new Map<number, Hex>()
  readonly #storage = new Map<string, Hex>()
  /** The first block of each reorganisation, oldest first. */
  readonly #reorganisations: number[] = []
  readonly #states = new Map<Hex, number>()

  constructor(options: ChainOptions) {
    this.network = options.network
    this.fork = options.fork ?? 'electra'
    this.head = options.head
    this.finalized = options.finalized
    this.#registry = options.registry
    this.#depositsBefore = options.depositsBefore ?? options.registry.count
  }

  /** Adds empty blocks. */
  advance(blocks = 1): void {
    this.head += blocks
  }

  /** Makes a block final; the head minus two unless given. */
  finalize(block = this.head - 2): void {
    this.finalized = block
  }

  /** Takes over a block of another chain, which becomes the head where it is higher. */
  adopt(block: { readonly number: number; readonly hash: Hex }): void {
    this.#hashes.set(block.number, block.hash)
    this.head = Math.max(this.head, block.number)
  }

  /** A new block with these deposits: their events, and their entries in the queue. Returns its number. */
  land(...deposits: ChainDeposit[]): number {
    this.advance()
    for (const deposit of deposits) this.#deposit(deposit, this.head)
    return this.head
  }

  /** Deposits whose events are in an old block. */
  landAt(block: number, ...deposits: ChainDeposit[]): void {
    for (const deposit of deposits) this.#deposit(deposit, block)
  }

  /** An entry in the queue without an event, as the merge of two validators makes one. */
  queue(deposit: ChainDeposit, since = this.finalized): void {
    this.#queue.push({ deposit, since, processed: undefined })
  }

  /** Takes entries off the queue in the head's state: new keys with a valid signature become validators. */
  process(entries = 1): void {
    const waiting = this.#queue.filter(({ processed }) => processed === undefined).slice(0, entries)
    for (const entry of waiting) {
      entry.processed = this.head
      const { publicKey, valid } = entry.deposit
      if (valid && this.validatorIndex(publicKey, this.head) === undefined) this.addValidator(publicKey)
    }
  }

  /** A validator that came in the head's state by a way that nobody sees. */
  addValidator(publicKey: PublicKeyHex): void {
    this.#added.push({ publicKey, at: this.head })
  }

  /** Replaces the last blocks by others, as many, without their logs. */
  reorganise(blocks: number): void {
    const first = this.head - blocks + 1
    this.#reorganisations.push(first)
    this.#logs = this.#logs.filter(({ blockNumber }) => blockNumber < first)
    for (const number of this.#hashes.keys()) if (number >= first) this.#hashes.delete(number)
    for (const [i, entry] of [...this.#queue.entries()].reverse()) {
      if (entry.since >= first) this.#queue.splice(i, 1)
    }
  }

  /** Logs from elsewhere in their own blocks, whose hashes the blocks get. */
  addLogs(logs: readonly RecordedLog[]): void {
    for (const log of logs) {
      const blockNumber = Number(log.blockNumber)
      this.#hashes.set(blockNumber, log.blockHash)
      const { address, topics, data, transactionHash } = log
      this.#logs.push({ address, topics, data, blockNumber, logIndex: Number(log.logIndex), transactionHash })
    }
  }

  /** The Keeper names a protocol config. */
  updateConfig(cid: string, block = this.head): void {
    const topics = encodeEventTopics({ abi, eventName: 'ConfigUpdated' })
    const data = encodeAbiParameters([{ type: 'string' }], [cid])
    this.#emit(this.network.keeper.address, topics as Hex[], data, block)
  }

  /** SSVNetwork's storage for every operator that the logs add. */
  registerOperators(logs: readonly RecordedLog[]): void {
    const [topic] = encodeEventTopics({ abi, eventName: 'OperatorAdded' })
    for (const log of logs.filter(({ topics }) => topics[0] === topic)) {
      const topics = [...log.topics] as [Hex, ...Hex[]]
      const { args } = decodeEventLog({ abi, eventName: 'OperatorAdded', data: log.data, topics })
      this.registerOperator(log.address, args.operatorId, args.publicKey)
    }
  }

  /** @param publicKey the bytes of OperatorAdded, an ABI-encoded string */
  registerOperator(contract: Hex, id: bigint, publicKey: Hex): void {
    const slot = keccak256(concatHex([keccak256(publicKey), numberToHex(SSV_OPERATOR_KEYS, { size: 32 })]))
    this.setStorage(contract, slot, numberToHex(id, { size: 32 }))
  }

  setStorage(contract: Hex, slot: Hex, value: Hex): void {
    this.#storage.set(`${contract}:${slot}`.toLowerCase(), value)
  }

  storageAt(contract: Hex, slot: Hex): Hex {
    return this.#storage.get(`${contract}:${slot}`.toLowerCase()) ?? numberToHex(0n, { size: 32 })
  }

  block(number: number): ChainBlock | undefined {
    if (number < 0 || number > this.head) return undefined
    const { genesisTime, secondsPerSlot } = this.network
    return {
      number,
      hash: this.#hashOf(number),
      parentHash: number === 0 ? numberToHex(0n, { size: 32 }) : this.#hashOf(number - 1),
      timestamp: genesisTime + number * secondsPerSlot,
    }
  }

  /** Only blocks of the chain as it is now. */
  blockByHash(hash: Hex): ChainBlock | undefined {
    for (const [number, known] of this.#hashes) if (known === hash) return this.block(number)
    const block = this.block(Number.parseInt(hash.slice(-12), 16))
    return block?.hash === hash ? block : undefined
  }

  logs(from: number, to: number): ChainLog[] {
    return this.#logs
      .filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to && blockNumber <= this.head)
      .sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
  }

  depositCount(block: number): number {
    const contract = this.network.depositContract.address.toLowerCase()
    return (
      this.#depositsBefore +
      this.logs(0, block).filter((log) => log.address.toLowerCase() === contract).length
    )
  }

  depositRoot(block: number): Hex {
    return sha256(`deposits ${this.depositCount(block)}`)
  }

  stateRoot(block: number): Hex {
    const root = sha256(`state ${this.#hashOf(block)}`)
    this.#states.set(root, block)
    return root
  }

  blockRoot(block: number): Hex {
    const root = sha256(`beacon block ${this.#hashOf(block)}`)
    this.#states.set(root, block)
    return root
  }

  /** The block whose state or beacon block has this root, if anybody was told it. */
  blockOfRoot(root: Hex): number | undefined {
    return this.#states.get(root)
  }

  validatorCount(block: number): number {
    return this.#registry.count + this.#added.filter(({ at }) => at <= block).length
  }

  validatorKey(index: number, block: number): PublicKeyHex | undefined {
    if (index < this.#registry.count) return this.#registry.publicKeyOf(index)
    return this.#added.filter(({ at }) => at <= block)[index - this.#registry.count]?.publicKey
  }

  validatorIndex(publicKey: PublicKeyHex, block: number): number | undefined {
    const added = this.#added.findIndex((one) => one.publicKey === publicKey && one.at <= block)
    return added < 0 ? this.#registry.indexOf(publicKey) : this.#registry.count + added
  }

  /** What the deposits for a key that have left the queue made of it; undefined where there was none. */
  depositedTo(
    publicKey: PublicKeyHex,
    block: number,
  ): { readonly balance: bigint; readonly withdrawalCredentials: Hex } | undefined {
    const deposits = this.#queue
      .filter(({ deposit, processed }) => deposit.publicKey === publicKey && (processed ?? Infinity) <= block)
      .map(({ deposit }) => deposit)
    const [first] = deposits
    if (first === undefined) return undefined
    const balance = deposits.reduce((sum, { amount }) => sum + amount, 0n)
    return { balance, withdrawalCredentials: first.withdrawalCredentials }
  }

  pendingDeposits(block: number): { deposit: ChainDeposit; slot: number }[] {
    return this.#queue
      .filter(({ since, processed }) => since <= block && (processed === undefined || processed > block))
      .map(({ deposit, since }) => ({ deposit, slot: since }))
  }

  #deposit(deposit: ChainDeposit, block: number): void {
    const [topic] = encodeEventTopics({ abi, eventName: 'DepositEvent' })
    const data = encodeAbiParameters(
      Array.from({ length: 5 }, () => ({ type: 'bytes' }) as const),
      [
        deposit.publicKey,
        deposit.withdrawalCredentials,
        littleEndian(deposit.amount),
        deposit.signature,
        littleEndian(BigInt(this.depositCount(block))),
      ],
    )
    this.#emit(this.network.depositContract.address, [topic], data, block)
    this.#queue.push({ deposit, since: block, processed: undefined })
  }

  #emit(address: Hex, topics: readonly Hex[], data: Hex, blockNumber: number): void {
    const logIndex = this.logs(blockNumber, blockNumber).length
    const transactionHash = sha256(`transaction ${blockNumber} ${logIndex} ${this.#branchOf(blockNumber)}`)
    this.#logs.push({ address, topics, data, blockNumber, logIndex, transactionHash })
  }

  #hashOf(number: number): Hex {
    const digest = sha256(`block ${number} ${this.#branchOf(number)}`)
    return this.#hashes.get(number) ?? `${digest.slice(0, 54) as Hex}${number.toString(16).padStart(12, '0')}`
  }

  #branchOf(number: number): number {
    return this.#reorganisations.filter((first) => number >= first).length
  }
}

function littleEndian(value: bigint): Hex {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return `0x${bytes.toString('hex')}`
}

function sha256(text: string): Hex {
  return `0x${createHash('sha256').update(text).digest('hex')}`
}
