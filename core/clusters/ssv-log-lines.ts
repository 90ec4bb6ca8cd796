import { shorten } from '../hex.js'
import type { Logger } from '../log.js'
import { OTHER_CLUSTER, type Outcome, type Viewpoint } from './ssv-rules.js'
import type { KeptLog } from './ssv-store.js'

/**
 * Tells what an event meant: what was skipped as a warning, what was added or removed as news once
 * everything up to now has been read.
 */
export function reportOutcomes(
  logger: Logger,
  log: KeptLog,
  outcomes: ReadonlyMap<Viewpoint, Outcome>,
  caughtUp: boolean,
): void {
  const { event } = log
  if (event.name === 'OwnerNonceUsed') return
  const where = { block: log.blockNumber.toString(), log: log.logIndex }
  if (event.name === 'OperatorAdded' || event.name === 'OperatorRemoved') {
    const [outcome] = outcomes.values()
    logger.debug({ ...where, operator: event.id.toString() }, `${event.name}: ${outcome?.effect}`)
    return
  }
  for (const [viewpoint, { effect, changes }] of outcomes) {
    if (effect === OTHER_CLUSTER) continue
    const which = viewpoint.operatorId === undefined ? '' : `operator ${viewpoint.operatorId}: `
    const fields = { ...where, key: shorten(event.publicKey), owner: event.owner }
    const line = `${which}${event.name}: ${effect}`
    if (changes.some(({ kind }) => kind === 'validator-added' || kind === 'validator-removed')) {
      if (caughtUp) logger.info(fields, line)
      else logger.debug(fields, line)
    } else logger.warn(fields, line)
    if (changes.some((change) => change.kind === 'validator-added' && !change.validator.usable)) {
      logger.warn(
        fields,
        `${which}the share public keys are not a sharing of this validator's key: its cluster can never sign, so it is not offered for signing`,
      )
    }
  }
}
