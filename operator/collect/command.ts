/** Where `operator collect` is put together. */
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BeaconClient } from '../../core/clients/beacon.js'
import { ExecutionClient } from '../../core/clients/execution.js'
import { createRelayerClient } from '../../core/clients/relayer-options.js'
import { systemClock } from '../../core/clock.js'
import type { CommandContext } from '../../core/command.js'
import { loadDepositData } from '../../core/deposits/deposit-data.js'
import { ConfigurationError, DvtExitError, describeError } from '../../core/errors.js'
import { loadNetwork, type Network } from '../../core/network.js'
import { required, type Values } from '../../core/options.js'
import { MemoryCheckpointStore } from '../../core/validator-index/checkpoint.js'
import { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import { protocolConfigSource } from '../protocol-config.js'
import { type ChainView, ExitCollection } from './collect.js'
import { writeExitsFile } from './exits-file.js'
import { collectOptions } from './options.js'
import { oracleSetOf } from './oracle-parts.js'
import { selectDeposits } from './select-deposits.js'
import { terminalStatus } from './status-line.js'

export { collectOptions }

type CollectValues = Values<typeof collectOptions>

/**
 * Collects the oracles' parts of the exit signatures for the next validators of a deposit data file, and
 * writes them to a file.
 * @throws ConfigurationError where options, files or the relayer's network do not fit, RelayerError where the
 *   relayer refuses, DvtExitError INVALID_ORACLE_PARTS, OUTPUT_FAILED, STOPPED
 */
export async function runCollect(values: CollectValues, { signal, logger }: CommandContext): Promise<void> {
  const network = loadNetwork(values.network, values.networkConfigFile)
  const depositData = required(values.depositData, collectOptions.depositData)
  const out = required(values.out, collectOptions.out)
  const deposits = selectDeposits(await loadDepositData(depositData, network), {
    start: values.start,
    count: required(values.count, collectOptions.count),
    source: depositData,
    network,
  })
  await assertWritable(out)
  const relayer = await createRelayerClient(values)
  const execution =
    values.executionEndpoints === undefined
      ? undefined
      : new ExecutionClient(values.executionEndpoints, { chainId: network.chainId })
  const protocolConfig = protocolConfigSource(values, network, execution)
  const status = terminalStatus('exit signatures')
  const collection = new ExitCollection({
    network,
    relayer,
    deposits,
    oracles: async () => oracleSetOf(await protocolConfig()),
    chain: createChainView(values, network, execution),
    clock: systemClock,
    logger,
    status,
  })
  logger.info(
    `collecting exit signatures of ${deposits.length} validators (${depositData} from position ${values.start} on) from the relayer ${relayer.shown}`,
  )
  const collected = await collection.run(signal)
  status.clear()
  if (collected === undefined) {
    throw new DvtExitError('STOPPED', 'stopped before every exit signature was there', {
      hint: 'Run it again: the relayer keeps what it has',
    })
  }
  await writeExitsFile(out, collected)
  logger.info(`wrote ${out}: validator indexes from ${collected.validator_index} on`)
}

/** The own nodes' view of the chain, or nothing where whoever runs the command gave that up. */
function createChainView(
  { consensusEndpoints, uncheckedIndex }: CollectValues,
  network: Network,
  execution: ExecutionClient | undefined,
): ChainView | undefined {
  if (uncheckedIndex) return undefined
  if (consensusEndpoints !== undefined && execution !== undefined) {
    const { genesisValidatorsRoot } = network
    const beacon = new BeaconClient(consensusEndpoints, { genesisValidatorsRoot })
    const store = new MemoryCheckpointStore()
    const scanStore = new MemoryCheckpointStore()
    return new ValidatorIndexPredictor({ network, beacon, execution, store, scanStore })
  }
  throw new ConfigurationError(
    'NO_OWN_COUNT',
    'the next validator’s index cannot be counted without an execution and a beacon node: exits for another index are worth nothing',
    {
      hint: 'Set EXECUTION_ENDPOINT and CONSENSUS_ENDPOINT, or give --unchecked-index to believe the relayer',
    },
  )
}

/** Better told before the wait than after it. */
async function assertWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new ConfigurationError('OUTPUT_UNUSABLE', `cannot write ${file}: ${describeError(cause)}`, {
      cause,
      hint: 'Point --out to a folder that is there and that this user may write',
    })
  }
  if (await isDirectory(file)) {
    throw new ConfigurationError('OUTPUT_UNUSABLE', `cannot write ${file}: it is a folder`, {
      hint: 'Name a file with --out, for example exits.json in that folder',
    })
  }
}

async function isDirectory(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory()
  } catch {
    return false // Not there yet, as is usual.
  }
}
