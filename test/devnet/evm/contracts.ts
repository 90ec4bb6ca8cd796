/** The devnet's contracts, where the product looks for them, and what happens to them. */
import { decodeEventLog, decodeFunctionResult, encodeFunctionData, numberToHex, parseAbi } from 'viem'
import { fromHex, type Hex, normalizeHex, toHex } from '../../../core/hex.js'
import { depositDataRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import type { Network } from '../../../core/network.js'
import { CONSOLIDATION_REQUESTS, WITHDRAWAL_REQUESTS } from '../../../core/vault/request-contracts.js'
import type { SignedDeposit } from '../../../core/vault/validator-bytes.js'
import type { Anvil } from './anvil.js'
import { compileContracts } from './compile.js'

/** All that the devnet calls of them, whichever contract has it. */
const abi = parseAbi([
  'event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)',
  'function get_deposit_root() view returns (bytes32)',
  'function deposit(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root) payable',
  'function initialize(uint8 version, address keeper, address deposits, address registry, address escrow, bool shared)',
  'function reserve(uint256 assets)',
  'function setValidatorsManager(address manager)',
  'function setValidatorsRoot(bytes32 root)',
  'function validatorsManager() view returns (address)',
  'function validatorsManagerNonce() view returns (uint256)',
  'function validatorIndex() view returns (uint256)',
  'function withdrawableAssets() view returns (uint256)',
  'function setDepositContract(address deposits)',
  'function setVault(address vault)',
  'function removeVault(address vault)',
  'function setOracles(address[] addresses, uint256 minOracles)',
  'function updateConfig(string configIpfsHash)',
  'function setSharedMevEscrow(address escrow)',
  'function updateRewards(bytes32 root, string rewardsIpfsHash)',
  'function collateralize(address vault)',
  'function setKeeper(address keeper)',
  'function setConsolidationsChecker(address checker)',
  'event Requested(address source, bytes request)',
  'function setDepositDataRoot(address vault, bytes32 root)',
  'function depositDataIndexes(address vault) view returns (uint256)',
  'function depositDataRoots(address vault) view returns (bytes32)',
  'function validatorsRoot() view returns (bytes32)',
])

/** v1 has deposit data of its own; v2 and v5 have a validators manager; a meta vault registers nothing. */
export type VaultKind = 'v1' | 'v2' | 'v5' | 'meta'

const CONTRACTS = { v1: 'VaultV1', v2: 'VaultV2', v5: 'VaultV5', meta: 'MetaVault' } as const
const VERSIONS = { v1: 1, v2: 2, v5: 5, meta: 6 } as const
/** Where a vault's own MEV escrow is placed. */
const OWN_ESCROW: Hex = `0x${'e5'.repeat(20)}`
const NOBODY: Hex = `0x${'00'.repeat(20)}`
const GWEI = 1_000_000_000n

export interface VaultWorldOptions {
  readonly network: Network
  readonly vault: Hex
  readonly kind: VaultKind
  /** The stored validators manager, which may be the registry's address; nobody unless given. */
  readonly manager?: Hex
  /** The accounts that the Keeper knows as oracles. */
  readonly oracles: readonly Hex[]
  /** How many of them must approve. */
  readonly minOracles: number
  /** The protocol config's. */
  readonly configCid: string
  /** Whether the vault shares its MEV with others; it has an escrow of its own unless given. */
  readonly sharedMev?: boolean
}

export class VaultWorld {
  readonly registry: Hex
  readonly escrow: Hex
  readonly #anvil: Anvil
  readonly #options: VaultWorldOptions
  readonly #sender: Hex

  private constructor(anvil: Anvil, options: VaultWorldOptions, sender: Hex) {
    const { depositDataRegistry, sharedMevEscrow } = options.network
    if (depositDataRegistry === undefined || sharedMevEscrow === undefined) {
      throw new Error('the network names no deposit data registry or no shared MEV escrow')
    }
    this.registry = depositDataRegistry.address
    this.escrow = options.sharedMev === true ? sharedMevEscrow.address : OWN_ESCROW
    this.#anvil = anvil
    this.#options = options
    this.#sender = sender
  }

  /** Puts all contracts in place and names the oracles. The chain must make a block for each transaction. */
  static async place(anvil: Anvil, options: VaultWorldOptions): Promise<VaultWorld> {
    const [sender] = (await anvil.rpc('eth_accounts')) as Hex[]
    const world = new VaultWorld(anvil, options, sender ?? NOBODY)
    await world.#placeCodes()
    await world.#introduce()
    return world
  }

  async #placeCodes(): Promise<void> {
    const { network, vault, kind } = this.#options
    const codes = await compileContracts()
    const places: [Hex, string][] = [
      [network.depositContract.address, 'DepositContract'],
      [network.keeper.address, 'Keeper'],
      [this.registry, 'DepositDataRegistry'],
      [this.escrow, 'MevEscrow'],
      [vault, CONTRACTS[kind]],
    ]
    if (network.consolidationsChecker !== undefined) {
      places.push([network.consolidationsChecker.address, 'ConsolidationsChecker'])
    }
    places.push(
      [WITHDRAWAL_REQUESTS, 'WithdrawalRequests'],
      [CONSOLIDATION_REQUESTS, 'ConsolidationRequests'],
    )
    for (const [address, name] of places) await this.#anvil.rpc('anvil_setCode', [address, codes.get(name)])
  }

  async #introduce(): Promise<void> {
    const { network, vault, kind, manager, oracles, minOracles, configCid, sharedMev = false } = this.#options
    const { registry, escrow } = this
    const keeper = network.keeper.address
    const deposits = network.depositContract.address
    await this.#send(keeper, 'setDepositContract', [deposits])
    if (sharedMev) await this.#send(keeper, 'setSharedMevEscrow', [escrow])
    else await this.#placeSharedEscrow()
    await this.#send(keeper, 'setVault', [vault])
    await this.setOracles(oracles, minOracles)
    await this.#send(keeper, 'updateConfig', [configCid])
    await this.#send(registry, 'setKeeper', [keeper])
    await this.#send(escrow, 'setVault', [vault])
    const settings = [VERSIONS[kind], keeper, deposits, registry, escrow, sharedMev]
    await this.#send(vault, 'initialize', settings)
    if (manager !== undefined) await this.setManager(manager)
    const checker = network.consolidationsChecker?.address
    if (checker === undefined || kind !== 'v5') return
    await this.#send(checker, 'setKeeper', [keeper])
    await this.#send(vault, 'setConsolidationsChecker', [checker])
  }

  /** The Keeper asks it about every vault, also those that have an escrow of their own. */
  async #placeSharedEscrow(): Promise<void> {
    const { network } = this.#options
    const address = network.sharedMevEscrow?.address ?? NOBODY
    await this.#anvil.rpc('anvil_setCode', [address, (await compileContracts()).get('MevEscrow')])
    await this.#send(network.keeper.address, 'setSharedMevEscrow', [address])
  }

  /** Gives the vault assets. */
  async fund(wei: bigint): Promise<void> {
    await this.#transfer(this.#options.vault, wei)
  }

  /** Gives the vault's escrow what it unlocks at a harvest. */
  async fundEscrow(wei: bigint): Promise<void> {
    await this.#transfer(this.escrow, wei)
  }

  /** What the exit queue keeps of the vault's assets. */
  async reserve(wei: bigint): Promise<void> {
    await this.#send(this.#options.vault, 'reserve', [wei])
  }

  /** The deposit data that the vault accepts, in the registry or, for version 1, in the vault itself. */
  async setDepositDataRoot(root: Hex): Promise<void> {
    const { kind, vault } = this.#options
    if (kind === 'v1') await this.#send(vault, 'setValidatorsRoot', [root])
    else await this.#send(this.registry, 'setDepositDataRoot', [vault, root])
  }

  async setManager(manager: Hex): Promise<void> {
    await this.#send(this.#options.vault, 'setValidatorsManager', [manager])
  }

  async setOracles(oracles: readonly Hex[], minOracles: number): Promise<void> {
    await this.#send(this.#options.network.keeper.address, 'setOracles', [oracles, minOracles])
  }

  /** The vault is no longer one of the Keeper's, and is again. */
  async forgetVault(): Promise<void> {
    await this.#send(this.#options.network.keeper.address, 'removeVault', [this.#options.vault])
  }

  async knowVault(): Promise<void> {
    await this.#send(this.#options.network.keeper.address, 'setVault', [this.#options.vault])
  }

  /** Names another protocol config. */
  async updateConfig(cid: string): Promise<void> {
    await this.#send(this.#options.network.keeper.address, 'updateConfig', [cid])
  }

  /** The oracles have voted for new rewards. */
  async updateRewards({ root, cid }: { readonly root: Hex; readonly cid: string }): Promise<void> {
    await this.#send(this.#options.network.keeper.address, 'updateRewards', [root, cid])
  }

  /** From the next rewards update on the vault has rewards to harvest. */
  async collateralize(): Promise<void> {
    const { network, vault } = this.#options
    await this.#send(network.keeper.address, 'collateralize', [vault])
  }

  /** Somebody's deposit, straight into the deposit contract. @param fees wei a unit of gas */
  async deposit(deposit: SignedDeposit, fees: { readonly gasPrice?: bigint } = {}): Promise<void> {
    const root = toHex(depositDataRoot(deposit, fromHex(deposit.signature, 96)))
    const fields = [deposit.publicKey, deposit.withdrawalCredentials, deposit.signature, root]
    const contract = this.#options.network.depositContract.address
    await this.#send(contract, 'deposit', fields, { value: deposit.amount * GWEI, ...fees })
  }

  async depositRoot(): Promise<Hex> {
    return (await this.#read(this.#options.network.depositContract.address, 'get_deposit_root')) as Hex
  }

  /** Wei, without what a harvest would bring. */
  async withdrawableAssets(): Promise<bigint> {
    return (await this.#read(this.#options.vault, 'withdrawableAssets')) as bigint
  }

  async validatorsManager(): Promise<Hex> {
    return (await this.#read(this.#options.vault, 'validatorsManager')) as Hex
  }

  async managerNonce(): Promise<bigint> {
    return (await this.#read(this.#options.vault, 'validatorsManagerNonce')) as bigint
  }

  /** The position of the next entry of the deposit data. */
  async depositDataIndex(): Promise<number> {
    const { kind, vault } = this.#options
    const index =
      kind === 'v1'
        ? await this.#read(vault, 'validatorIndex')
        : await this.#read(this.registry, 'depositDataIndexes', [vault])
    return Number(index)
  }

  async depositDataRoot(): Promise<Hex> {
    const { kind, vault } = this.#options
    const root =
      kind === 'v1'
        ? await this.#read(vault, 'validatorsRoot')
        : await this.#read(this.registry, 'depositDataRoots', [vault])
    return root as Hex
  }

  /** What a withdrawal or a consolidation costs. @param wei 1 or more */
  async setRequestFee(wei: bigint): Promise<void> {
    for (const queue of [WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS]) {
      const value = numberToHex(wei - 1n, { size: 32 })
      await this.#anvil.rpc('anvil_setStorageAt', [queue, numberToHex(0n, { size: 32 }), value])
    }
  }

  /** The vault's requests to the consensus layer, oldest first. */
  async requests(): Promise<{ kind: 'withdrawal' | 'consolidation'; request: Hex }[]> {
    const filter = { address: [WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS], fromBlock: 'earliest' }
    const logs = (await this.#anvil.rpc('eth_getLogs', [filter])) as {
      address: Hex
      topics: [Hex, ...Hex[]]
      data: Hex
    }[]
    return logs.map(({ address, topics, data }) => {
      const { args } = decodeEventLog({ abi, eventName: 'Requested', topics, data })
      if (args.source.toLowerCase() !== this.#options.vault.toLowerCase()) throw new Error('not the vault’s')
      const kind =
        address.toLowerCase() === WITHDRAWAL_REQUESTS.toLowerCase() ? 'withdrawal' : 'consolidation'
      return { kind, request: args.request }
    })
  }

  /** The deposits with this vault's withdrawal credentials, oldest first; amounts in Gwei. */
  async registered(): Promise<{ publicKey: Hex; amount: bigint; credentials: Hex }[]> {
    const { network, vault } = this.#options
    const ours = (['0x01', '0x02'] as const).map((type) => withdrawalCredentials(type, vault))
    const filter = { address: network.depositContract.address, fromBlock: 'earliest' }
    const logs = (await this.#anvil.rpc('eth_getLogs', [filter])) as { topics: [Hex, ...Hex[]]; data: Hex }[]
    return logs
      .map(({ topics, data }) => decodeEventLog({ abi, eventName: 'DepositEvent', topics, data }).args)
      .map(({ pubkey, withdrawal_credentials, amount }) => ({
        publicKey: normalizeHex(pubkey, 48),
        credentials: normalizeHex(withdrawal_credentials, 32),
        amount: Buffer.from(fromHex(amount, 8)).readBigUInt64LE(),
      }))
      .filter(({ credentials }) => ours.includes(credentials))
  }

  async #transfer(to: Hex, wei: bigint): Promise<void> {
    await this.#mined({ from: this.#sender, to, value: numberToHex(wei) })
  }

  async #send(
    to: Hex,
    functionName: string,
    args: readonly unknown[],
    { value = 0n, gasPrice }: { readonly value?: bigint; readonly gasPrice?: bigint } = {},
  ): Promise<void> {
    const data = encodeFunctionData({ abi, functionName, args } as Parameters<typeof encodeFunctionData>[0])
    const price = gasPrice === undefined ? {} : { gasPrice: numberToHex(gasPrice) }
    await this.#mined({ from: this.#sender, to, data, value: numberToHex(value), ...price })
  }

  /** Sends a transaction and makes a block for it, if the chain makes none by itself. */
  async #mined(transaction: Readonly<Record<string, Hex>>): Promise<void> {
    const hash = (await this.#anvil.rpc('eth_sendTransaction', [transaction])) as Hex
    const receipt = async () =>
      (await this.#anvil.rpc('eth_getTransactionReceipt', [hash])) as { status: Hex } | null
    let found = await receipt()
    if (found === null) {
      await this.#anvil.mine()
      found = await receipt()
    }
    if (found?.status !== '0x1') throw new Error(`the devnet's own transaction ${hash} failed`)
  }

  async #read(to: Hex, functionName: string, args: readonly unknown[] = []): Promise<unknown> {
    const call = { abi, functionName, args } as Parameters<typeof encodeFunctionData>[0]
    const answer = (await this.#anvil.rpc('eth_call', [
      { to, data: encodeFunctionData(call) },
      'latest',
    ])) as Hex
    return decodeFunctionResult({ abi, functionName, data: answer } as Parameters<
      typeof decodeFunctionResult
    >[0])
  }
}
