/** What the contracts answer to calls about one vault, from values that a test sets. */
import { decodeFunctionData, encodeFunctionResult, toFunctionSelector, zeroAddress } from 'viem'
import { RpcError } from '../../../core/clients/json-rpc.js'
import type { Hex } from '../../../core/hex.js'
import type { Network } from '../../../core/network.js'
import { depositDataRegistryAbi, keeperAbi, vaultAbi, vaultV1Abi } from '../../../core/vault/abi.js'
import type { HarvestParams } from '../../../core/vault/approval-params.js'

export class VaultDouble {
  version = 5
  manager: Hex = `0x${'12'.repeat(20)}`
  mevEscrow: Hex = zeroAddress
  /** Wei, before and after a harvest. */
  assets = 0n
  assetsHarvested = 0n
  canHarvest = false
  minOracles = 3n
  /** Of the vault itself, and of the registry. */
  readonly own = { root: `0x${'01'.repeat(32)}` as Hex, index: 1n }
  readonly registered = { root: `0x${'02'.repeat(32)}` as Hex, index: 2n }
  /** What a harvest reverts with, if it does. */
  refuses: (harvest: HarvestParams) => Hex | undefined = () => undefined
  /** The functions asked for, in order. */
  readonly asked: string[] = []
  readonly #network: Network
  readonly #vault: Hex

  constructor(network: Network, vault: Hex) {
    this.#network = network
    this.#vault = vault
  }

  async call(to: Hex, data: Hex): Promise<Hex> {
    switch (to.toLowerCase()) {
      case this.#vault.toLowerCase():
        return this.version === 1 && isOwn(data) ? this.#ownAnswer(data) : this.#vaultAnswer(data)
      case this.#network.keeper.address.toLowerCase():
        return this.#keeperAnswer(data)
      case this.#network.depositDataRegistry?.address.toLowerCase():
        return this.#registryAnswer(data)
      default:
        return '0x'
    }
  }

  #vaultAnswer(data: Hex): Hex {
    const abi = vaultAbi
    const { functionName, args } = decodeFunctionData({ abi, data })
    this.asked.push(functionName)
    switch (functionName) {
      case 'version':
        return encodeFunctionResult({ abi, functionName, result: this.version })
      case 'validatorsManager':
        if (this.version === 1) throw new RpcError('eth_call: execution reverted', { data: '0x' })
        return encodeFunctionResult({ abi, functionName, result: this.manager })
      case 'mevEscrow':
        return encodeFunctionResult({ abi, functionName, result: this.mevEscrow })
      case 'withdrawableAssets':
        return encodeFunctionResult({ abi, functionName, result: this.assets })
      case 'multicall':
        return encodeFunctionResult({ abi, functionName, result: this.#multicall(args[0]) })
      default:
        throw new Error(`the vault is not asked for ${functionName}`)
    }
  }

  /** updateState and then withdrawableAssets. */
  #multicall(calls: readonly Hex[]): Hex[] {
    const [update, assets] = calls.map((data) => decodeFunctionData({ abi: vaultAbi, data }))
    if (update?.functionName !== 'updateState' || assets?.functionName !== 'withdrawableAssets') {
      throw new Error('another multicall')
    }
    const data = this.refuses(update.args[0])
    if (data !== undefined) throw new RpcError('eth_call: execution reverted', { data })
    const result = encodeFunctionResult({
      abi: vaultAbi,
      functionName: 'withdrawableAssets',
      result: this.assetsHarvested,
    })
    return ['0x', result]
  }

  #ownAnswer(data: Hex): Hex {
    const abi = vaultV1Abi
    const { functionName } = decodeFunctionData({ abi, data })
    return functionName === 'validatorsRoot'
      ? encodeFunctionResult({ abi, functionName, result: this.own.root })
      : encodeFunctionResult({ abi, functionName: 'validatorIndex', result: this.own.index })
  }

  #keeperAnswer(data: Hex): Hex {
    const abi = keeperAbi
    const { functionName } = decodeFunctionData({ abi, data })
    return functionName === 'validatorsMinOracles'
      ? encodeFunctionResult({ abi, functionName, result: this.minOracles })
      : encodeFunctionResult({ abi, functionName, result: this.canHarvest })
  }

  #registryAnswer(data: Hex): Hex {
    const abi = depositDataRegistryAbi
    const { functionName, args } = decodeFunctionData({ abi, data })
    if (String(args?.[0]).toLowerCase() !== this.#vault.toLowerCase()) throw new Error('another vault')
    return functionName === 'depositDataRoots'
      ? encodeFunctionResult({ abi, functionName, result: this.registered.root })
      : encodeFunctionResult({ abi, functionName: 'depositDataIndexes', result: this.registered.index })
  }
}

function isOwn(data: Hex): boolean {
  const own = ['function validatorsRoot()', 'function validatorIndex()'].map((text) =>
    toFunctionSelector(text),
  )
  return own.includes(data.slice(0, 10) as Hex)
}
