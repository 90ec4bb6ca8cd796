/** A relayer with everything that an operator of dialect 4 asks, over a chain and beacon node to turn. */
import { encodeFunctionData, encodeFunctionResult, recoverTypedDataAddress } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import type { ValidatorStatus } from '../../../core/clients/beacon.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { stringifyJson } from '../../../core/json.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { vaultAbi } from '../../../core/vault/abi.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import type { App } from '../../../relayer/http/fastify.js'
import { ManagerAudit } from '../../../relayer/registrations/audit.js'
import { Choices } from '../../../relayer/registrations/choices.js'
import { DepositSigners } from '../../../relayer/registrations/deposit-signers.js'
import { ValidatorsManager } from '../../../relayer/registrations/manager.js'
import { ManagerSignatures } from '../../../relayer/registrations/manager-signatures.js'
import { type PooledKey, PublicKeyPool } from '../../../relayer/registrations/pool.js'
import { Registrations } from '../../../relayer/registrations/registrations.js'
import { StartIndexes } from '../../../relayer/registrations/start-indexes.js'
import { TestLog } from '../../doubles/log.js'
import { hoodi, type TestValidator } from '../clusters.js'
import { testApp } from '../http/test-app.js'
import { type TestRelayer, TestWorld } from '../relayer.js'

export const VAULT: Hex = `0x${'be'.repeat(20)}`
export const OTHER_VAULT: Hex = `0x${'cf'.repeat(20)}`
export const ROOT: Hex = `0x${'11'.repeat(32)}`

const NO_CLUSTERS = { keys: () => [], key: () => undefined }

export interface OperatorSideOptions {
  readonly validators: readonly TestValidator[]
  readonly vaults?: readonly Hex[]
  readonly file?: string
  /** validators_approval_batch_limit */
  readonly batchLimit?: number
}

export class OperatorSide {
  readonly world = new TestWorld()
  readonly log = new TestLog()
  readonly manager: PrivateKeyAccount = privateKeyToAccount(`0x${'07'.repeat(32)}`)
  pool: PooledKey[]
  /** The vaults’ stored manager. */
  storedManager: Hex
  nonce = 5n
  depositRoot = ROOT
  hasKey = true
  /** What the beacon node says of keys. */
  readonly registry = new Map<PublicKeyHex, Hex>()
  readonly #options: OperatorSideOptions
  #running: { readonly app: App; readonly relayer: TestRelayer } | undefined

  constructor(options: OperatorSideOptions) {
    this.#options = options
    this.storedManager = this.manager.address
    this.pool = options.validators.map(({ validator }) => ({
      publicKey: validator.publicKey,
      vault: undefined,
    }))
    this.world.sharings = options.validators.map(({ validator }) => validator)
    const { config } = this.world.oracles
    this.world.currentOracles = { ...config, validatorsApprovalBatchLimit: options.batchLimit }
  }

  get relayer(): TestRelayer {
    return this.#current().relayer
  }

