/** An SSV owner whose validators are registered block by block, as its operators' sidecars are to read it. */
import { decodeEventLog, parseAbi } from 'viem'
import { type Hex, normalizeHex, type PublicKeyHex } from '../../../../core/hex.js'
import type { Network } from '../../../../core/network.js'
import { Chain, compactRegistry } from '../../../devnet/chain.js'
import { ExecutionDouble } from '../../../devnet/execution-double.js'
import { type MadeSsvCluster, makeSsvCluster } from '../../../devnet/made-clusters.js'

const abi = parseAbi([
  'event ValidatorAdded(address indexed owner, uint64[] operatorIds, bytes publicKey, bytes shares, (uint32 validatorCount, uint64 networkFeeIndex, uint64 index, bool active, uint256 balance) cluster)',
])
const SIGNATURE = 96
const PUBLIC_KEY = 48
/** Blocks of one answer: a first reading takes several, and each moves the checkpoint. */
const RANGE = 20
const HEAD_AFTER = 200

interface Registered {
  readonly block: number
  readonly publicKey: PublicKeyHex
  /** In the order of the operators' ids. */
  readonly publicShares: readonly Hex[]
}

export class SsvRegistry {
  readonly cluster: MadeSsvCluster
  readonly execution: ExecutionDouble
  readonly #chain: Chain
  readonly #registered: readonly Registered[]

  /** Nothing but the operators and the first validator is final yet. */
  constructor(network: Network, operatorIds: readonly bigint[], validators: number) {
    this.cluster = makeSsvCluster(network, { operatorIds, threshold: 3, validators })
    const { logs } = this.cluster
    this.#registered = logs.slice(operatorIds.length).map(({ topics, data, blockNumber }) => {
      const { args } = decodeEventLog({ abi, topics: topics as [Hex, ...Hex[]], data })
      const shares = Buffer.from(args.shares.slice(2), 'hex').subarray(SIGNATURE)
      return {
        block: Number(blockNumber),
        publicKey: normalizeHex(args.publicKey, PUBLIC_KEY),
        publicShares: operatorIds.map(
          (_, i): Hex => `0x${shares.toString('hex', i * PUBLIC_KEY, (i + 1) * PUBLIC_KEY)}`,
        ),
      }
    })
    this.#chain = new Chain({
      network,
      registry: compactRegistry(0),
      head: this.#lastBlock + HEAD_AFTER,
      finalized: this.#registered[0]?.block ?? 0,
    })
    this.#chain.addLogs(logs)
    this.#chain.registerOperators(logs)
    this.execution = new ExecutionDouble(this.#chain)
    this.execution.maxRange = RANGE
  }

  get #lastBlock(): number {
    return this.#registered.at(-1)?.block ?? 0
  }

  /** More blocks become final. @returns the validators that are registered by then */
  finalize(blocks: number): PublicKeyHex[] {
    this.#chain.finalize(Math.min(this.#chain.finalized + blocks, this.#lastBlock))
    const { finalized } = this.#chain
    return this.#registered.filter(({ block }) => block <= finalized).map(({ publicKey }) => publicKey)
  }

  finalizeAll(): void {
    this.finalize(this.#lastBlock)
  }

  /** @param operator its position among the ids */
  publicShareOf(publicKey: PublicKeyHex, operator: number): Hex {
    const validator = this.#registered.find((one) => one.publicKey === publicKey)
    return validator?.publicShares[operator] ?? '0x'
  }
}
