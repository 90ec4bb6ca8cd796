import { Conditions } from '../../core/conditions.js'
import { describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { AuditEntry, AuditLog } from './audit-log.js'

/** Writes the audit log for all that signs; says once that it cannot, and once that it can again. */
export class AuditWriter {
  readonly #log: Pick<AuditLog, 'append'>
  readonly #logger: Logger
  readonly #troubles = new Conditions()

  constructor(log: Pick<AuditLog, 'append'>, logger: Logger) {
    this.#log = log
    this.#logger = logger
  }

  /** Whether the entries are on the disk: without that no signature may leave. */
  async note(entries: readonly AuditEntry[]): Promise<boolean> {
    if (entries.length === 0) return true
    try {
      await this.#log.append(entries)
    } catch (error) {
      const reason = describeError(error)
      if (this.#troubles.begins('audit', reason)) this.#logger.error(reason)
      return false
    }
    if (this.#troubles.ends('audit')) this.#logger.info('the audit log can be written again')
    return true
  }
}
