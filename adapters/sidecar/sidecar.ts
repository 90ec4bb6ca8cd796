/** The sidecar's loop, the same for every vendor: wanted exits → signatures → relayer. */
import { Backoff } from '../../core/backoff.js'
import type { PublishedExit, RelayerClient } from '../../core/clients/relayer.js'
import { isCallNotThere, RelayerError } from '../../core/clients/relayer-errors.js'
import type {
  PublishedValidator,
  RelayerValidators,
  ValidatorShares,
} from '../../core/clients/relayer-validators.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { ConfigurationError, DvtExitError, describeError, UnavailableError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'
import type { AuditLog, PastEntry } from './audit-log.js'
import { AuditWriter } from './audit-writer.js'
import { DepositSigning, type SignedValidator, type WantedValidator } from './deposit-signing.js'
import type { ExitCheckRules } from './exit-check.js'
import { ExitSigning, type SignedExit, shareId, type WantedExit } from './exit-signing.js'
import { SharePosting } from './share-posting.js'
import { wantedExits, wantedValidators } from './wanted.js'

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
  readonly #exits: ExitSigning
  readonly #deposits: DepositSigning
  readonly #exitPosting: SharePosting<SignedExit>
  readonly #validatorPosting: SharePosting<SignedValidator>
  readonly #pause: Backoff
  readonly #troubles = new Conditions()
  readonly #posted = new Conditions()

  constructor(parts: SidecarParts) {
    this.#parts = parts
    const { signers, past, relayer, validators } = parts
    const audit = new AuditWriter(parts.audit, parts.logger)
    this.#exits = new ExitSigning(parts, audit, signers, past)
    this.#deposits = new DepositSigning(parts, audit, signers, past)
    this.#exitPosting = new SharePosting({
      ...parts,
      send: (shareIndex, exits) => relayer.postExitSignatures(shareIndex, exits),
    })
    this.#validatorPosting = new SharePosting({
      ...parts,
      send: (shareIndex, signed) => validators.post(shareIndex, toShares(signed)),
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
   * One pass over what is wanted. A deposit is signed only beside its exit, after the exit passed every check.
   * @throws RelayerError, UnavailableError where the relayer refuses or is away
   */
  async round(signal: AbortSignal): Promise<void> {
    const { together, alone } = await this.#wanted()
    const signed = await this.#exits.sign([...together, ...alone], signal)
    const exits = new Map(signed.map((exit) => [shareId(exit), exit]))
    const complete = await this.#deposits.sign(together.flatMap((validator) => withExit(validator, exits)))
    await this.#post(
      complete,
      alone.flatMap((exit) => withExit(exit, exits)),
    )
  }

  /**
   * What is to be signed now: validators whose deposits may be signed, of which the exit is wanted too, and the
   * exits that the relayer asks for alone or whose deposits nobody said anything about.
   */
  async #wanted(): Promise<{ together: readonly WantedValidator[]; alone: readonly WantedExit[] }> {
    const { signers } = this.#parts
    const { validators, exits } = await this.#listed()
    const { admitted: together, barred } = await this.#deposits.admit(
      signers.flatMap((signer) => wantedValidators(signer, validators)),
    )
    const names = new Set([...together, ...barred].map(shareId))
    const alone = signers
      .flatMap((signer) => wantedExits(signer, exits))
      .filter((exit) => !names.has(shareId(exit)))
    return {
      together: together.filter((validator) => !this.#validatorPosting.isHeldBack(validator)),
      alone: alone.filter((exit) => !this.#exitPosting.isHeldBack(exit)),
    }
  }

  /** Both lists of the relayer: one of dialect 1 has no `GET /validators`, one of dialect 2 alone no `GET /exits`. */
  async #listed(): Promise<{ validators: readonly PublishedValidator[]; exits: readonly PublishedExit[] }> {
    const { relayer, validators } = this.#parts
    const wanted = await validators.wanted()
    try {
      return { validators: wanted ?? [], exits: await relayer.exits() }
    } catch (error) {
      if (wanted === undefined || !isCallNotThere(error)) throw error
      return { validators: wanted, exits: [] }
    }
  }

  /** Each node's shares. One node may be refused where another is not. */
  async #post(validators: readonly SignedValidator[], exits: readonly SignedExit[]): Promise<void> {
    const failures: unknown[] = []
    for (const signer of this.#parts.signers) {
      const isOwn = (exit: SignedExit) => exit.signer === signer
      await this.#postValidators(signer, validators.filter(isOwn)).catch((error) => failures.push(error))
      await this.#postExits(signer, exits.filter(isOwn)).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #postExits(signer: ExitSigner, exits: readonly SignedExit[]): Promise<void> {
    const rejected = await this.#exitPosting.post(exits)
    for (const exit of rejected) this.#exits.forget(exit)
    this.#tellPosted(signer, 'exit share', exits, rejected)
  }

  async #postValidators(signer: ExitSigner, validators: readonly SignedValidator[]): Promise<void> {
    const rejected = await this.#validatorPosting.post(validators)
    for (const validator of rejected) {
      this.#exits.forget(validator)
      this.#deposits.forget(validator)
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
    const first = accepted.filter((exit) => this.#posted.begins(`${what} ${shareId(exit)}`))
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
      // Another one may stand there when it is back.
      this.#parts.validators.askAgain()
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

/** What is wanted with the exit's signature, where that was made. */
function withExit<T extends WantedExit>(
  wanted: T,
  exits: ReadonlyMap<string, SignedExit>,
): (T & { readonly signature: Uint8Array })[] {
  const exit = exits.get(shareId(wanted))
  return exit === undefined ? [] : [{ ...wanted, signature: exit.signature }]
}

/** One node's shares as they are posted, with the public shares of all nodes of the cluster. */
function toShares(signed: readonly SignedValidator[]): ValidatorShares[] {
  const held = signed[0]?.signer.validators()
  return signed.flatMap(({ publicKey, signature, depositSignature }) => {
    const publicShares = held?.get(publicKey)?.shares
    if (publicShares === undefined) return []
    return [{ publicKey, exitSignature: signature, depositSignature, publicShares }]
  })
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
