/** The sidecar's loop, the same for every vendor: wanted exits → signatures → relayer. */
import { Backoff } from '../../core/backoff.js'
import type { PublishedExit, RelayerClient } from '../../core/clients/relayer.js'
import { RelayerError } from '../../core/clients/relayer-errors.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { ConfigurationError, DvtExitError, describeError, UnavailableError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'
import type { AuditLog, PastEntry } from './audit-log.js'
import type { ExitCheckRules } from './exit-check.js'
import { ExitPosting } from './exit-posting.js'
import { ExitSigning, type SignedExit, type WantedExit } from './exit-signing.js'
import { exitId } from './signing-limit.js'

export interface SidecarParts {
  /** The nodes to act for: one, or several for testing. */
  readonly signers: readonly ExitSigner[]
  readonly relayer: Pick<RelayerClient, 'info' | 'exits' | 'postExitSignatures' | 'shown'>
  readonly network: Network
  readonly rules: ExitCheckRules
  readonly audit: Pick<AuditLog, 'append'>
  /** The audit log's entries of the last hour, the newest first. */
  readonly past: readonly PastEntry[]
  /** New exits in an hour. */
  readonly maxPerHour: number
  /** Milliseconds between two polls. */
  readonly pollInterval: number
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: () => number
}

/** The longest pause while the relayer is away, milliseconds, before jitter. */
const LONGEST_PAUSE = 30_000

export class Sidecar {
  readonly #parts: SidecarParts
  readonly #signing: ExitSigning
  readonly #posting: ExitPosting
  readonly #pause: Backoff
  readonly #troubles = new Conditions()
  readonly #posted = new Conditions()

  constructor(parts: SidecarParts) {
    this.#parts = parts
    this.#signing = new ExitSigning(parts, parts.signers, parts.past)
    this.#posting = new ExitPosting(parts)
    this.#pause = new Backoff(parts.pollInterval, Math.max(LONGEST_PAUSE, parts.pollInterval), parts.random)
  }

  /**
   * Signs and posts until the signal is aborted. A relayer that is away is waited for.
   * @throws ConfigurationError WRONG_NETWORK, RELAYER_REFUSES_SIDECAR at the start
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pollInterval } = this.#parts
    while (!signal.aborted && !(await this.#attempt(() => this.#checkRelayer()))) {
      await clock.sleep(this.#pause.next(), signal)
    }
    while (!signal.aborted) {
      const done = await this.#attempt(() => this.round(signal))
      if (done) this.#pause.reset()
      await clock.sleep(done ? pollInterval : this.#pause.next(), signal)
    }
  }

  /**
   * One pass over the wanted exits.
   * @throws RelayerError, UnavailableError where the relayer refuses or is away
   */
  async round(signal: AbortSignal): Promise<void> {
    const exits = await this.#parts.relayer.exits()
    const wanted = this.#parts.signers
      .flatMap((signer) => wantedOf(signer, exits))
      .filter((exit) => !this.#posting.isHeldBack(exit))
    const signed = await this.#signing.sign(wanted, signal)
    const failures: unknown[] = []
    for (const signer of this.#parts.signers) {
      // One node may be refused where another is not.
      await this.#post(
        signer,
        signed.filter((exit) => exit.signer === signer),
      ).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #post(signer: ExitSigner, exits: readonly SignedExit[]): Promise<void> {
    const rejected = await this.#posting.post(exits)
    for (const exit of rejected) this.#signing.forget(exit)
    const accepted = exits.filter((exit) => !rejected.includes(exit))
    const first = accepted.filter((exit) => this.#posted.begins(`${exit.signer.shareIndex}/${exitId(exit)}`))
    const { logger } = this.#parts
    if (first.length > 0) logger.info(`${signer.name}: posted ${counted(first.length, 'exit share')}`)
    const again = accepted.length - first.length
    if (again > 0) logger.debug(`${signer.name}: posted ${counted(again, 'exit share')} again`)
  }

  async #checkRelayer(): Promise<void> {
    const { relayer, network } = this.#parts
    let answer: { readonly network: string }
    try {
      answer = await relayer.info()
    } catch (error) {
      if (!(error instanceof RelayerError)) throw error
      throw new ConfigurationError('RELAYER_REFUSES_SIDECAR', describeError(error), { cause: error })
    }
    if (answer.network === network.name) return
    throw new ConfigurationError(
      'WRONG_NETWORK',
      `the relayer ${relayer.shown} works for ${answer.network.slice(0, 40)}, this sidecar for ${network.name}`,
      { hint: 'Set NETWORK or RELAYER_ENDPOINT right' },
    )
  }

  /** Whether the relayer could be worked with. Says once that it cannot, and once that it can again. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    const { relayer, logger } = this.#parts
    try {
      await work()
    } catch (error) {
      if (error instanceof ConfigurationError) throw error
      const text = describeError(error)
      if (!(error instanceof DvtExitError)) logger.error({ error }, `unexpected: ${text}`)
      else if (!(error instanceof UnavailableError)) {
        if (this.#troubles.begins('relayer', error.code)) logger.error(text)
      } else if (this.#troubles.begins('relayer')) {
        logger.warn(`the relayer is away, trying again until it is back: ${text}`)
      }
      return false
    }
    if (this.#troubles.ends('relayer')) logger.info(`the relayer ${relayer.shown} is back`)
    return true
  }
}

/** The exits that a node holds a key share for, that are not ready, and that lack its share: each once. */
function wantedOf(signer: ExitSigner, exits: readonly PublishedExit[]): WantedExit[] {
  const held = signer.validators()
  const wanted = new Map<string, WantedExit>()
  for (const { publicKey, validatorIndex, isExitSignatureReady, shareIndexesReady } of exits) {
    if (isExitSignatureReady || shareIndexesReady.includes(signer.shareIndex)) continue
    const exit = { signer, publicKey, validatorIndex }
    if (held.has(publicKey)) wanted.set(exitId(exit), exit)
  }
  return [...wanted.values()]
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
