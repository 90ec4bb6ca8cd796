/** What relayer, vault and options call for: the source of batches, and who tops validators up. */
import type { RelayerClient } from '../../core/clients/relayer.js'
import { RelayerRegistrations } from '../../core/clients/relayer-registrations.js'
import type { Clock } from '../../core/clock.js'
import { loadPublicKeys } from '../../core/deposits/public-keys-file.js'
import { ConfigurationError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { Values } from '../../core/options.js'
import { Funding } from '../funding/funding.js'
import { VaultEventLog } from '../funding/vault-events.js'
import { type ManagerSigner, OwnManager, RelayerManager } from '../manager/signer.js'
import type { Keys } from '../registration/authority.js'
import type { BatchSource } from '../registration/batch-source.js'
import { DepositDataSource } from '../registration/deposit-data-source.js'
import { chooseDialect, type RelayerDialect } from '../registration/dialect.js'
import type { AcceptedKeys } from '../registration/offer.js'
import { RelayerSource } from '../registration/relayer-source.js'
import type { VaultParts } from '../vault-parts.js'
import type { operatorOptions } from './options.js'

export type SourceValues = Pick<
  Values<typeof operatorOptions>,
  | 'relayerDialect'
  | 'publicKeysFile'
  | 'validatorType'
  | 'maxValidatorBalance'
  | 'minDepositAmount'
  | 'minDepositDelay'
  | 'disableValidatorsFunding'
  | 'vaultFirstBlock'
  | 'minValidatorsRegistration'
>

export interface SourceSurroundings {
  readonly parts: VaultParts
  readonly keys: Keys
  readonly relayer: RelayerClient
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds that a round waits for signatures. */
  readonly interval: number
}

/** A source and the dialect that it speaks. */
export interface ChosenSource {
  readonly dialect: RelayerDialect
  readonly source: BatchSource
  /** Absent where no validators are topped up: without VALIDATOR_TYPE=0x02. */
  readonly funding: Funding | undefined
}

/**
 * What gives the source: relayer and vault are asked for the dialect until they have answered once.
 * @returns throws ConfigurationError WRONG_VALIDATORS_MANAGER, MISSING_OPTION, INVALID_PUBLIC_KEYS_FILE; the
 *   clients' errors
 */
export function batchSource(
  values: SourceValues,
  surroundings: SourceSurroundings,
): () => Promise<ChosenSource> {
  let chosen: ChosenSource | undefined
  return async () => {
    chosen ??= await chooseSource(values, surroundings)
    return chosen
  }
}

async function chooseSource(values: SourceValues, surroundings: SourceSurroundings): Promise<ChosenSource> {
  const { parts, keys, relayer, clock, logger, interval } = surroundings
  const { deposits, reader } = parts
  const registrations = new RelayerRegistrations(relayer.connection)
  const dialect = await chooseDialect({
    wanted: values.relayerDialect,
    relayer: registrations,
    reader,
    logger,
  })
  if (dialect === '4') {
    const listed = await listedKeys(values.publicKeysFile)
    const source = new RelayerSource({
      ...parts,
      relayer: registrations,
      clock,
      patience: interval,
      type: values.validatorType ?? '0x01',
      maxBalance: values.maxValidatorBalance ?? parts.rules.maxValidatorBalance,
      minimum: values.minValidatorsRegistration,
      accepted: async () => listed ?? depositedKeys(deposits),
    })
    return { dialect, source, funding: fundingOf(values, parts, new RelayerManager(registrations)) }
  }
  if (deposits === undefined) {
    throw new ConfigurationError(
      'MISSING_OPTION',
      `--deposit-data is missing: the relayer ${relayer.shown} does not choose this vault’s validators`,
      { hint: 'Set DEPOSIT_DATA_FILE, or reach a relayer that signs as the vault’s validators manager' },
    )
  }
  const source = new DepositDataSource({ ...parts, ...deposits, relayer, keys, clock, patience: interval })
  return { dialect, source, funding: fundingOf(values, parts, new OwnManager(keys)) }
}

function fundingOf(values: SourceValues, parts: VaultParts, manager: ManagerSigner): Funding | undefined {
  if (values.validatorType !== '0x02' || values.disableValidatorsFunding) return undefined
  const { execution, vault, network, store, rules } = parts
  const events = new VaultEventLog({
    execution,
    vault,
    firstBlock: BigInt(values.vaultFirstBlock ?? network.keeper.block),
    store: {
      load: () => store.note('compounding-validators'),
      save: (value) => store.setNote('compounding-validators', value),
    },
  })
  return new Funding({
    ...parts,
    events,
    manager,
    maxBalance: values.maxValidatorBalance ?? rules.maxValidatorBalance,
    minDeposit: values.minDepositAmount,
    minDelay: values.minDepositDelay,
  })
}

async function listedKeys(file: string | undefined): Promise<AcceptedKeys | undefined> {
  return file === undefined ? undefined : { keys: new Set(await loadPublicKeys(file)), source: file }
}

async function depositedKeys(deposits: VaultParts['deposits']): Promise<AcceptedKeys | undefined> {
  if (deposits === undefined) return undefined
  const { entries, source } = await deposits.depositData.deposits()
  return { keys: new Set(entries.map(({ publicKey }) => publicKey)), source }
}
