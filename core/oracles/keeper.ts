/** Where the protocol config is: the CID in the Keeper's last ConfigUpdated event. */
import { decodeAbiParameters, encodeEventTopics, parseAbi } from 'viem'
import { LastLogSearch, type LogReader } from '../clients/last-log.js'
import { DvtExitError, describeError, UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'

const KEEPER_ABI = parseAbi(['event ConfigUpdated(string configIpfsHash)'])
const [CONFIG_UPDATED] = encodeEventTopics({ abi: KEEPER_ABI, eventName: 'ConfigUpdated' })

/** The Keeper's address and the block that it was deployed in. */
export interface KeeperContract {
  readonly address: Hex
  readonly block: number
}

/** Follows the event on one endpoint. */
export class KeeperConfigSearch {
  readonly #search: LastLogSearch
  readonly #keeper: KeeperContract

  constructor(reader: LogReader, keeper: KeeperContract) {
    this.#search = new LastLogSearch(reader, { ...keeper, topic: CONFIG_UPDATED, upTo: 'finalized' })
    this.#keeper = keeper
  }

  /**
   * The CID of the config at the finalized block, or at the latest where the endpoint knows no finalized one.
   * @throws UnavailableError NO_PROTOCOL_CONFIG where the Keeper never named one; the endpoint's own errors
   */
  async latest(): Promise<string> {
    const { log, head } = await this.#search.latest()
    if (log !== undefined) return decodeConfigUpdated(log.data)
    throw new UnavailableError(
      'NO_PROTOCOL_CONFIG',
      `the Keeper at ${this.#keeper.address} has no ConfigUpdated event up to block ${head}`,
      { hint: 'Check that the execution endpoint is on the right network and keeps old logs' },
    )
  }
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
