import type { Counter } from 'prom-client'
import type { Logger } from '../../core/log.js'
import type { OnRejected } from './exit-signature.js'
import { LogBudget } from './log-budget.js'

/** Rejections remembered, so that a sidecar that posts the same again at every poll is told of once. */
const REMEMBERED = 10_000

/**
 * Counts rejected shares and names their sender in the log, once for each share index, key and reason, as long as
 * there are not too many: share indexes are the sender's choice.
 */
export function rejectionReporter(
  logger: Logger,
  counter: Counter<'reason'>,
  budget: LogBudget = new LogBudget(),
): OnRejected {
  const known = new Set<string>()
  return (shareIndex, rejected, caller) => {
    for (const { publicKey, reason } of rejected) {
      counter.inc({ reason })
      const id = `${shareIndex} ${publicKey} ${reason}`
      if (known.has(id)) continue
      const leftOut = budget.take()
      if (leftOut === undefined) continue
      if (known.size >= REMEMBERED) known.clear()
      known.add(id)
      const fields = { shareIndex: String(shareIndex), publicKey, reason, caller }
      logger.warn(leftOut === 0 ? fields : { ...fields, leftOut }, 'share rejected')
    }
  }
}
