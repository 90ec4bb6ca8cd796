/** The sidecar's loop, the same for every vendor: wanted exits → signatures → relayer. */
import { Backoff } from '../../core/backoff.js'
import type { PublishedExit, RelayerClient } from '../../core/clients/relayer.js'
import { RelayerError } from '../../core/clients/relayer-errors.js'
import type { PublishedValidator, RelayerValidators } from '../../core/clients/relayer-validators.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { ConfigurationError, DvtExitError, describeError, UnavailableError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'
import type { AuditLog, PastEntry } from './audit-log.js'
import { DepositSigning } from './deposit-signing.js'
import type { ExitCheckRules } from './exit-check.js'
import { ExitPosting } from './exit-posting.js'
import { ExitSigning, type SignedExit } from './exit-signing.js'
import { exitId } from './signing-limit.js'
import { nodeAndKey, type SignedValidator, toShares, wantedDepositsOf, wantedOf } from './wanted.js'

export interface SidecarParts {
  /** The nodes to act for: one, or several for testing. */
  readonly signers: readonly ExitSigner[]
  readonly relayer: Pick<RelayerClient, 'info' | 'exits' | 'postExitSignatures' | 'shown'>
  /** The same relayer's dialect 2. */
  readonly validators: Pick<RelayerValidators, 'wanted' | 'post' | 'askAgain'>
  /** SIDECAR_VAULTS in lower case; undefined: those that each signer itself knows. */
  readonly vaults?: ReadonlySet<Hex> | undefined
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
  readonly #deposits: DepositSigning
  readonly #exitPosting: ExitPosting<SignedExit>
  readonly #validatorPosting: ExitPosting<SignedValidator>
  readonly #pause: Backoff
  readonly #troubles = new Conditions()
  readonly #posted = new Conditions()

  constructor(parts: SidecarParts) {
    this.#parts = parts
    const { signers, past, relayer, validators } = parts
    this.#signing = new ExitSigning(parts, signers, past)
    this.#deposits = new DepositSigning(parts, signers, past)
    this.#exitPosting = new ExitPosting({
      ...parts,
      send: (shareIndex, exits) => relayer.postExitSignatures(shareIndex, exits),
    })
    this.#validatorPosting = new ExitPosting({
      ...parts,
      send: (shareIndex, signed) => validators.post(shareIndex, signed.map(toShares)),
    })
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
   * One pass over what is wanted: exits with their deposits where the relayer asks for both, exits alone else.
   * @throws RelayerError, UnavailableError where the relayer refuses or is away
   */
  async round(signal: AbortSignal): Promise<void> {
    const { signers } = this.#parts
    const { validators, exits } = await this.#listed()
    const deposits = signers
      .flatMap((signer) => wantedDepositsOf(signer, validators))
      .filter((wanted) => !this.#validatorPosting.isHeldBack(wanted))
    const { signed: made, refused } = await this.#deposits.sign(deposits)
    const depositOf = new Map(made.map((deposit) => [nodeAndKey(deposit.wanted), deposit]))
    const settled = new Set([...depositOf.keys(), ...refused.map(nodeAndKey)])
    const alone = signers
      .flatMap((signer) => wantedOf(signer, exits))
      .filter((exit) => !settled.has(nodeAndKey(exit)) && !this.#exitPosting.isHeldBack(exit))
    const signed = await this.#signing.sign([...made.map(({ wanted }) => wanted), ...alone], signal)
    const together = signed.flatMap((exit) => {
      const deposit = depositOf.get(nodeAndKey(exit))
      return deposit === undefined ? [] : { ...exit, deposit }
    })
    const failures: unknown[] = []
    for (const signer of signers) {
      const isOwn = (exit: SignedExit) => exit.signer === signer
      const exitsAlone = signed.filter((exit) => isOwn(exit) && !depositOf.has(nodeAndKey(exit)))
      // One node may be refused where another is not.
      await this.#postValidators(signer, together.filter(isOwn)).catch((error) => failures.push(error))
      await this.#postExits(signer, exitsAlone).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  /** What is wanted in both dialects; a relayer of dialect 2 alone has no `GET /exits`. */
  async #listed(): Promise<{ validators: readonly PublishedValidator[]; exits: readonly PublishedExit[] }> {
    const { relayer, validators } = this.#parts
    const wanted = await validators.wanted()
    try {
      return { validators: wanted ?? [], exits: await relayer.exits() }
    } catch (error) {
      const hasNoExits = error instanceof RelayerError && error.status === 404
      if (!hasNoExits || wanted === undefined) throw error
      return { validators: wanted, exits: [] }
    }
  }

  async #postExits(signer: ExitSigner, exits: readonly SignedExit[]): Promise<void> {
    const rejected = await this.#exitPosting.post(exits)
    for (const exit of rejected) this.#signing.forget(exit)
    this.#tellPosted(signer, 'exit share', exits, rejected)
  }

  async #postValidators(signer: ExitSigner, validators: readonly SignedValidator[]): Promise<void> {
    const rejected = await this.#validatorPosting.post(validators)
    for (const validator of rejected) {
      this.#signing.forget(validator)
      this.#deposits.forget(validator.deposit.wanted)
    }
    this.#tellPosted(signer, 'exit and deposit share', validators, rejected)
  }

  #tellPosted(
    { name }: ExitSigner,
    what: string,
    exits: readonly SignedExit[],
    rejected: readonly SignedExit[],
  ): void {
    const accepted = exits.filter((exit) => !rejected.includes(exit))
    const first = accepted.filter((exit) => this.#posted.begins(`${exit.signer.shareIndex}/${exitId(exit)}`))
    const { logger } = this.#parts
    if (first.length > 0) logger.info(`${name}: posted ${counted(first.length, what)}`)
    const again = accepted.length - first.length
    if (again > 0) logger.debug(`${name}: posted ${counted(again, what)} again`)
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
    if (this.#troubles.ends('relayer')) {
      logger.info(`the relayer ${relayer.shown} is back`)
      this.#parts.validators.askAgain()
    }
    return true
  }
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
