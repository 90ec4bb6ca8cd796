/** Where the protocol config is: the CID in the Keeper's last ConfigUpdated event. */
import { decodeAbiParameters, encodeEventTopics, parseAbi } from 'viem'
import { isRefusal } from '../clients/json-rpc.js'
import { DvtExitError, describeError, UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'

const KEEPER_ABI = parseAbi(['event ConfigUpdated(string configIpfsHash)'])
const [CONFIG_UPDATED] = encodeEventTopics({ abi: KEEPER_ABI, eventName: 'ConfigUpdated' })

/** The calls of one execution endpoint that the search needs. */
export interface KeeperLogReader {
  block(id: 'latest' | 'finalized'): Promise<{ readonly number: bigint } | null>
  logs(filter: {
    address: Hex
    topics: Hex[]
    fromBlock: bigint
    toBlock: bigint
  }): Promise<readonly { readonly data: Hex; readonly blockNumber: bigint; readonly logIndex: number }[]>
}

/** The Keeper's address and the block that it was deployed in. */
export interface KeeperContract {
  readonly address: Hex
  readonly block: number
}

/** Blocks in one request at first; halved as often as the endpoint refuses the range. */
const PAGE = 50_000n
/** How often in one search a range that got no answer is halved too: the endpoint may be down. */
const SILENCES = 3

/**
 * Follows the event on one endpoint. The first search goes backwards from the head to the contract's
 * deployment and stops at the first event; later ones look at the blocks that came since.
 */
export class KeeperConfigSearch {
  readonly #reader: KeeperLogReader
  readonly #keeper: KeeperContract
  #found: string | undefined
  #searchedTo: bigint | undefined
  #page = PAGE

  constructor(reader: KeeperLogReader, keeper: KeeperContract) {
    this.#reader = reader
    this.#keeper = keeper
  }

  /**
   * The CID of the config at the finalized block, or at the latest where the endpoint knows no finalized one.
   * @throws UnavailableError NO_PROTOCOL_CONFIG where the Keeper never named one; the endpoint's own errors
   */
  async latest(): Promise<string> {
    const head = await this.#head()
    const deployed = BigInt(this.#keeper.block)
    const from = this.#searchedTo === undefined ? deployed : this.#searchedTo + 1n
    const cid = await this.#searchBackwards(from, head)
    if (cid !== undefined) this.#found = cid
    if (this.#searchedTo === undefined || head > this.#searchedTo) this.#searchedTo = head
    if (this.#found === undefined) {
      this.#searchedTo = undefined
      throw new UnavailableError(
        'NO_PROTOCOL_CONFIG',
        `the Keeper at ${this.#keeper.address} has no ConfigUpdated event up to block ${head}`,
        { hint: 'Check that the execution endpoint is on the right network and keeps old logs' },
      )
    }
    return this.#found
  }

  async #head(): Promise<bigint> {
    let finalized: { readonly number: bigint } | null = null
    try {
      finalized = await this.#reader.block('finalized')
    } catch (error) {
      // A devnet without finality may refuse the tag.
      if (!isRefusal(error)) throw error
    }
    const head = finalized ?? (await this.#reader.block('latest'))
    if (head === null) throw new UnavailableError('NO_HEAD', 'the execution endpoint has no latest block')
    return head.number
  }

  async #searchBackwards(from: bigint, head: bigint): Promise<string | undefined> {
    let to = head
    let silences = 0
    while (to >= from) {
      const start = to - this.#page + 1n > from ? to - this.#page + 1n : from
      const logs = await this.#logs(start, to, silences < SILENCES)
      if (logs === 'silence') silences++
      if (logs === 'silence' || logs === 'refused') continue
      const last = logs.toSorted(byPosition).at(-1)
      if (last !== undefined) return decodeConfigUpdated(last.data)
      to = start - 1n
    }
    return undefined
  }

  async #logs(fromBlock: bigint, toBlock: bigint, patient: boolean) {
    try {
      return await this.#reader.logs({
        address: this.#keeper.address,
        topics: [CONFIG_UPDATED],
        fromBlock,
        toBlock,
      })
    } catch (error) {
      const silent = error instanceof UnavailableError
      const smallerMayHelp = isRefusal(error) || (silent && patient)
      if (!smallerMayHelp || fromBlock === toBlock) throw error
      this.#page = (toBlock - fromBlock + 1n) / 2n
      return silent ? ('silence' as const) : ('refused' as const)
    }
  }
}

function byPosition(
  a: { readonly blockNumber: bigint; readonly logIndex: number },
  b: { readonly blockNumber: bigint; readonly logIndex: number },
): number {
  return Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex
}

/** The CID in the event's data. @throws DvtExitError INVALID_EVENT */
export function decodeConfigUpdated(data: Hex): string {
  try {
    const [cid] = decodeAbiParameters([{ type: 'string' }], data)
    return cid
  } catch (cause) {
    throw new DvtExitError('INVALID_EVENT', 'the Keeper’s ConfigUpdated event holds no string', { cause })
  }
}

/**
 * The CID that a majority of all endpoints agrees on, so that one lying endpoint decides nothing.
 * @throws UnavailableError NO_MAJORITY naming what each endpoint said
 */
export async function configCidOfMajority(searches: readonly KeeperConfigSearch[]): Promise<string> {
  const answers = await Promise.allSettled(searches.map((search) => search.latest()))
  const votes = new Map<string, number>()
  for (const answer of answers) {
    if (answer.status === 'fulfilled') votes.set(answer.value, (votes.get(answer.value) ?? 0) + 1)
  }
  for (const [cid, count] of votes) {
    if (2 * count > searches.length) return cid
  }
  const said = answers.map((answer) =>
    answer.status === 'fulfilled' ? answer.value : describeError(answer.reason),
  )
  throw new UnavailableError(
    'NO_MAJORITY',
    `no majority of the ${searches.length} execution endpoints agrees on the Keeper’s config: ${said.join('; ')}`,
    { hint: 'Check EXECUTION_ENDPOINT' },
  )
}
