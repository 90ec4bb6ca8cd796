/** The Keeper's rewards updates, and the files that they name. */
import { encodeAbiParameters, encodeEventTopics } from 'viem'
import type { FoundLog, LogReader } from '../../../core/clients/last-log.js'
import type { Hex } from '../../../core/hex.js'
import { keeperAbi } from '../../../core/vault/abi.js'

export class RewardsDouble {
  head: bigint
  readonly #logs: FoundLog[] = []
  readonly #files = new Map<string, string>()
  /** CIDs asked for, in order. */
  readonly fetched: string[] = []

  constructor(head = 1_000_000n) {
    this.head = head
  }

  /** The oracles agree on rewards: the file's text, and the root of all vaults' rewards. */
  update(root: Hex, cid: string, text: string, blockNumber = this.head): void {
    const [topic, caller, rewardsRoot] = encodeEventTopics({
      abi: keeperAbi,
      eventName: 'RewardsUpdated',
      args: { caller: `0x${'ca'.repeat(20)}`, rewardsRoot: root },
    })
    const data = encodeAbiParameters(
      [{ type: 'uint256' }, { type: 'uint64' }, { type: 'uint64' }, { type: 'string' }],
      [5n, 1_700_000_000n, 9n, cid],
    )
    const topics = [topic, caller as Hex, rewardsRoot as Hex]
    this.#logs.push({ topics, data, blockNumber, logIndex: 0 })
    this.#files.set(cid, text)
  }

  readonly reader: LogReader = {
    block: async () => ({ number: this.head }),
    logs: async ({ topics, fromBlock, toBlock }) =>
      this.#logs.filter(
        (log) => log.topics[0] === topics[0] && log.blockNumber >= fromBlock && log.blockNumber <= toBlock,
      ),
  }

  readonly ipfs = {
    fetchProven: async <T>(cid: string, parse: (content: Buffer) => T): Promise<T> => {
      this.fetched.push(cid)
      return parse(Buffer.from(this.#files.get(cid) ?? ''))
    },
  }
}
