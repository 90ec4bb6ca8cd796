import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { ExecutionClient } from '../../../core/clients/execution.js'
import type { Hex } from '../../../core/hex.js'
import type { TransactionChain } from '../../../operator/transactions/chain.js'
import {
  type SenderLimits,
  TransactionSender,
  type TransactionToSend,
} from '../../../operator/transactions/sender.js'
import { type OperatorSchema, openOperatorDatabase } from '../../../operator/transactions/store/schema.js'
import { OperatorStore } from '../../../operator/transactions/store/store.js'
import type { RegistrationFacts } from '../../../operator/transactions/store/transaction.js'
import { Anvil } from '../../devnet/evm/anvil.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'

export const GWEI = 1_000_000_000n
export const CHAIN_ID = 31337
/** Counts its calls in slot 0. */
export const COUNTER: Hex = `0x${'c0'.repeat(20)}`
const COUNTER_CODE = '0x5f546001015f5500'
/** Reverts with InvalidValidatorsRegistryRoot. */
export const REVERTING: Hex = `0x${'de'.repeat(20)}`
const REVERTING_CODE = '0x63df0d12d560e01b5f5260045ffd'

let wallets = 0

/** A fresh wallet and database over a real EVM that mines on demand, with a clock that the test moves. */
export class SenderWorld {
  readonly anvil: Anvil
  readonly folder: string
  readonly file: string
  readonly clock = new TestClock()
  readonly log = new TestLog()
  readonly account = privateKeyToAccount(`0x${(++wallets).toString(16).padStart(64, '1')}`)
  readonly client: ExecutionClient
  readonly #databases: Kysely<OperatorSchema>[] = []

  private constructor(anvil: Anvil) {
    this.anvil = anvil
    this.folder = mkdtempSync(join(tmpdir(), 'dvt-exit-sender-'))
    this.file = join(this.folder, 'operator.sqlite')
    this.client = new ExecutionClient([anvil.url], { chainId: CHAIN_ID })
  }

  static async create(): Promise<SenderWorld> {
    const world = new SenderWorld(await Anvil.start())
    await world.anvil.rpc('anvil_setCode', [COUNTER, COUNTER_CODE])
    await world.anvil.rpc('anvil_setCode', [REVERTING, REVERTING_CODE])
    await world.anvil.rpc('anvil_setBalance', [world.account.address, `0x${(10n ** 20n).toString(16)}`])
    await world.anvil.rpc('evm_setAutomine', [false])
    await world.baseFee(GWEI)
    return world
  }

  /** A sender as a new process has it: nothing but the file is shared with those before. */
  async sender(
    options: { chain?: TransactionChain; limits?: Partial<SenderLimits>; account?: PrivateKeyAccount } = {},
  ): Promise<{ sender: TransactionSender; store: OperatorStore }> {
    const database = await openOperatorDatabase(this.file)
    this.#databases.push(database)
    const store = new OperatorStore(database)
    const { clock, account } = this
    const sender = new TransactionSender({
      chain: options.chain ?? this.client,
      account: options.account ?? account,
      chainId: CHAIN_ID,
      store,
      clock,
      logger: this.log.logger,
      limits: { maxFeePerGas: 100n * GWEI, minPriorityFee: GWEI, ...options.limits },
    })
    return { sender, store }
  }

  /** A registration of one validator that calls the counter. */
  async registration(
    changes: Partial<TransactionToSend<RegistrationFacts>> = {},
  ): Promise<TransactionToSend<RegistrationFacts>> {
    return {
      kind: 'registration',
      to: COUNTER,
      data: '0x1234',
      value: 0n,
      gas: 100_000n,
      fees: { maxFeePerGas: 4n * GWEI, maxPriorityFeePerGas: GWEI },
      publicKeys: [`0x${'ab'.repeat(48)}`],
      startIndex: 2000,
      registryRoot: `0x${'11'.repeat(32)}`,
      deadline: BigInt(Math.floor(this.clock.now() / 1000) + 600),
      vault: `0x${'ba'.repeat(20)}`,
      way: 'validators manager',
      ...changes,
    }
  }

  /** The base fee of the next block. */
  async baseFee(wei: bigint): Promise<void> {
    await this.anvil.rpc('anvil_setNextBlockBaseFeePerGas', [`0x${wei.toString(16)}`])
  }

  async calls(): Promise<number> {
    return Number(await this.client.storageAt(COUNTER, '0x0'))
  }

  async nonce(block: 'latest' | 'pending' = 'latest'): Promise<number> {
    return this.client.transactionCount(this.account.address, block)
  }

  /** A transaction of the same wallet that the agent knows nothing of. */
  async sendForeign(nonce: number): Promise<Hex> {
    const raw = await this.account.signTransaction({
      type: 'eip1559',
      chainId: CHAIN_ID,
      nonce,
      to: `0x${'77'.repeat(20)}`,
      gas: 21_000n,
      maxFeePerGas: 50n * GWEI,
      maxPriorityFeePerGas: 20n * GWEI,
    })
    return (await this.anvil.rpc('eth_sendRawTransaction', [raw])) as Hex
  }

  async drop(hash: Hex): Promise<void> {
    await this.anvil.rpc('anvil_dropTransaction', [hash])
  }

  async close(): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.destroy()))
    await this.anvil.stop()
    rmSync(this.folder, { recursive: true })
  }
}
