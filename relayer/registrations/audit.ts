/** Who had the validators manager asked for what: a line in the log and a row that stays. */
import type { Kysely } from 'kysely'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import { stringifyJson } from '../../core/json.js'
import type { Logger } from '../../core/log.js'
import type { RefusalCode } from '../refusals.js'
import type { ExitsSchema } from '../store/schema.js'

/** One validator of a request. */
export interface AuditedItem {
  /** Absent where a request that names no keys is refused. */
  readonly publicKey?: PublicKeyHex | undefined
  /** Gwei. */
  readonly amount?: bigint | undefined
  /** Where its balance goes. */
  readonly target?: PublicKeyHex
}

export interface AuditedRequest {
  readonly call: 'register' | 'fund' | 'withdraw' | 'consolidate'
  /** The name of the token that was used. */
  readonly caller: string
  readonly vault: Hex
  readonly items: readonly AuditedItem[]
}

/** `asked`: understood, with nothing to sign yet. */
export type AuditOutcome = 'asked' | 'signed' | RefusalCode

const MESSAGES: Readonly<Partial<Record<AuditOutcome, string>>> = {
  asked: 'an operator asks for validators',
  signed: 'the validators manager signs for an operator',
}

export class ManagerAudit {
  readonly #database: Kysely<ExitsSchema>
  /** Seconds since 1970. */
  readonly #clock: () => number
  readonly #logger: Logger

  constructor(database: Kysely<ExitsSchema>, clock: () => number, logger: Logger) {
    this.#database = database
    this.#clock = clock
    this.#logger = logger
  }

  /** Resolves when the row is stored: before a signature is given out. Rows are never changed or deleted. */
  async note({ call, caller, vault, items }: AuditedRequest, outcome: AuditOutcome): Promise<void> {
    await this.#database
      .insertInto('manager_audit')
      .values({
        noted_at: Math.floor(this.#clock()),
        caller,
        call,
        vault,
        outcome,
        items: stringifyJson(items),
      })
      .execute()
    const level = outcome === 'asked' || outcome === 'signed' ? 'info' : 'warn'
    const fields = { audit: true, call, caller, vault, outcome, items: items.map(describeItem).join(', ') }
    this.#logger[level](fields, MESSAGES[outcome] ?? 'an operator is refused')
  }
}

function describeItem({ publicKey, amount, target }: AuditedItem): string {
  const key = publicKey === undefined ? '' : shorten(publicKey)
  const into = target === undefined ? '' : `into ${shorten(target)}`
  return [key, into, amount === undefined ? '' : `${amount} Gwei`].filter((part) => part !== '').join(' ')
}
