import { keccak256 } from 'viem'
import type { ChainLog, ChainLogFilter, SsvChain } from '../../../core/clusters/ssv-chain.js'
import { DvtExitError, UnavailableError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { EXPECTED } from './ssv-fixture.js'

/** A chain in memory that a test bends: what it answers, refuses, forgets and reorganises. */
export class SsvChainDouble implements SsvChain {
  logList: ChainLog[]
  finalized: bigint
  /** More blocks at once are refused with RPC_ERROR. */
  mostBlocks = Number.POSITIVE_INFINITY
  /** While set, nothing answers. */
  down = false
  /** Logs that an answer leaves out. */
  leavesOut: (log: ChainLog, filter: ChainLogFilter) => boolean = () => false
  /** Called before every request; a test kills the reader here. */
  onRequest: (name: string) => void = () => undefined
  readonly filters: ChainLogFilter[] = []
  servesStorage = true
  /** SSVNetwork's storage by slot. */
  readonly storage = new Map<Hex, bigint>(
    Object.entries(EXPECTED.operators).map(([id, { publicKeyBase64 }]) => [
      slotOf(publicKeyBase64),
      BigInt(id),
    ]),
  )
  /** Blocks from this one on have other hashes than before. */
  #reorganisedFrom: bigint | undefined
  #forks = 0

  constructor(logs: readonly ChainLog[], finalized = 1_300_000n) {
    this.logList = [...logs]
    this.finalized = finalized
  }

  /** Replaces a block and all after it, with other logs. */
  reorganise(from: bigint, logs: readonly ChainLog[]): void {
    this.#reorganisedFrom = from
    this.#forks += 1
    this.logList = [...this.logList.filter((log) => log.blockNumber < from), ...logs].map((log) => ({
      ...log,
      blockHash: this.#hashOf(log.blockNumber),
    }))
  }

  async block(id: 'finalized' | bigint | 'latest'): Promise<{ number: bigint; hash: Hex } | null> {
    this.#request('block')
    const number = typeof id === 'bigint' ? id : this.finalized
    return number > this.finalized ? null : { number, hash: this.#hashOf(number) }
  }

  async logs(filter: ChainLogFilter): Promise<ChainLog[]> {
    this.#request('logs')
    this.filters.push(filter)
    if (Number(filter.toBlock - filter.fromBlock) + 1 > this.mostBlocks) {
      throw new DvtExitError('RPC_ERROR', 'range is too large')
    }
    return this.logList
      .map((log) => ({ ...log, blockHash: this.#hashOf(log.blockNumber) }))
      .filter((log) => matches(log, filter) && !this.leavesOut(log, filter))
  }

  async storageAt(address: Hex, slot: Hex): Promise<Hex> {
    this.#request('storage')
    if (!this.servesStorage) throw new DvtExitError('RPC_ERROR', 'the method does not exist')
    const id = address === EXPECTED.contract ? this.storage.get(slot) : undefined
    return `0x${(id ?? 0n).toString(16).padStart(64, '0')}`
  }

  #request(name: string): void {
    this.onRequest(name)
    if (this.down) throw new UnavailableError('ENDPOINT_UNREACHABLE', 'nothing answers')
  }

  #hashOf(number: bigint): Hex {
    const fork = this.#reorganisedFrom !== undefined && number >= this.#reorganisedFrom ? this.#forks : 0
    return `0x${number.toString(16).padStart(62, '0')}${fork.toString(16).padStart(2, '0')}`
  }
}

/** keccak256(keccak256(abi.encode(string)) ‖ slot of the mapping), put together by hand. */
function slotOf(publicKey: string): Hex {
  const word = (value: number) => value.toString(16).padStart(64, '0')
  const text = Buffer.from(publicKey).toString('hex')
  const padding = '0'.repeat((64 - (text.length % 64)) % 64)
  const hash = keccak256(`0x${word(32)}${word(publicKey.length)}${text}${padding}`)
  return keccak256(`${hash}d56c4f4aab8ca22f9fde432777379f436593c6027698a6995e2daea890bed106`)
}

function matches(log: ChainLog, { address, topics, fromBlock, toBlock }: ChainLogFilter): boolean {
  if (log.address.toLowerCase() !== address.toLowerCase()) return false
  if (log.blockNumber < fromBlock || log.blockNumber > toBlock) return false
  return topics.every((wanted, i) => {
    const topic = log.topics[i]
    return wanted === null || (topic !== undefined && [wanted].flat().includes(topic))
  })
}

export const SSV_CONTRACT = { address: EXPECTED.contract, block: 1065 } as const
