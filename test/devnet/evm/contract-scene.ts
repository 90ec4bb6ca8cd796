/** The devnet's contracts on a chain of their own, with everyone who signs for a registration. */
import { concatHex, keccak256, stringToHex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { ExecutionClient } from '../../../core/clients/execution.js'
import { revertDataOf } from '../../../core/clients/json-rpc.js'
import type { Hex } from '../../../core/hex.js'
import { type ValidatorType, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { loadNetwork } from '../../../core/network.js'
import type { ApprovalParams } from '../../../core/vault/approval-params.js'
import { describeRevert } from '../../../core/vault/revert.js'
import { managerTypedData, oracleApprovalTypedData } from '../../../core/vault/signatures.js'
import { type SignedDeposit, validatorBytes } from '../../../core/vault/validator-bytes.js'
import { until } from '../../doubles/poll.js'
import { Anvil } from './anvil.js'
import { VaultWorld, type VaultWorldOptions } from './contracts.js'

export const ETH = 10n ** 18n
export const network = loadNetwork('hoodi')
export const VAULT: Hex = `0x${'ba'.repeat(20)}`
/** How many of the four oracles must approve. */
export const MIN_ORACLES = 3
/** Holds nothing but ether for gas, and no rights. */
export const SOMEBODY = accountOf('somebody')
export const MANAGER = accountOf('manager')
const FAR_AHEAD = 10n ** 11n

/** The oracles in ascending order of address, as the Keeper wants their signatures. */
export const ORACLES: readonly PrivateKeyAccount[] = [1, 2, 3, 4]
  .map((number) => accountOf(`oracle ${number}`))
  .toSorted((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1))

export interface Call {
  readonly to: Hex
  readonly data: Hex
}

/** What the oracles are asked to sign, where it differs from what is right. */
export interface ApprovalChanges {
  readonly signed?: Partial<ApprovalParams & { readonly vault: Hex }>
  readonly by?: readonly PrivateKeyAccount[]
}

export class ContractScene {
  readonly anvil: Anvil
  readonly execution: ExecutionClient
  #world: VaultWorld | undefined
  #empty = '0x0'
  #placed = '0x0'

  private constructor(anvil: Anvil) {
    this.anvil = anvil
    this.execution = new ExecutionClient([anvil.url], { chainId: network.chainId })
  }

  static async start(): Promise<ContractScene> {
    const scene = new ContractScene(await Anvil.start({ chainId: network.chainId }))
    await scene.anvil.rpc('anvil_autoImpersonateAccount', [true])
    for (const { address } of [SOMEBODY, MANAGER]) await scene.anvil.setBalance(address, 1000n * ETH)
    scene.#empty = await scene.#snapshot()
    return scene
  }

  get world(): VaultWorld {
    if (this.#world === undefined) throw new Error('no contracts were placed')
    return this.#world
  }

  /** Puts the contracts on the empty chain; reset() comes back to here. */
  async place(options: Pick<VaultWorldOptions, 'kind' | 'manager' | 'sharedMev'>): Promise<void> {
    await this.anvil.rpc('evm_revert', [this.#empty])
    this.#empty = await this.#snapshot()
    this.#world = await VaultWorld.place(this.anvil, {
      ...options,
      network,
      vault: VAULT,
      oracles: ORACLES.map(({ address }) => address),
      minOracles: MIN_ORACLES,
      configCid: 'config',
    })
    this.#placed = await this.#snapshot()
  }

  /** Undoes all that happened since the contracts were placed. */
  async reset(): Promise<void> {
    await this.anvil.rpc('evm_revert', [this.#placed])
    this.#placed = await this.#snapshot()
  }

  /** The approval of these validators by as many oracles as must approve. */
  async approve(
    validators: Hex,
    { signed = {}, by = ORACLES.slice(0, MIN_ORACLES) }: ApprovalChanges = {},
  ): Promise<ApprovalParams> {
    const params = {
      validatorsRegistryRoot: await this.world.depositRoot(),
      deadline: FAR_AHEAD,
      validators,
      exitSignaturesIpfsHash: 'exits',
    }
    const typedData = oracleApprovalTypedData(network, { vault: VAULT, ...params, ...signed })
    const signatures = await Promise.all(by.map((oracle) => oracle.signTypedData(typedData)))
    return { ...params, signatures: concatHex(signatures) }
  }

  /** @param rootOrNonce the registry's root unless given */
  async managerSignature(validators: Hex, rootOrNonce?: Hex, by = MANAGER): Promise<Hex> {
    const validatorsRegistryRoot = rootOrNonce ?? (await this.world.depositRoot())
    return by.signTypedData(managerTypedData(network, VAULT, { validatorsRegistryRoot, validators }))
  }

  /** Sends a call and has it mined. Fails where it reverts. */
  async send({ to, data }: Call, from: Hex = SOMEBODY.address): Promise<void> {
    const gas = await this.execution.estimateGas({ from, to, data })
    const transaction = { from, to, data, gas: `0x${gas.toString(16)}` }
    const hash = (await this.anvil.rpc('eth_sendTransaction', [transaction])) as Hex
    // The answer may come before the block.
    const mined = () => this.execution.transactionReceipt(hash)
    await until(async () => (await mined()) !== null, `the transaction to ${to} is mined`)
    if ((await mined())?.status !== 'success') throw new Error(`the transaction to ${to} reverted`)
  }

  /** What a call reverts with, the same for an estimate and for a simulation. Fails where it does not revert. */
  async revertData({ to, data }: Call, from: Hex = SOMEBODY.address): Promise<Hex | undefined> {
    const estimated = await refusal(this.execution.estimateGas({ from, to, data }))
    const simulated = await refusal(this.execution.simulate({ from, to, data }))
    if (estimated !== simulated) throw new Error(`estimated ${estimated}, simulated ${simulated}`)
    return estimated
  }

  /** The name that the product has for it. */
  async revertName(call: Call, from?: Hex): Promise<string> {
    return describeRevert(await this.revertData(call, from)).name
  }

  async #snapshot(): Promise<string> {
    return String(await this.anvil.rpc('evm_snapshot'))
  }
}

/** A deposit whose signature no contract can check, by its number. */
export function depositOf(
  number: number,
  type: ValidatorType = '0x01',
  gwei = 32_000_000_000n,
): SignedDeposit {
  const bytes = (length: number) =>
    concatHex([1, 2, 3].map((part) => keccak256(stringToHex(`${part} of ${number}`)))).slice(
      0,
      2 + 2 * length,
    )
  return {
    publicKey: bytes(48) as Hex,
    withdrawalCredentials: withdrawalCredentials(type, VAULT),
    amount: gwei,
    signature: bytes(96) as Hex,
  }
}

/** So many deposits, numbered from 1. */
export function depositsOf(count: number, type?: ValidatorType, gwei?: bigint): SignedDeposit[] {
  return Array.from({ length: count }, (_, i) => depositOf(i + 1, type, gwei))
}

/** The validators' bytes, one after the other. */
export function bytesOf(deposits: readonly SignedDeposit[], type: ValidatorType = '0x01'): Hex {
  return concatHex(deposits.map((deposit) => validatorBytes(type, deposit)))
}

function accountOf(name: string): PrivateKeyAccount {
  return privateKeyToAccount(keccak256(stringToHex(name)))
}

async function refusal(answer: Promise<unknown>): Promise<Hex | undefined> {
  let result: unknown
  try {
    result = await answer
  } catch (error) {
    if (revertDataOf(error) !== undefined || /revert/i.test(String(error))) return revertDataOf(error)
    throw error
  }
  throw new Error(`it does not revert: ${result}`)
}
