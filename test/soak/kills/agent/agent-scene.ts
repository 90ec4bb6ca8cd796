/** An agent that registers validators of a vault one by one, with a node in between at which it can be caught. */
import { existsSync } from 'node:fs'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../../../core/hex.js'
import { loadNetwork } from '../../../../core/network.js'
import { ExecutionProxy } from '../../../devnet/evm/execution-proxy.js'
import { DvtExitProcess } from '../../../devnet/processes.js'
import { registeringTransactions } from '../../../devnet/registered.js'
import { type WrittenWallet, writeWallet } from '../../../devnet/wallet-file.js'
import { ETH, Scene, validatorsOf } from '../../../operator/rounds/scene.js'
import { faultsOf, recordsIn, repeated } from './operator-database.js'

const VALIDATOR = 32n * ETH

export class AgentScene {
  readonly scene: Scene
  readonly node: ExecutionProxy
  /** Validators that the vault was given assets for. */
  funded = 0
  readonly #keys: readonly Hex[]
  readonly #wallet: WrittenWallet
  readonly #address: Hex

  private constructor(scene: Scene, node: ExecutionProxy, wallet: WrittenWallet, address: Hex) {
    this.scene = scene
    this.node = node
    this.#keys = scene.validators.map(({ deposit }) => deposit.publicKey)
    this.#wallet = wallet
    this.#address = address
  }

  /** @param count validators in the deposit data */
  static async start(count: number): Promise<AgentScene> {
    const validators = validatorsOf(loadNetwork('hoodi'), { count })
    const scene = await Scene.start({ kind: 'v5', validators, assets: 0n })
    const { anvil, folder } = scene.devnet
    const node = await new ExecutionProxy(anvil).listen()
    const privateKey = generatePrivateKey()
    const wallet = writeWallet(folder, 'wallet', privateKey)
    const { address } = privateKeyToAccount(privateKey)
    await anvil.setBalance(address, 10n * ETH)
    return new AgentScene(scene, node, wallet, address)
  }

  get database(): string {
    return this.scene.env['DATABASE'] ?? ''
  }

  get env(): Readonly<Record<string, string>> {
    return {
      ...this.scene.env,
      EXECUTION_ENDPOINTS: this.node.url,
      WALLET_FILE: this.#wallet.file,
      WALLET_PASSWORD_FILE: this.#wallet.passwordFile,
      POLL_INTERVAL: '0.1',
    }
  }

  run(): DvtExitProcess {
    return new DvtExitProcess('operator', ['operator'], this.env, this.scene.devnet.folder)
  }

  /** Assets for more validators. */
  async fund(validators: number): Promise<void> {
    this.funded += validators
    await this.scene.devnet.world.fund(BigInt(validators) * VALIDATOR)
  }

  /** What the agent does not know of the chain, or did twice. */
  async faults(): Promise<string[]> {
    const { devnet } = this.scene
    const registered = await registeringTransactions(devnet)
    const keys = registered.flatMap(({ publicKeys }) => publicKeys)
    const faults = repeated(keys)
    if (keys.some((key, i) => key !== this.#keys[i])) faults.push('the keys are not in the file’s order')
    const used = Number(await devnet.anvil.rpc('eth_getTransactionCount', [this.#address, 'latest']))
    if (used !== registered.length) {
      faults.push(`the wallet sent ${used} transactions, ${registered.length} of them registered validators`)
    }
    return existsSync(this.database) ? [...faults, ...faultsOf(recordsIn(this.database), registered)] : faults
  }

  async registeredCount(): Promise<number> {
    return (await this.scene.publicKeys()).length
  }

  /** A block for each transaction, or none until somebody makes one. */
  async mineAtOnce(atOnce: boolean): Promise<void> {
    await this.scene.devnet.anvil.rpc('evm_setAutomine', [atOnce])
  }

  /** Nodes forget what is in no block. */
  async loseTransactions(): Promise<void> {
    await this.scene.devnet.anvil.rpc('anvil_dropAllTransactions')
  }

  clearHooks(): void {
    const { node, scene } = this
    node.before = () => undefined
    node.after = () => undefined
    scene.relayer.beforeAnswer = () => undefined
    for (const oracle of scene.devnet.oracleServers.all) {
      oracle.beforeCheck = () => undefined
      oracle.beforeAnswer = () => undefined
    }
  }

  async close(): Promise<void> {
    await this.node.close()
    await this.scene.close()
  }
}
