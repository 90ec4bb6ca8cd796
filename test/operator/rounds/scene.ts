/** An agent in this process over a devnet with a vault; its rounds are run one by one. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { type Clock, systemClock } from '../../../core/clock.js'
import { parseDepositData } from '../../../core/deposits/deposit-data.js'
import { DvtExitError, describeError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { readOptions } from '../../../core/options.js'
import { batchSource } from '../../../operator/agent/batch-source.js'
import { createRound } from '../../../operator/agent/command.js'
import { operatorOptions } from '../../../operator/agent/options.js'
import { DepositDataTree } from '../../../operator/deposit-data/merkle.js'
import { NotNow } from '../../../operator/not-now.js'
import type { Keys } from '../../../operator/registration/authority.js'
import type { Round, RoundOutcome } from '../../../operator/registration/round.js'
import type { Registration } from '../../../operator/transactions/store/transaction.js'
import { createVaultParts, type VaultParts } from '../../../operator/vault-parts.js'
import {
  depositDataOf,
  type MadeValidator,
  makeValidators,
  RelayerWithKeys,
} from '../../devnet/evm/relayer-with-keys.js'
import { RelayerWithManager } from '../../devnet/evm/relayer-with-manager.js'
import {
  startVaultDevnet,
  VAULT,
  type VaultDevnet,
  type VaultDevnetOptions,
} from '../../devnet/evm/vault-devnet.js'
import { TestLog } from '../../doubles/log.js'

export const ETH = 10n ** 18n
/** Rounds that register nothing before a scene gives up. */
const MOST_ROUNDS = 20

export interface SceneOptions extends Omit<VaultDevnetOptions, 'manager'> {
  /**
   * Who the vault's validators manager is; the deposit data registry unless given. Where it is the relayer, that
   * speaks dialect 4 and the agent has no deposit data.
   */
  readonly manager?: 'registry' | 'wallet' | 'another' | 'relayer'
  readonly validators: readonly MadeValidator[]
  /** Wei that the vault has for validators. */
  readonly assets: bigint
  /** The agent's clock; the system's unless given. */
  readonly clock?: Clock
  /** Further environment of the agent. */
  readonly env?: Readonly<Record<string, string>>
}

export class Scene {
  readonly devnet: VaultDevnet
  readonly relayer: RelayerWithKeys
  readonly keys: Keys
  readonly log = new TestLog()
  readonly #options: SceneOptions
  #env: Readonly<Record<string, string>> = {}
  #agent: { readonly parts: VaultParts; readonly round: Round } | undefined

  private constructor(devnet: VaultDevnet, relayer: RelayerWithKeys, keys: Keys, options: SceneOptions) {
    this.devnet = devnet
    this.relayer = relayer
    this.keys = keys
    this.#options = options
  }

  static async start(options: SceneOptions): Promise<Scene> {
    const { manager = 'registry', validators, assets, ...rest } = options
    const wallet = privateKeyToAccount(generatePrivateKey())
    const keys = {
      wallet,
      manager: manager === 'another' ? privateKeyToAccount(generatePrivateKey()) : wallet,
    }
    const devnet = await startVaultDevnet(rest)
    const { anvil, world } = devnet
    const relayerKey = privateKeyToAccount(generatePrivateKey())
    const relayer = await relayerOf(
      devnet,
      validators,
      manager === 'relayer' ? relayerKey : undefined,
    ).listen()
    const scene = new Scene(devnet, relayer, keys, options)
    await anvil.setBalance(wallet.address, ETH)
    if (options.kind !== 'v1' && options.kind !== 'meta') {
      const addresses = { registry: world.registry, relayer: relayerKey.address }
      await world.setManager(
        manager === 'registry' || manager === 'relayer' ? addresses[manager] : keys.manager.address,
      )
    }
    await scene.accept(validators)
    if (assets > 0n) await world.fund(assets)
    return scene
  }

  /** The relayer that is the vault's validators manager. */
  get managingRelayer(): RelayerWithManager {
    if (this.relayer instanceof RelayerWithManager) return this.relayer
    throw new Error('the relayer of this scene manages no validators')
  }

  /** The validators of the deposit data, in its order. */
  get validators(): readonly MadeValidator[] {
    return this.#options.validators
  }

  /** Writes the deposit data file, and has the vault accept it where it is of those that do. */
  async accept(validators: readonly MadeValidator[]): Promise<void> {
    const text = depositDataOf(validators)
    writeFileSync(this.depositDataFile, text)
    const { root } = new DepositDataTree(parseDepositData(text, 'deposit data'), VAULT)
    await this.devnet.world.setDepositDataRoot(root)
  }

