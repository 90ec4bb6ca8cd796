import type { Counter } from 'prom-client'
import type { Logger } from '../../core/log.js'
import type { OnRejected } from './exit-signature.js'

/** Rejections remembered, so that a sidecar that posts the same again at every poll is told of once. */
const REMEMBERED = 10_000

/** Counts rejected shares and names their sender in the log, once for each share index, key and reason. */
export function rejectionReporter(logger: Logger, counter: Counter<'reason'>): OnRejected {
  const known = new Set<string>()
  return (shareIndex, rejected, caller) => {
    for (const { publicKey, reason } of rejected) {
      counter.inc({ reason })
      const id = `${shareIndex} ${publicKey} ${reason}`
      if (known.has(id)) continue
      if (known.size >= REMEMBERED) known.clear()
      known.add(id)
      logger.warn({ shareIndex: String(shareIndex), publicKey, reason, caller }, 'share rejected')
    }
  }
}
