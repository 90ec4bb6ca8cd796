/** What the agent reads of its vault: how it registers, what it can harvest, and what it can afford. */
import { decodeFunctionResult, encodeFunctionData, getAddress, keccak256 } from 'viem'
import type { ExecutionClient } from '../../core/clients/execution.js'
import { isRefusal, revertDataOf } from '../../core/clients/json-rpc.js'
import { ConfigurationError, DvtExitError } from '../../core/errors.js'
import { type Hex, normalizeHex, type PublicKeyHex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import { depositDataRegistryAbi, keeperAbi, vaultAbi, vaultV1Abi } from '../../core/vault/abi.js'
import type { HarvestParams } from '../../core/vault/approval-params.js'
import { describeRevert } from '../../core/vault/revert.js'
import { type CallFrom, revertBehind } from '../transactions/hidden-revert.js'
import type { Rewards } from './rewards.js'
import { knowsManager, type NoWay, type Way, wayOf } from './way.js'

export interface VaultState {
  readonly version: number
  readonly way: Way | NoWay
  /** What the next transaction must or may harvest with; undefined where there is nothing to harvest. */
  readonly harvest: HarvestParams | undefined
  /** What validators may be made of, after that harvest. Wei of the staked token. */
  readonly assets: bigint
  /** How many oracles must approve a registration. */
  readonly minOracles: number
}

/** The deposit data that a vault has accepted. */
export interface DepositDataState {
  /** Of the merkle tree over all entries. */
  readonly root: Hex
  /** The position of the next entry to register. */
  readonly index: number
}

export interface VaultReaderParts {
  readonly network: Network
  readonly vault: Hex
  readonly execution: Pick<ExecutionClient, 'call' | 'simulate'>
  readonly rewards: Rewards
}

export class VaultReader {
  readonly #parts: VaultReaderParts

  constructor(parts: VaultReaderParts) {
    this.#parts = parts
  }

  /**
   * The vault as it is now.
   * @throws ConfigurationError NO_VAULT where there is no vault at the address; DvtExitError HARVEST_REVERTS where
   *   the vault does not take the rewards; the clients' own errors
   */
  async state(): Promise<VaultState> {
    const { version, way } = await this.way()
    const [harvest, minOracles] = await Promise.all([this.#harvest(), this.minOracles()])
    return { version, way, harvest, assets: await this.#assets(harvest), minOracles }
  }

  /** How it registers. @throws ConfigurationError NO_VAULT; the clients' own errors */
  async way(): Promise<Pick<VaultState, 'version' | 'way'>> {
    const { network } = this.#parts
    const version = await this.version()
    const manager = knowsManager(version, network.stakingToken) ? await this.#manager() : undefined
    const way = wayOf({ version, manager }, network.depositDataRegistry?.address, network.stakingToken)
    return { version, way }
  }

  /** The deposit data's root and next index, where the vault keeps them or the registry does. */
  async depositData(way: Exclude<Way, { kind: 'manager' }>): Promise<DepositDataState> {
    const { vault } = this.#parts
    if (way.kind === 'own') {
      const [root, index] = await Promise.all([
        this.#read(vault, vaultV1Abi, 'validatorsRoot', []),
        this.#read(vault, vaultV1Abi, 'validatorIndex', []),
      ])
      return { root: normalizeHex(root as Hex, 32), index: Number(index) }
    }
    const [root, index] = await Promise.all([
      this.#read(way.registry, depositDataRegistryAbi, 'depositDataRoots', [vault]),
      this.#read(way.registry, depositDataRegistryAbi, 'depositDataIndexes', [vault]),
    ])
    return { root: normalizeHex(root as Hex, 32), index: Number(index) }
  }

  /** Its version. @throws ConfigurationError NO_VAULT where there is no vault at the address */
  async version(): Promise<number> {
    const { vault, network } = this.#parts
    try {
      return Number(await this.#read(vault, vaultAbi, 'version', []))
    } catch (error) {
      if (!isNoAnswerOfContract(error)) throw error
      throw new ConfigurationError('NO_VAULT', `there is no vault at ${vault} on ${network.name}`, {
        cause: error,
        hint: 'Check VAULT and NETWORK',
      })
    }
  }

  /** What a signature of the validators manager for anything but a registration holds for. */
  async managerNonce(): Promise<bigint> {
    return (await this.#read(this.#parts.vault, vaultAbi, 'validatorsManagerNonce', [])) as bigint
  }

  /** Whether the vault knows a key as a compounding validator's. */
  async isCompounding(publicKey: PublicKeyHex): Promise<boolean> {
    return (await this.#read(this.#parts.vault, vaultAbi, 'v2Validators', [keccak256(publicKey)])) === true
  }

  /** How many oracles must approve a registration, or a consolidation into a new key. */
  async minOracles(): Promise<number> {
    return Number(await this.#read(this.#parts.network.keeper.address, keeperAbi, 'validatorsMinOracles', []))
  }

  async #manager(): Promise<Hex> {
    return getAddress(String(await this.#read(this.#parts.vault, vaultAbi, 'validatorsManager', [])))
  }

  async #harvest(): Promise<HarvestParams | undefined> {
    const { network, vault, rewards } = this.#parts
    if ((await this.#read(network.keeper.address, keeperAbi, 'canHarvest', [vault])) !== true)
      return undefined
    const escrow = String(await this.#read(vault, vaultAbi, 'mevEscrow', [])).toLowerCase()
    return rewards.harvestParams(vault, escrow === network.sharedMevEscrow?.address.toLowerCase())
  }

  /** In one call, so that what is counted is what the harvest leaves. */
  async #assets(harvest: HarvestParams | undefined): Promise<bigint> {
    const { vault, execution, rewards } = this.#parts
    if (harvest === undefined) return (await this.#read(vault, vaultAbi, 'withdrawableAssets', [])) as bigint
    const calls = [
      encodeFunctionData({ abi: vaultAbi, functionName: 'updateState', args: [harvest] }),
      encodeFunctionData({ abi: vaultAbi, functionName: 'withdrawableAssets' }),
    ]
    const data = encodeFunctionData({ abi: vaultAbi, functionName: 'multicall', args: [calls] })
    try {
      const answer = await execution.call(vault, data)
      const results = decodeFunctionResult({ abi: vaultAbi, functionName: 'multicall', data: answer })
      return decodeFunctionResult({
        abi: vaultAbi,
        functionName: 'withdrawableAssets',
        data: results[1] ?? '0x',
      })
    } catch (error) {
      if (!isRefusal(error)) throw error
      const simulate = (call: CallFrom) => execution.simulate(call)
      const revert = await revertBehind(revertDataOf(error), { from: vault, to: vault, data }, simulate)
      if (revert === undefined) throw error
      rewards.forget()
      throw harvestFailure(revert, error)
    }
  }

  async #read(
    to: Hex,
    abi: typeof vaultAbi | typeof vaultV1Abi | typeof keeperAbi | typeof depositDataRegistryAbi,
    functionName: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    // The four ABIs share no type of viem's that would check name and arguments together.
    const call = { abi, functionName, args } as Parameters<typeof encodeFunctionData>[0]
    const data = await this.#parts.execution.call(to, encodeFunctionData(call))
    try {
      return decodeFunctionResult({ ...call, data } as Parameters<typeof decodeFunctionResult>[0])
    } catch (cause) {
      throw new DvtExitError('NOT_THE_CONTRACT', `the contract at ${to} does not answer ${functionName}()`, {
        cause,
        hint: 'Check VAULT, NETWORK and the addresses of NETWORK_CONFIG_FILE',
      })
    }
  }
}

function isNoAnswerOfContract(error: unknown): boolean {
  return (
    error instanceof DvtExitError &&
    (error.code === 'NOT_THE_CONTRACT' || (error.code === 'RPC_ERROR' && revertDataOf(error) !== undefined))
  )
}

function harvestFailure(revert: Hex, cause: unknown): DvtExitError {
  const { name, meaning } = describeRevert(revert)
  return new DvtExitError(
    'HARVEST_REVERTS',
    `the vault does not take the rewards update: ${name}, ${meaning}`,
    {
      cause,
      hint: 'The IPFS gateway may have answered with other rewards: check IPFS_FETCH_ENDPOINTS',
    },
  )
}
