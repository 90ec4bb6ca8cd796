/** Where `operator` is put together. */
import type { RelayerClient } from '../../core/clients/relayer.js'
import { createRelayerClient } from '../../core/clients/relayer-options.js'
import { systemClock } from '../../core/clock.js'
import type { CommandContext } from '../../core/command.js'
import type { Values } from '../../core/options.js'
import { lockDatabase } from '../../core/storage/lock.js'
import type { Keys } from '../registration/authority.js'
import { CurrentApprovals } from '../registration/current-approvals.js'
import { IndexCheck } from '../registration/index-check.js'
import { Round } from '../registration/round.js'
import { assertRelayer } from '../relayer-check.js'
import { createVaultParts, type VaultParts } from '../vault-parts.js'
import { OperatorAgent } from './agent.js'
import { batchSource, type SourceSurroundings } from './batch-source.js'
import { prepareOnce } from './dry-run.js'
import { loadKeys } from './keys.js'
import type { operatorOptions } from './options.js'
import { createSender } from './sender.js'

type OperatorValues = Values<typeof operatorOptions>

/**
 * Runs the agent until the signal is aborted; with --dry-run until a transaction is printed.
 * @throws ConfigurationError where options, files, nodes or the relayer do not fit; NotNow for a dry run that
 *   finds nothing to register
 */
export async function runOperator(values: OperatorValues, context: CommandContext): Promise<void> {
  const { logger } = context
  const relayer = await createRelayerClient(values)
  const keys = await loadKeys(values)
  const unlock = values.dryRun ? () => {} : await lockDatabase(values.database)
  const parts = await createVaultParts(values, logger, values.dryRun)
  try {
    await run(values, context, parts, keys, relayer)
  } finally {
    await parts.close()
    unlock()
  }
}

async function run(
  values: OperatorValues,
  { signal, logger }: CommandContext,
  parts: VaultParts,
  keys: Keys,
  relayer: RelayerClient,
): Promise<void> {
  const { network, vault, reader, store, predictor, deposits } = parts
  const clock = systemClock
  const slot = network.secondsPerSlot * 1000
  const interval = values.pollInterval ?? slot
  const surroundings = { parts, keys, relayer, clock, logger, interval }
  const source = batchSource(values, surroundings)
  const round = createRound(values, { ...surroundings, source })
  const check = async () => {
    await deposits?.depositData.deposits()
    await reader.version()
    await assertRelayer(relayer, network)
    const { dialect } = await source()
    logger.info(
      dialect === '4'
        ? `the relayer ${relayer.shown} chooses the validators (dialect 4)`
        : `the validators are those of ${values.depositData}`,
    )
    const { index } = await predictor.next()
    logger.info(`the next validator of ${network.name} gets index ${index}`)
  }
  logger.info(
    `registering validators with the vault ${vault} on ${network.name}, from the wallet ${keys.wallet.address}`,
  )
  if (values.dryRun)
    return prepareOnce({ check, round, clock, logger, interval, out: process.stdout }, signal)
  const agent = new OperatorAgent({
    check,
    round,
    indexCheck: new IndexCheck({ ...parts, clock, logger, interval: slot * network.slotsPerEpoch }),
    note: (waiting) => store.setNote('waiting', waiting),
    clock,
    logger,
    interval,
  })
  await agent.run(signal)
}

export interface RoundSurroundings extends SourceSurroundings {
  readonly source: ReturnType<typeof batchSource>
}

/** The agent's round, as the options say. */
export function createRound(
  { maxFeePerGas, dryRun }: Pick<OperatorValues, 'maxFeePerGas' | 'dryRun'>,
  { parts, keys, source, clock, logger }: RoundSurroundings,
): Round {
  const { network } = parts
  const sender = createSender(parts, { maxFeePerGas, account: keys.wallet, clock, logger })
  const approvals = new CurrentApprovals({ network, clock })
  return new Round({
    ...parts,
    source,
    approvals,
    sender,
    keys,
    clock,
    logger,
    dryRun,
  })
}
