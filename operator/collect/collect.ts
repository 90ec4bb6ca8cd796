/** Asking the relayer for exit signatures until all are there and right. */
import { Backoff } from '../../core/backoff.js'
import type { RelayerClient } from '../../core/clients/relayer.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import type { DepositDataEntry } from '../../core/deposits/deposit-data.js'
import { ConfigurationError, describeError, UnavailableError } from '../../core/errors.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import { assertRelayer } from '../relayer-check.js'
import { pollExits } from './exit-poll.js'
import { type CollectedExits, type CompleteValidator, collectedExits } from './exits-file.js'
import { checkOracleParts, type OracleSet } from './oracle-parts.js'
import type { StatusLine } from './status-line.js'
import { describeWaiting, type ValidatorState } from './waiting.js'

/** What the own nodes tell. */
export interface ChainView {
  /** The index that the next validator will get. */
  next(): Promise<{ readonly index: number }>
  /** Those of the keys that were deposited already: they take no index. */
  knownKeys(publicKeys: readonly PublicKeyHex[]): Promise<readonly PublicKeyHex[]>
}

export interface CollectParts {
  readonly network: Network
  readonly relayer: Pick<RelayerClient, 'info' | 'exits' | 'requestValidators' | 'shown'>
  /** In deposit order. */
  readonly deposits: readonly DepositDataEntry[]
  /** Who the oracles are, asked once. */
  readonly oracles: () => Promise<OracleSet>
  /** The own look at the chain; undefined: the relayer's count is believed. */
  readonly chain: ChainView | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Shows after each round how many of how many are ready. */
  readonly status?: StatusLine
  readonly random?: () => number
}

/** Milliseconds. */
const POLL_INTERVAL = 1_000
const LONGEST_PAUSE = 15_000
const REPORT_INTERVAL = 30_000
const RECOUNT_INTERVAL = 12_000

export class ExitCollection {
  readonly #parts: CollectParts
  readonly #keys: readonly PublicKeyHex[]
  readonly #troubles = new Conditions()
  readonly #pause: Backoff
  #oracles: OracleSet | undefined
  #ownIndex: number | undefined
  #countedAt = -Infinity
  #reported = { text: '', at: -Infinity }

  constructor(parts: CollectParts) {
    this.#parts = parts
    this.#keys = parts.deposits.map(({ publicKey }) => publicKey)
    this.#pause = new Backoff(POLL_INTERVAL, LONGEST_PAUSE, parts.random)
  }

  /**
   * Polls until every exit signature is there, checked, and for the index that the chain gives next. What
   * is away for a while is waited for.
   * @returns undefined where the signal was aborted before
   * @throws ConfigurationError WRONG_NETWORK, RELAYER_REFUSES_OPERATOR, KEY_DEPOSITED, RelayerError where the
   *   relayer refuses, DvtExitError INVALID_ORACLE_PARTS
   */
  async run(signal: AbortSignal): Promise<CollectedExits | undefined> {
    const { clock } = this.#parts
    while (!signal.aborted) {
      const collected = await this.#attempt(async () => {
        this.#oracles ??= await this.#prepare()
        return this.#round(this.#oracles)
      })
      if (collected === 'away') await clock.sleep(this.#pause.next(), signal)
      else if (collected !== undefined) return collected
      else await clock.sleep(POLL_INTERVAL, signal)
    }
    return undefined
  }

  /** What has to be right before anything is asked for. */
  async #prepare(): Promise<OracleSet> {
    await assertRelayer(this.#parts.relayer, this.#parts.network)
    const known = (await this.#parts.chain?.knownKeys(this.#keys)) ?? []
    if (known.length > 0) {
      throw new ConfigurationError(
        'KEY_DEPOSITED',
        `${known.length} of the keys were deposited already, the first of them ${known[0]}`,
        { hint: 'A key that is deposited twice takes no new index: leave it out with --start and --count' },
      )
    }
    await this.#count()
    return this.#parts.oracles()
  }

  async #round(oracles: OracleSet): Promise<CollectedExits | undefined> {
    const { states, start, complete } = await pollExits(this.#parts.relayer, this.#keys)
    this.#report(states)
    if (start === undefined || !(await this.#isOwnCount(start)) || complete === undefined) return undefined
    return this.#finish(start, complete, oracles)
  }

  /** The last checks. The index is counted once more, since all this may have taken long. */
  async #finish(
    start: number,
    validators: readonly CompleteValidator[],
    oracles: OracleSet,
  ): Promise<CollectedExits | undefined> {
    for (const { publicKey, oracleParts } of validators) {
      checkOracleParts(publicKey, oracleParts, oracles)
    }
    if (this.#parts.chain !== undefined) {
      await this.#count()
      if (this.#ownIndex !== start) return undefined
    }
    return collectedExits(start, this.#parts.deposits, validators)
  }

  /** Whether the relayer's index is the own count; counts again, now and then, where it is not. */
  async #isOwnCount(listed: number): Promise<boolean> {
    const { chain, clock } = this.#parts
    if (chain === undefined) return true
    if (this.#ownIndex !== listed && clock.now() - this.#countedAt >= RECOUNT_INTERVAL) await this.#count()
    if (this.#ownIndex === listed) {
      if (this.#troubles.ends('index')) this.#say('info', `the relayer counts ${listed} too now`)
      return true
    }
    if (this.#troubles.begins('index', `${listed}/${this.#ownIndex}`)) {
      this.#say(
        'warn',
        `the relayer's exits are for index ${listed}, the next validator's index is ${this.#ownIndex} by the own count: waiting until both agree`,
      )
    }
    return false
  }

  async #count(): Promise<void> {
    const { chain, clock } = this.#parts
    if (chain === undefined) return
    const before = this.#ownIndex
    this.#ownIndex = (await chain.next()).index
    this.#countedAt = clock.now()
    if (before === undefined) this.#say('info', `the next validator's index is ${this.#ownIndex}`)
    else if (before !== this.#ownIndex) {
      this.#say('warn', `the next validator's index moved from ${before} to ${this.#ownIndex}: starting over`)
    }
  }

  #report(states: readonly ValidatorState[]): void {
    const { clock, status } = this.#parts
    const text = describeWaiting(states)
    const now = clock.now()
    if (text !== this.#reported.text || now - this.#reported.at >= REPORT_INTERVAL) {
      this.#reported = { text, at: now }
      this.#say('info', text)
    }
    status?.show(states.filter((state) => state.complete).length, states.length)
  }

  #say(level: 'info' | 'warn', text: string): void {
    this.#parts.status?.clear()
    this.#parts.logger[level](text)
  }

  /** Runs one step; what is away is said once, and once when it is back. */
  async #attempt<T>(step: () => Promise<T>): Promise<T | 'away'> {
    try {
      const result = await step()
      this.#pause.reset()
      if (this.#troubles.ends('away')) this.#say('info', 'back: going on')
      return result
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      if (this.#troubles.begins('away')) {
        this.#say('warn', `trying again until it is back: ${describeError(error)}`)
      }
      return 'away'
    }
  }
}
