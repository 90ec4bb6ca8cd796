/** What every command about a vault is made of. */
import { existsSync } from 'node:fs'
import { BeaconClient } from '../core/clients/beacon.js'
import { ExecutionClient } from '../core/clients/execution.js'
import { IpfsClient } from '../core/clients/ipfs.js'
import { systemClock } from '../core/clock.js'
import type { Hex } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import { loadNetwork, type Network } from '../core/network.js'
import { required, type Values } from '../core/options.js'
import type { ProtocolConfig } from '../core/oracles/protocol-config.js'
import { ValidatorIndexPredictor } from '../core/validator-index/predictor.js'
import { placeOptions, type viewOptions } from './agent/options.js'
import { DepositDataFile } from './deposit-data/deposit-data-file.js'
import { protocolConfigSource } from './protocol-config.js'
import { BatchSelection } from './registration/batch.js'
import { rememberKnownKeys } from './registration/known-keys.js'
import { openOperatorDatabase } from './transactions/store/schema.js'
import { OperatorStore } from './transactions/store/store.js'
import { Rewards } from './vault/rewards.js'
import { type StakingRules, stakingRulesOf } from './vault/staking-rules.js'
import { VaultReader } from './vault/vault-reader.js'

/** The deposit data, and what of it is registered next. */
export interface DepositParts {
  readonly depositData: DepositDataFile
  readonly batches: BatchSelection
}

export interface VaultParts {
  readonly network: Network
  readonly rules: StakingRules
  readonly vault: Hex
  readonly execution: ExecutionClient
  readonly beacon: BeaconClient
  readonly predictor: ValidatorIndexPredictor
  readonly reader: VaultReader
  /** Absent without DEPOSIT_DATA_FILE. */
  readonly deposits: DepositParts | undefined
  readonly protocolConfig: () => Promise<ProtocolConfig>
  readonly store: OperatorStore
  close(): Promise<void>
}

/** Without what is about registrations there are no deposits. */
type VaultValues = Values<typeof placeOptions> &
  Partial<Pick<Values<typeof viewOptions>, 'depositData' | 'validatorType' | 'minValidatorsRegistration'>>

/** Milliseconds. */
const TIMEOUT = 30_000
const RETRY = { rounds: 2, delay: 500 }

/**
 * Connects what the options name. Nothing is asked yet.
 * @param looksOnly does not make a database where there is none
 * @throws ConfigurationError MISSING_OPTION and those of network, protocol config and database
 */
export async function createVaultParts(
  values: VaultValues,
  logger: Logger,
  looksOnly: boolean,
): Promise<VaultParts> {
  const network = loadNetwork(values.network, values.networkConfigFile)
  const vault = required(values.vault, placeOptions.vault)
  const { executionEndpoints, consensusEndpoints } = placeOptions
  const { chainId, genesisValidatorsRoot } = network
  const shared = { timeout: TIMEOUT, retry: RETRY }
  const execution = new ExecutionClient(required(values.executionEndpoints, executionEndpoints), {
    ...shared,
    chainId,
  })
  const beacon = new BeaconClient(required(values.consensusEndpoints, consensusEndpoints), {
    ...shared,
    genesisValidatorsRoot,
  })
  const protocolConfig = protocolConfigSource(values, network, execution)
  const isMissing = looksOnly && !existsSync(values.database)
  const database = await openOperatorDatabase(isMissing ? ':memory:' : values.database)
  const store = new OperatorStore(database)
  const predictor = new ValidatorIndexPredictor({
    network,
    beacon,
    execution,
    store: noteStore(store, 'index-checkpoint'),
    scanStore: noteStore(store, 'deposit-scan'),
  })
  const ipfs = new IpfsClient(values.ipfsFetchEndpoints, { retry: RETRY, timeout: TIMEOUT })
  const rewards = new Rewards({ network, reader: execution, ipfs })
  const reader = new VaultReader({ network, vault, execution, rewards })
  const rules = stakingRulesOf(network)
  return {
    network,
    rules,
    vault,
    execution,
    beacon,
    predictor,
    reader,
    deposits: createDepositParts(values, { network, vault, rules, reader, predictor, logger }),
    protocolConfig,
    store,
    close: () => database.destroy(),
  }
}

function createDepositParts(
  { depositData: file, validatorType, minValidatorsRegistration = 1 }: VaultValues,
  parts: Pick<VaultParts, 'network' | 'vault' | 'rules' | 'reader' | 'predictor'> & {
    readonly logger: Logger
  },
): DepositParts | undefined {
  if (file === undefined) return undefined
  const { network, vault, predictor, logger } = parts
  const depositData = new DepositDataFile(file, { network, vault, validatorType }, logger)
  const batches = new BatchSelection({
    ...parts,
    knownKeys: rememberKnownKeys((publicKeys) => predictor.knownKeys(publicKeys), systemClock),
    root: (deposits) => depositData.tree(deposits).root,
    minimum: minValidatorsRegistration,
  })
  return { depositData, batches }
}

function noteStore(store: OperatorStore, name: string) {
  return { load: () => store.note(name), save: (value: unknown) => store.setNote(name, value) }
}
