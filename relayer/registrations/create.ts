/** Where what operators of dialect 4 ask is put together. */
import type { Kysely } from 'kysely'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import { required, type Values } from '../../core/options.js'
import type { OraclesSource } from '../../core/oracles/source.js'
import type { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import { loadWallet } from '../../core/wallet/secret-storage.js'
import type { Chain } from '../chain.js'
import type { GivenClusters } from '../given-clusters.js'
import { relayerOptions } from '../options.js'
import type { RelayerService } from '../service.js'
import type { ExitsSchema } from '../store/schema.js'
import { ManagerAudit } from './audit.js'
import { Choices } from './choices.js'
import { DepositSigners } from './deposit-signers.js'
import { ValidatorsManager } from './manager.js'
import { ManagerSignatures } from './manager-signatures.js'
import { loadPoolLists, PublicKeyPool } from './pool.js'
import { Registrations } from './registrations.js'
import { StartIndexes } from './start-indexes.js'

type RelayerValues = Values<typeof relayerOptions>

/** @throws ConfigurationError for files that cannot be used */
export async function createPool(
  values: RelayerValues,
  network: Network,
  clusters: GivenClusters,
): Promise<PublicKeyPool> {
  const { publicKeysFile: publicKeys, depositDataFile: depositData, vaults = [] } = values
  return new PublicKeyPool(await loadPoolLists({ publicKeys, depositData }, network), clusters, vaults)
}

/** @throws ConfigurationError MISSING_OPTION, and those of the wallet's file */
export async function createManager(
  values: RelayerValues,
  network: Network,
  chain: Chain,
  logger: Logger,
): Promise<ValidatorsManager | undefined> {
  const { validatorsManagerKeyFile: file, validatorsManagerPasswordFile: passwordFile, vaults = [] } = values
  if (file === undefined) return undefined
  if (vaults.length === 0) {
    logger.warn('a validators manager’s key is given, and VAULTS is not set: nothing is signed with it')
  }
  const account = await loadWallet({
    file,
    passwordFile: required(passwordFile, relayerOptions.validatorsManagerPasswordFile),
    names: { file: 'VALIDATORS_MANAGER_KEY_FILE', passwordFile: 'VALIDATORS_MANAGER_PASSWORD_FILE' },
  })
  return new ValidatorsManager({ network, account, ...chain })
}

export interface OperatorSideParts {
  readonly vaults: readonly Hex[]
  readonly network: Network
  readonly pool: PublicKeyPool
  readonly manager: ValidatorsManager | undefined
  readonly database: Kysely<ExitsSchema>
  readonly indexes: Pick<ValidatorIndexPredictor, 'outlook'>
  readonly oracles: OraclesSource
  readonly service: RelayerService
  readonly logger: Logger
}

/** What the HTTP side asks for operators of dialect 4. */
export function createOperatorSide(parts: OperatorSideParts) {
  const { network, database, indexes, service, manager, logger } = parts
  const clock = () => Date.now() / 1000
  const audit = new ManagerAudit(database, clock, logger)
  return {
    registrations: new Registrations({
      ...parts,
      audit,
      choices: new Choices(database),
      startIndexes: new StartIndexes((keys) => indexes.outlook(keys), network.secondsPerSlot, clock),
      validators: service,
      depositSigners: new DepositSigners({ validators: service, exits: service, clock, logger }),
    }),
    signatures: new ManagerSignatures({ ...parts, audit }),
    manager: manager?.address,
  }
}
