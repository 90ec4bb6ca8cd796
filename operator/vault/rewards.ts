/** What a vault can harvest: its entry of the last rewards that the oracles published (chain.md). */
import { decodeEventLog, encodeEventTopics } from 'viem'
import { z } from 'zod'
import type { IpfsClient } from '../../core/clients/ipfs.js'
import { LastLogSearch, type LogReader } from '../../core/clients/last-log.js'
import { DvtExitError, UnavailableError } from '../../core/errors.js'
import { type Hex, normalizeHex } from '../../core/hex.js'
import { parseJson } from '../../core/json.js'
import type { Network } from '../../core/network.js'
import { describeShapeIssues } from '../../core/shape-issues.js'
import { keeperAbi } from '../../core/vault/abi.js'
import type { HarvestParams } from '../../core/vault/approval-params.js'
import { hexBytes } from '../../core/wire/fields.js'

const [REWARDS_UPDATED] = encodeEventTopics({ abi: keeperAbi, eventName: 'RewardsUpdated' })

/** Wei are JSON integers beyond 2^53. */
const wei = z.union([z.int(), z.bigint()]).transform((value) => BigInt(value))
const entrySchema = z.object({
  consensus_reward: wei,
  locked_mev_reward: wei.default(0n),
  unlocked_mev_reward: wei.default(0n),
  proof: z.array(hexBytes(32, 'node of the proof')),
})
const fileSchema = z.object({ vaults: z.array(z.looseObject({ vault: z.string() })) })

/** The last rewards update: the root of all vaults' rewards, and the file that has them. */
interface RewardsUpdate {
  readonly root: Hex
  readonly cid: string
}

export interface RewardsParts {
  readonly network: Network
  readonly reader: LogReader
  readonly ipfs: Pick<IpfsClient, 'fetchProven'>
}

export class Rewards {
  readonly #parts: RewardsParts
  readonly #search: LastLogSearch
  /** The last file read, parsed: it has every vault of the network. */
  #file: { readonly cid: string; readonly vaults: ReadonlyMap<string, unknown> } | undefined

  constructor(parts: RewardsParts) {
    this.#parts = parts
    this.#search = new LastLogSearch(parts.reader, {
      ...parts.network.keeper,
      topic: REWARDS_UPDATED,
      upTo: 'latest',
    })
  }

  /**
   * What to harvest with. Where the gateway's content cannot be checked against its CID, the chain checks the
   * proof: a call with a wrong reward reverts InvalidProof.
   * @param sharedMev whether the vault's MEV goes to the shared escrow
   * @returns undefined for a vault that the file does not have: it was not there yet
   * @throws UnavailableError NO_REWARDS_UPDATE, ALL_ENDPOINTS_FAILED, DvtExitError INVALID_REWARDS
   */
  async harvestParams(vault: Hex, sharedMev: boolean): Promise<HarvestParams | undefined> {
    const update = await this.#lastUpdate()
    const vaults = await this.#read(update.cid)
    const found = vaults.get(vault.toLowerCase())
    if (found === undefined) return undefined
    const parsed = entrySchema.safeParse(found)
    if (!parsed.success) {
      throw invalid(update.cid, `the vault ${vault}: ${describeShapeIssues(parsed.error)}`)
    }
    const { consensus_reward, locked_mev_reward, unlocked_mev_reward, proof } = parsed.data
    const countsMev = sharedMev && this.#parts.network.stakingToken === 'ETH'
    return {
      rewardsRoot: update.root,
      reward: consensus_reward + (countsMev ? unlocked_mev_reward + locked_mev_reward : 0n),
      unlockedMevReward: sharedMev ? unlocked_mev_reward : 0n,
      proof,
    }
  }

  /** The chain refused them: a gateway may have given others, which could not be checked against the CID. */
  forget(): void {
    this.#file = undefined
  }

  async #lastUpdate(): Promise<RewardsUpdate> {
    const { log, head } = await this.#search.latest()
    if (log === undefined) {
      throw new UnavailableError(
        'NO_REWARDS_UPDATE',
        `the Keeper at ${this.#parts.network.keeper.address} has no RewardsUpdated event up to block ${head}`,
        { hint: 'Check that the execution endpoint keeps old logs' },
      )
    }
    const { args } = decodeEventLog({
      abi: keeperAbi,
      eventName: 'RewardsUpdated',
      topics: log.topics as [Hex, ...Hex[]],
      data: log.data,
    })
    return { root: normalizeHex(args.rewardsRoot, 32), cid: args.rewardsIpfsHash }
  }

  async #read(cid: string): Promise<ReadonlyMap<string, unknown>> {
    if (this.#file?.cid === cid) return this.#file.vaults
    const vaults = await this.#parts.ipfs.fetchProven(cid, parseFile)
    this.#file = { cid, vaults }
    return vaults
  }
}

function parseFile(content: Buffer): ReadonlyMap<string, unknown> {
  const parsed = fileSchema.safeParse(parseJson(content.toString('utf8')))
  if (!parsed.success) throw new Error(describeShapeIssues(parsed.error))
  return new Map(parsed.data.vaults.map((entry) => [entry.vault.toLowerCase(), entry]))
}

function invalid(cid: string, reason: string): DvtExitError {
  return new DvtExitError('INVALID_REWARDS', `the rewards file ${cid}: ${reason}`, {
    hint: 'Check that NETWORK and VAULT belong together',
  })
}
