/** The agent's loop: round after round, each of which registers or says why not. */
import { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { DvtExitError, describeError, exitCodeOf, UnavailableError } from '../../core/errors.js'
import { shorten } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { isDatabaseTrouble } from '../../core/storage/database-trouble.js'
import { NotNow } from '../not-now.js'
import type { RoundOutcome } from '../registration/round.js'
import type { VaultTransaction } from '../transactions/store/transaction.js'
import { Reasons } from './reasons.js'

export interface AgentParts {
  /** What has to fit before anything is done; a ConfigurationError of it ends the agent. */
  readonly check: () => Promise<void>
  readonly round: { run(signal: AbortSignal): Promise<RoundOutcome> }
  readonly indexCheck: { look(): Promise<void> }
  /** Keeps what the agent waits for, for `operator status`. */
  readonly note: (waiting: Waiting | undefined) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between two rounds. */
  readonly interval: number
  readonly random?: () => number
}

/** What the agent waits for, as it is kept. */
export interface Waiting {
  readonly code: string
  readonly text: string
  /** Seconds since 1970. */
  readonly since: number
}

/** Milliseconds. */
const SOON = 1_000
const LONGEST_PAUSE = 60_000
/** The exit code of what a person must change. */
const USAGE = 2

export class OperatorAgent {
  readonly #parts: AgentParts
  readonly #reasons: Reasons
  readonly #pause: Backoff
  #isChecked = false

  constructor(parts: AgentParts) {
    this.#parts = parts
    this.#reasons = new Reasons(parts.clock)
    this.#pause = new Backoff(parts.interval, Math.max(LONGEST_PAUSE, parts.interval), parts.random)
  }

  /**
   * Works until the signal is aborted. What is away is waited for.
   * @throws ConfigurationError, or ConfigurationErrors with several of them, at the start, where network, relayer,
   *   vault or deposit data do not fit
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.#step(signal)
      await this.#parts.clock.sleep(pause, signal)
    }
  }

  /** One round. Returns the milliseconds until the next one. */
  async #step(signal: AbortSignal): Promise<number> {
    const { round, check, indexCheck, interval } = this.#parts
    try {
      if (!this.#isChecked) await check()
      this.#isChecked = true
      await indexCheck.look()
      const outcome = await round.run(signal)
      this.#pause.reset()
      await this.#tell(outcome)
      return outcome.kind === 'sent' ? Math.min(SOON, interval) : 0
    } catch (error) {
      if (!(error instanceof DvtExitError)) throw error
      if (!this.#isChecked && exitCodeOf(error) === USAGE) throw error
      if (signal.aborted) return 0
      await this.#wait(error)
      if (error instanceof UnavailableError) return this.#pause.next()
      this.#pause.reset()
      return error instanceof NotNow && error.soon ? Math.min(SOON, interval) : interval
    }
  }

  async #wait(error: DvtExitError): Promise<void> {
    const { logger, note } = this.#parts
    const text = describeError(error)
    const { since, isNews } = this.#reasons.of(error.code, detailOf(error))
    if (isNews) logger[error instanceof NotNow ? error.level : 'warn'](text)
    try {
      await note({ code: error.code, text, since: Math.floor(since / 1000) })
    } catch (failure) {
      // The log says it; the note is for `operator status`.
      if (!isDatabaseTrouble(failure)) throw failure
    }
  }

  async #tell(outcome: RoundOutcome): Promise<void> {
    this.#reasons.clear()
    await this.#parts.note(undefined)
    if (outcome.kind === 'mined') this.#parts.logger.info(describeMined(outcome.transaction))
  }
}

/** What makes it another reason, beside its code. */
function detailOf(error: DvtExitError): string {
  if (error instanceof NotNow) return error.detail ?? error.message
  // What nobody served, without how each try ended: that changes from one to the next.
  return error.cause instanceof AggregateError ? error.cause.message : ''
}

const DONE = { funding: 'topped up', withdrawal: 'withdrew from', consolidation: 'consolidated' } as const

function describeMined(transaction: VaultTransaction): string {
  const { publicKeys, minedHash, block } = transaction
  const keys = publicKeys.map(shorten).join(', ')
  const by = `by transaction ${minedHash} in block ${block?.number}`
  if (transaction.kind !== 'registration') {
    return `${DONE[transaction.kind]} ${publicKeys.length} validators (${keys}), ${by}`
  }
  const { startIndex } = transaction
  const last = startIndex + publicKeys.length - 1
  const indexes = publicKeys.length === 1 ? `index ${startIndex}` : `indexes ${startIndex} to ${last}`
  return `registered ${publicKeys.length} validators (${keys}), ${indexes}, ${by}`
}