  get depositDataFile(): string {
    return join(this.devnet.folder, 'deposit_data.json')
  }

  /** What an agent's process gets as its environment. */
  get env(): Readonly<Record<string, string>> {
    return {
      ...this.devnet.env,
      VAULT,
      ...(this.#options.manager === 'relayer' ? {} : { DEPOSIT_DATA_FILE: this.depositDataFile }),
      DATABASE: join(this.devnet.folder, 'operator.db'),
      RELAYER_ENDPOINT: this.relayer.url,
      ACCEPT_ORACLES: '',
      ...this.#options.env,
      ...this.#env,
    }
  }

  /** Further environment of agents that start from now on. */
  setEnv(env: Readonly<Record<string, string>>): void {
    this.#env = { ...this.#env, ...env }
  }

  /** One round of the agent, whose parts live until restart() or close(). */
  async run(): Promise<RoundOutcome> {
    this.#agent ??= await this.#createAgent()
    return this.#agent.round.run(new AbortController().signal)
  }

  get parts(): VaultParts {
    if (this.#agent === undefined) throw new Error('no round was run yet')
    return this.#agent.parts
  }

  /** Why a round registered nothing. Fails where it did not say why. */
  async notNow(): Promise<NotNow> {
    try {
      const outcome = await this.run()
      throw new Error(`it went on: ${outcome.kind}`)
    } catch (error) {
      if (error instanceof NotNow) return error
      throw error
    }
  }

  /** Runs rounds until one is mined. Fails where they say why not too often. */
  async registered(): Promise<Registration> {
    const said: string[] = []
    while (said.length < MOST_ROUNDS) {
      try {
        const outcome = await this.run()
        if (outcome.kind === 'mined' && outcome.transaction.kind === 'registration') {
          return outcome.transaction
        }
        said.push(outcome.kind)
      } catch (error) {
        if (!(error instanceof NotNow)) throw error
        said.push(error.message)
      }
    }
    throw new Error(`nothing was registered: ${said.join('\n')}\n${this.refusals.join('\n')}`)
  }

  /** What a round failed with, as its one line. Fails where it did not fail. */
  async failure(): Promise<string> {
    try {
      const outcome = await this.run()
      return `it went on: ${outcome.kind}`
    } catch (error) {
      if (error instanceof DvtExitError) return describeError(error)
      throw error
    }
  }

  /** Why the oracles refused. */
  get refusals(): readonly string[] {
    return this.devnet.oracleServers.refusals
  }

  /** The public keys that the vault has registered, in order. */
  async publicKeys(): Promise<Hex[]> {
    return (await this.devnet.world.registered()).map(({ publicKey }) => publicKey)
  }

  /** The agent goes and comes back, as after a crash. */
  async restart(): Promise<void> {
    await this.#agent?.parts.close()
    this.#agent = undefined
  }

  async close(): Promise<void> {
    await this.restart()
    await this.relayer.close()
    await this.devnet.close()
  }

  async #createAgent() {
    const values = readOptions(operatorOptions, { flags: {}, env: this.env })
    const { logger } = this.log
    const parts = await createVaultParts(values, logger, false)
    const relayer = new RelayerClient(this.relayer.url)
    const { keys } = this
    const { clock = systemClock } = this.#options
    const surroundings = { parts, keys, relayer, clock, logger, interval: 0 }
    const source = batchSource(values, surroundings)
    const round = createRound(values, { ...surroundings, source })
    return { parts, round }
  }
}

function relayerOf(
  { network, oracles, beacon, world }: VaultDevnet,
  validators: readonly MadeValidator[],
  manager: PrivateKeyAccount | undefined,
): RelayerWithKeys {
  const shared = { network, oracles, validators, nextIndex: () => beacon.nextIndex() }
  if (manager === undefined) return new RelayerWithKeys(shared)
  return new RelayerWithManager({
    ...shared,
    vault: VAULT,
    manager,
    depositRoot: () => world.depositRoot(),
    managerNonce: () => world.managerNonce(),
    isKnown: (publicKey) => beacon.isKnown(publicKey),
  })
}

/** Validators of one type for the devnet's vault. */
export function validatorsOf(
  network: Parameters<typeof makeValidators>[0]['network'],
  options: Omit<Parameters<typeof makeValidators>[0], 'network' | 'vault'>,
): MadeValidator[] {
  return makeValidators({ network, vault: VAULT, ...options })
}
