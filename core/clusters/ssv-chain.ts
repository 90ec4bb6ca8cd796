import type { Hex } from '../hex.js'

/** A log of SSVNetwork as an execution node gives it. */
export interface ChainLog {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly logIndex: number
}

export interface ChainLogFilter {
  address: Hex
  topics: (Hex | Hex[] | null)[]
  fromBlock: bigint
  toBlock: bigint
}

/** What following SSVNetwork needs of an execution node. */
export interface SsvChain {
  /** null where there is no such block (yet). */
  block(id: 'finalized' | bigint): Promise<{ readonly number: bigint; readonly hash: Hex } | null>
  /** @throws DvtExitError RPC_ERROR where the range is refused, UnavailableError where nothing answers */
  logs(filter: ChainLogFilter): Promise<readonly ChainLog[]>
}