  async start(): Promise<void> {
    const { file, vaults = [VAULT, OTHER_VAULT] } = this.#options
    const relayer = await this.world.open(file === undefined ? {} : { file })
    const { database, service } = relayer
    const { logger } = this.log
    const clock = () => this.world.now
    const audit = new ManagerAudit(database, clock, logger)
    const manager = this.hasKey ? this.#manager() : undefined
    const registrations = new Registrations({
      vaults,
      pool: { keysOf: (vault) => new PublicKeyPool(this.pool, NO_CLUSTERS, vaults).keysOf(vault) },
      choices: new Choices(database),
      manager,
      startIndexes: new StartIndexes((keys) => this.#outlook(keys), hoodi.secondsPerSlot, clock),
      oracles: {
        current: async () => this.world.currentOracles ?? this.world.oracles.config,
        onChange: () => undefined,
      },
      validators: service,
      depositSigners: new DepositSigners({ validators: service, exits: service, clock, logger }),
      audit,
    })
    const app = await testApp(service, {
      tokens: { good: { name: 'vault-operator', role: 'operator', shareIndexes: [] } },
      operator: {
        registrations,
        signatures: new ManagerSignatures({ vaults, manager, audit }),
        manager: manager?.address,
      },
    })
    this.#running = { app, relayer }
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.app.close()
    await running?.relayer.close()
  }

  /** An operator's call with its token. @param body JSON text, or what has a JSON form */
  async ask(path: string, body: unknown) {
    const answer = await this.#current().app.inject({
      method: 'POST',
      url: path,
      headers: { host: 'localhost', authorization: 'Bearer good', 'content-type': 'application/json' },
      payload: typeof body === 'string' ? body : stringifyJson(body),
    })
    return { status: answer.statusCode, text: answer.body, body: answer.json() }
  }

  async get(path: string) {
    const answer = await this.#current().app.inject({ url: path, headers: { host: 'localhost' } })
    return answer.json()
  }

  /** Every node posts both signatures for all that is wanted. @param nodes share indexes */
  async sign(nodes: readonly bigint[] = [1n, 2n, 3n]): Promise<void> {
    const { service } = this.relayer
    for (const node of nodes) {
      const wanted = await service.listValidators()
      const shares = wanted.map(({ publicKey, validatorIndex, deposit: { vault, type, amount } }) => {
        const { sign, signRoot } = this.validator(publicKey)
        const credentials = withdrawalCredentials(type, vault)
        const message = { publicKey, amount, withdrawalCredentials: credentials }
        return {
          publicKey,
          exitSignature: sign(node, validatorIndex),
          depositSignature: signRoot(node, depositSigningRoot(hoodi, message)),
          claimedShares: undefined,
        }
      })
      await service.postSignatures(node, shares, `node ${node}`)
    }
    await service.idle()
  }

  validator(publicKey: PublicKeyHex): TestValidator {
    const found = this.#options.validators.find(({ validator }) => validator.publicKey === publicKey)
    if (found === undefined) throw new Error(`no validator ${publicKey}`)
    return found
  }

  /** Whose signature it is over these bytes. */
  signer(signature: Hex, rootOrNonce: Hex, validators: Hex, vault: Hex = VAULT): Promise<Hex> {
    const message = { validatorsRegistryRoot: rootOrNonce, validators }
    return recoverTypedDataAddress({ ...managerTypedData(hoodi, vault, message), signature })
  }

  /** The rows of the audit, the oldest first. */
  async audited() {
    return this.relayer.database.selectFrom('manager_audit').selectAll().execute()
  }

  #current() {
    if (this.#running === undefined) throw new Error('the relayer does not run')
    return this.#running
  }

  async #outlook(keys: readonly PublicKeyHex[]) {
    const known = keys.filter((key) => this.world.known.includes(key))
    return { index: this.world.nextIndex, depositRoot: this.depositRoot, known }
  }

  #manager(): ValidatorsManager {
    const answers: Readonly<Record<string, () => Hex>> = {
      [selectorOf('validatorsManager')]: () =>
        encodeFunctionResult({
          abi: vaultAbi,
          functionName: 'validatorsManager',
          result: this.storedManager,
        }),
      [selectorOf('validatorsManagerNonce')]: () =>
        encodeFunctionResult({ abi: vaultAbi, functionName: 'validatorsManagerNonce', result: this.nonce }),
    }
    return new ValidatorsManager({
      network: hoodi,
      account: this.manager,
      execution: { call: async (_to, data) => answers[data]?.() ?? '0x' },
      beacon: { validatorStatuses: async (ids) => ids.flatMap((id) => this.#status(id)) },
    })
  }

  #status(id: PublicKeyHex | number): ValidatorStatus[] {
    const credentials = typeof id === 'number' ? undefined : this.registry.get(id)
    if (typeof id === 'number' || credentials === undefined) return []
    const status = { index: 1, status: 'active_ongoing', balance: 32_000_000_000n }
    return [{ ...status, publicKey: id, withdrawalCredentials: credentials }]
  }
}

function selectorOf(functionName: 'validatorsManager' | 'validatorsManagerNonce'): Hex {
  return encodeFunctionData({ abi: vaultAbi, functionName })
}
