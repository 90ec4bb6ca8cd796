/** Where a sidecar is put together: the only place of the loop's folder that knows the vendors. */

import { BeaconClient } from '../../core/clients/beacon.js'
import type { RelayerClient } from '../../core/clients/relayer.js'
import { createRelayerClient } from '../../core/clients/relayer-options.js'
import { RelayerValidators } from '../../core/clients/relayer-validators.js'
import { systemClock } from '../../core/clock.js'
import type { CommandContext } from '../../core/command.js'
import { ConfigurationError, describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { loadNetwork, type Network } from '../../core/network.js'
import { required, type Values } from '../../core/options.js'
import type { ExitSigner } from '../../core/signer.js'
import type { obolOptions } from '../obol/options.js'
import type { ssvOptions } from '../ssv/options.js'
import { AuditLog, type PastEntry } from './audit-log.js'
import type { ExitCheckRules, ValidatorRegistry } from './exit-check.js'
import { sidecarOptions, type Vendor } from './options.js'
import { Sidecar } from './sidecar.js'
import { LIMIT_WINDOW } from './signing-limit.js'

export { sidecarOptions, type Vendor }

type SidecarValues = Values<typeof sidecarOptions>
type ObolValues = Values<typeof obolOptions>
type SsvValues = Values<typeof ssvOptions>

/**
 * Runs a sidecar until it is told to stop.
 * @param vendor undefined: the one that CLUSTER_TYPE names
 * @throws ConfigurationError where the options, the node's files or the relayer do not fit
 */
export function runSidecar(
  vendor: 'obol',
  values: SidecarValues & ObolValues,
  context: CommandContext,
): Promise<void>
export function runSidecar(
  vendor: 'ssv',
  values: SidecarValues & SsvValues,
  context: CommandContext,
): Promise<void>
export function runSidecar(
  vendor: Vendor | undefined,
  values: SidecarValues & ObolValues & SsvValues,
  context: CommandContext,
): Promise<void>
export async function runSidecar(
  vendor: Vendor | undefined,
  values: SidecarValues & Partial<ObolValues & SsvValues>,
  { signal, logger }: CommandContext,
): Promise<void> {
  const network = loadNetwork(values.network, values.networkConfigFile)
  const relayer = await createRelayerClient(values)
  const registry = createRegistry(values, network, logger)
  const audit = new AuditLog(values.auditLog)
  const past = await readPast(audit)
  await assertRightBeaconNode(registry, logger)
  const signers = await createSigners(vendor ?? values.clusterType, values, { network, logger, signal })
  try {
    const rules = { allowActive: values.allowActive, ...(registry === undefined ? {} : { registry }) }
    if (signal.aborted) return
    logger.info(describeStart(signers, relayer, rules, values))
    const sidecar = new Sidecar({
      signers,
      relayer,
      validators: new RelayerValidators(relayer.connection),
      vaults: values.sidecarVaults,
      network,
      rules,
      audit,
      past,
      maxPerHour: values.maxExitsPerHour,
      pollInterval: values.pollInterval,
      clock: systemClock,
      logger,
    })
    await sidecar.run(signal)
    logger.info('stopped')
  } finally {
    await Promise.all(signers.map((signer) => signer.close()))
  }
}

/** Only the vendor's own code is loaded. */
async function createSigners(
  vendor: Vendor | undefined,
  values: SidecarValues & Partial<ObolValues & SsvValues>,
  context: { readonly network: Network; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<ExitSigner[]> {
  switch (required(vendor, sidecarOptions.clusterType)) {
    case 'obol': {
      const { createObolSigners } = await import('../obol/create.js')
      return createObolSigners(values as ObolValues, context)
    }
    case 'ssv': {
      const { createSsvSigners } = await import('../ssv/create.js')
      return createSsvSigners(values as SidecarValues & SsvValues, context)
    }
  }
}

/** The node's own beacon node, or nothing where whoever runs the sidecar gave that up. */
function createRegistry(
  values: SidecarValues,
  network: Network,
  logger: Logger,
): ValidatorRegistry | undefined {
  const { consensusEndpoints, uncheckedExits } = values
  if (consensusEndpoints !== undefined) {
    if (uncheckedExits)
      logger.warn('UNCHECKED_EXITS has no effect beside CONSENSUS_ENDPOINT: exits are checked')
    return new BeaconClient(consensusEndpoints, {
      genesisValidatorsRoot: network.genesisValidatorsRoot,
      timeout: BEACON_TIMEOUT,
      retry: { rounds: 1, delay: 0 },
    })
  }
  if (uncheckedExits) return undefined
  throw new ConfigurationError(
    'NO_BEACON_NODE',
    'no beacon node is given: without one the sidecar would sign whatever exit the relayer asks for, also one that ends a validator that is active',
    { hint: 'Set CONSENSUS_ENDPOINT, or UNCHECKED_EXITS=true if you trust the relayer that far' },
  )
}

/** Milliseconds. One round of all endpoints: the next poll asks again. */
const BEACON_TIMEOUT = 20_000

/** A beacon node of another network would know none of the keys: better to stop at once. */
async function assertRightBeaconNode(registry: ValidatorRegistry | undefined, logger: Logger): Promise<void> {
  try {
    await registry?.knownValidators([], [0])
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    logger.warn(`nothing is signed until the beacon node can be asked: ${describeError(error)}`)
  }
}

async function readPast(audit: AuditLog): Promise<PastEntry[]> {
  try {
    return await audit.entriesSince(systemClock.now() - LIMIT_WINDOW)
  } catch (error) {
    throw new ConfigurationError('AUDIT_LOG_UNUSABLE', describeError(error), { cause: error })
  }
}

/** One line that says what the sidecar runs with. */
function describeStart(
  signers: readonly ExitSigner[],
  relayer: RelayerClient,
  { registry, allowActive }: ExitCheckRules,
  values: SidecarValues,
): string {
  const nodes = signers.map(
    (signer) => `${signer.name} (share index ${signer.shareIndex}, ${signer.validators().size} key shares)`,
  )
  const checks =
    registry === undefined
      ? 'exits are NOT checked (UNCHECKED_EXITS)'
      : `exits are checked against the beacon chain${allowActive.size > 0 ? ` but for ${allowActive.size} keys` : ''}`
  const vaults =
    values.sidecarVaults === undefined ? '' : `; deposits to ${[...values.sidecarVaults].join(', ')} alone`
  return `${nodes.join(', ')}; relayer ${relayer.shown}; ${checks}, at most ${values.maxExitsPerHour} new ones an hour${vaults}; audit log ${values.auditLog}`
}
