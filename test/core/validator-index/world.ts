/** A chain with its nodes and a predictor that asks them, for the tests of the next validator's index. */
import { BeaconClient } from '../../../core/clients/beacon.js'
import { ExecutionClient } from '../../../core/clients/execution.js'
import { loadNetwork } from '../../../core/network.js'
import { type CheckpointStore, MemoryCheckpointStore } from '../../../core/validator-index/checkpoint.js'
import { ValidatorIndexPredictor } from '../../../core/validator-index/predictor.js'
import { BeaconDouble } from '../../devnet/beacon-double.js'
import { Chain, type ChainOptions, compactRegistry } from '../../devnet/chain.js'
import { ExecutionDouble } from '../../devnet/execution-double.js'

export const network = loadNetwork('hoodi')
const retry = { rounds: 1, delay: 1 }
const HEAD = 1000
const FINALIZED = 900

export class World {
  readonly chain: Chain
  readonly beacon: BeaconDouble
  readonly execution: ExecutionDouble
  /** Nodes that are asked where the first fail. */
  readonly beacon2: BeaconDouble
  readonly execution2: ExecutionDouble
  readonly store: CheckpointStore = new MemoryCheckpointStore()
  readonly scanStore: CheckpointStore = new MemoryCheckpointStore()

  constructor(options: Partial<ChainOptions> = {}) {
    const registry = compactRegistry(500)
    this.chain = new Chain({ network, registry, head: HEAD, finalized: FINALIZED, ...options })
    this.beacon = new BeaconDouble(this.chain)
    this.execution = new ExecutionDouble(this.chain)
    this.beacon2 = new BeaconDouble(this.chain)
    this.execution2 = new ExecutionDouble(this.chain)
  }

  get #doubles() {
    return [this.beacon, this.execution, this.beacon2, this.execution2]
  }

  async listen(): Promise<this> {
    await Promise.all(this.#doubles.map((double) => double.listen()))
    return this
  }

  async close(): Promise<void> {
    await Promise.all(this.#doubles.map((double) => double.close()))
  }

  /** Requests to all nodes. */
  get requests(): number {
    return this.#doubles.reduce((sum, double) => sum + double.total, 0)
  }

  /** How many requests some work takes. */
  async requestsOf(work: () => Promise<unknown>): Promise<number> {
    const before = this.requests
    await work()
    return this.requests - before
  }

  /** A predictor as a new process has it; the stores stay. */
  predictor(
    options: { nodes?: 1 | 2; scan?: boolean; executionUrls?: string[] } = {},
  ): ValidatorIndexPredictor {
    const { nodes = 1, scan = false } = options
    const urls = <T>(first: T, second: T) => (nodes === 1 ? [first] : [first, second])
    return new ValidatorIndexPredictor({
      network,
      beacon: new BeaconClient(urls(this.beacon.url, this.beacon2.url), {
        retry,
        genesisValidatorsRoot: network.genesisValidatorsRoot,
      }),
      execution: new ExecutionClient(options.executionUrls ?? urls(this.execution.url, this.execution2.url), {
        retry,
        chainId: network.chainId,
      }),
      store: this.store,
      ...(scan ? { scanStore: this.scanStore } : {}),
    })
  }
}
