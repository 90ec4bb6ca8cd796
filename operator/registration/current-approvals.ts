import { stringifyJson } from '../../core/json.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import { Approvals, type ApprovalsOptions } from '../approvals/approvals.js'
import type { ApprovalSubject } from '../approvals/request.js'

/** The approvals of the batch that is being registered: kept from round to round while it stays the same. */
export class CurrentApprovals {
  readonly #options: ApprovalsOptions
  #current:
    | { readonly subject: string; readonly config: ProtocolConfig; readonly approvals: Approvals }
    | undefined

  constructor(options: ApprovalsOptions) {
    this.#options = options
  }

  /** @throws ConfigurationError INVALID_PROTOCOL_CONFIG */
  of(subject: ApprovalSubject, config: ProtocolConfig): Approvals {
    const text = stringifyJson(subject)
    if (this.#current?.subject !== text || this.#current.config !== config) {
      this.#current = { subject: text, config, approvals: new Approvals(subject, config, this.#options) }
    }
    return this.#current.approvals
  }

  /** The Keeper did not like them: asks for new ones next time. */
  forget(): void {
    this.#current = undefined
  }
}
