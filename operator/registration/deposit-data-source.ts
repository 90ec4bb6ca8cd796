/** Batches of dialect 1: the next entries of a deposit data file, with exits that the relayer is asked for. */
import { concatHex } from 'viem'
import type { Hex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import type { DepositDataFile } from '../deposit-data/deposit-data-file.js'
import type { VaultDeposit, VaultDeposits } from '../deposit-data/vault-deposits.js'
import type { Way } from '../vault/way.js'
import { assertManager, batchAuthority, type Keys } from './authority.js'
import type { BatchSelection } from './batch.js'
import type { BatchSource, ChosenBatch, CollectedBatch, RegisteringVault } from './batch-source.js'
import { batchExits, type ExitsParts } from './exits.js'

export interface DepositDataSourceParts extends ExitsParts {
  readonly network: Network
  readonly vault: Hex
  readonly depositData: DepositDataFile
  readonly batches: BatchSelection
  readonly keys: Keys
}

export class DepositDataSource implements BatchSource {
  readonly #parts: DepositDataSourceParts

  constructor(parts: DepositDataSourceParts) {
    this.#parts = parts
  }

  /** @throws NotNow NOT_THE_MANAGER, and those of BatchSelection */
  async choose(state: RegisteringVault, batchLimit: number): Promise<ChosenBatch> {
    const { keys, depositData, batches } = this.#parts
    if (state.way.kind === 'manager') assertManager(keys, state.way.manager)
    const deposits = await depositData.deposits()
    const batch = await batches.next(deposits, state, batchLimit)
    return { collect: (config, signal) => this.#collect({ way: state.way, deposits, batch }, config, signal) }
  }

  async #collect(
    { way, deposits, batch }: { way: Way; deposits: VaultDeposits; batch: readonly VaultDeposit[] },
    config: ProtocolConfig,
    signal: AbortSignal,
  ): Promise<CollectedBatch> {
    const publicKeys = batch.map(({ deposit }) => deposit.publicKey)
    const exits = await batchExits(this.#parts, publicKeys, config, signal)
    const bytes = concatHex(batch.map((entry) => entry.bytes))
    const { startIndex, registryRoot } = exits
    const tree = () => this.#parts.depositData.tree(deposits)
    const authority = await batchAuthority({
      ...this.#parts,
      way,
      batch,
      validators: bytes,
      registryRoot,
      tree,
    })
    const validators = batch.flatMap(({ deposit }, i) => {
      const parts = exits.validators[i]?.oracleParts
      return parts === undefined ? [] : [{ deposit, oracleParts: parts }]
    })
    return { validators, bytes, startIndex, registryRoot, authority }
  }
}
