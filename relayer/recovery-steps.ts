/** The steps of the work on one message: check, recover, try, and what is stored of each. */
import { Conditions } from '../core/conditions.js'
import { fromHex, shorten } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import type { OraclesSource } from '../core/oracles/source.js'
import type { ExitCrypto, SignatureToMake } from './crypto/exit-crypto.js'
import { isExit, isSameKind } from './exits/message.js'
import { isProvenBySignature, type NextStep, nextStep } from './exits/next-step.js'
import { lastAskedFor, type MessageId, messageName, type OpenShare } from './exits/records.js'
import type { Sharings } from './exits/sharings.js'
import type { SigningRoots } from './exits/signing-roots.js'
import { publicSharesAt } from './exits/triage.js'
import type { ExitMetrics } from './metrics.js'
import { goalOf, type RecoveryGoal } from './recovery-goal.js'
import type { ExitStore } from './store/exit-store.js'
import type { Trials } from './trials.js'

export interface RecoveryStepParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly oracles: OraclesSource
  readonly sharings: Sharings
  readonly signingRoots: SigningRoots
  /** SIGNATURE_THRESHOLD: for keys without known sharing. */
  readonly signatureThreshold: number | undefined
  readonly trials: Trials
  readonly logger: Logger
  readonly metrics: ExitMetrics
  /** Called after each stored change. */
  readonly onChange: () => void
}

/**
 * What is to follow a step.
 * - done: nothing until something new comes
 * - again: something was stored, and a further step follows at once
 * - later: a further step when others had their turn
 * - postponed: a further step when there is a budget for it
 */
export type Following = 'done' | 'again' | 'later' | 'postponed'

type Step<K extends NextStep<OpenShare>['kind']> = Extract<NextStep<OpenShare>, { kind: K }>

export class RecoverySteps {
  readonly #parts: RecoveryStepParts
  /** Of which messages it was said that there are too many subsets. */
  readonly #told = new Conditions()

  constructor(parts: RecoveryStepParts) {
    this.#parts = parts
  }

  /** Takes the next step of a message. */
  async take(wanted: MessageId): Promise<Following> {
    const { store, sharings, signatureThreshold, trials } = this.#parts
    const goal = await goalOf(wanted, this.#parts)
    if (goal === undefined) {
      trials.forget(wanted)
      return 'done'
    }
    const shares = await store.openSharesOf(wanted)
    const step = nextStep(shares, sharings.of(wanted.publicKey), signatureThreshold)
    switch (step.kind) {
      case 'wait':
        return 'done'
      case 'verify':
        await this.#verify(wanted, step)
        return 'again'
      case 'recover':
        await this.#recover(wanted, step, goal)
        return 'again'
      case 'try':
        return (await this.#isShown(wanted)) ? this.#try(wanted, step, goal) : 'done'
    }
  }

  /** Checks shares that came before their public shares were known. */
  async #verify(wanted: MessageId, { shares }: Step<'verify'>): Promise<void> {
    const message = this.#parts.signingRoots.of(wanted)
    const { sharings } = this.#parts.sharings.of(wanted.publicKey)
    const publicShares = shares.map((share) => publicSharesAt(share.shareIndex, sharings))
    const verdicts = await this.#parts.crypto.checkShares(
      shares.map(({ signature }, i) => ({
        signature,
        alternatives: (publicShares[i] ?? []).map((hex) => ({ message, publicShare: fromHex(hex) })),
      })),
    )
    const judged = shares.map((share, i) => {
      const verdict = verdicts[i]
      const under = verdict?.verdict === 'right' ? publicShares[i]?.[verdict.alternative] : undefined
      return { share, verifiedUnder: under }
    })
    const wrong = judged.filter(({ verifiedUnder }) => verifiedUnder === undefined).map(({ share }) => share)
    await this.#parts.store.settle(wanted, {
      proven: judged.flatMap(({ share, verifiedUnder }) =>
        verifiedUnder === undefined ? [] : { share, verifiedUnder },
      ),
      wrong,
    })
    this.#reportWrong(wrong)
  }

  /** Makes the signature from right shares. */
  async #recover(wanted: MessageId, step: Step<'recover'>, goal: RecoveryGoal): Promise<void> {
    const { store, crypto, sharings, logger } = this.#parts
    const timer = this.#parts.metrics.recoverySeconds.startTimer({ way: 'recover' })
    const made = await crypto.makeSignature(this.#toMake(wanted, step, goal))
    if (made !== null) {
      const doubted = step.shares.filter(({ state, listed }) => state !== 'proven' || !listed)
      await store.settle(wanted, {
        ...goal.settlement(made),
        proven: doubted.map((share) => ({ share, verifiedUnder: share.verifiedUnder })),
      })
      timer()
      this.#reportReady(wanted, step.shares)
    } else if (step.sharing !== undefined) {
      sharings.distrust(step.sharing)
      logger.error(
        { publicKey: wanted.publicKey, source: step.sharing.source },
        'the public shares of this cluster belong to another key: they are ignored',
      )
    } else {
      await store.settle(wanted, { unproven: step.shares })
    }
  }

  /** Tries some subsets of unproven shares. */
  async #try(wanted: MessageId, step: Step<'try'>, goal: RecoveryGoal): Promise<Following> {
    const { store, metrics, logger, trials } = this.#parts
    const timer = metrics.recoverySeconds.startTimer({ way: 'try' })
    const turn = await trials.turn(wanted, step.shares, this.#toMake(wanted, step, goal))
    switch (turn.kind) {
      case 'recovered': {
        const at = (positions: readonly number[]) => positions.flatMap((i) => step.shares[i] ?? [])
        const { made, right, wrong } = turn.trial
        await store.settle(wanted, {
          ...goal.settlement(made),
          proven: at(right).map((share) => ({ share, verifiedUnder: null })),
          disproven: at(wrong),
        })
        timer()
        this.#reportReady(wanted, at(right))
        this.#reportWrong(at(wrong))
        return 'again'
      }
      case 'failed':
        metrics.unlistedShares.inc(step.shares.filter((share) => share.listed).length)
        await store.settle(wanted, { tried: step.shares.filter((share) => !isProvenBySignature(share)) })
        logger.warn(
          { ...wanted, shareIndexes: indexesOf(step.shares) },
          'no subset of the shares makes the signature: sidecars are asked to post again',
        )
        return 'again'
      case 'unfinished':
        await this.#doubt(wanted, step.shares)
        return 'later'
      case 'postponed':
        await this.#doubt(wanted, step.shares)
        if (this.#told.begins(messageName(wanted))) {
          logger.warn(
            { ...wanted, shares: step.shares.length },
            'too many subsets of shares to try them all now: give the relayer this validator’s cluster lock',
          )
        }
        return 'postponed'
    }
  }

  /** What is listed may be the lie that failed: every node is to post beside it. */
  async #doubt(wanted: MessageId, shares: readonly OpenShare[]): Promise<void> {
    const doubted = shares.filter(
      (share) => !isProvenBySignature(share) && (share.listed || !['doubted', 'tried'].includes(share.state)),
    )
    if (doubted.length === 0) return
    this.#parts.metrics.unlistedShares.inc(doubted.filter((share) => share.listed).length)
    await this.#parts.store.settle(wanted, { doubted })
    this.#parts.onChange()
  }

  #toMake(wanted: MessageId, step: Step<'recover' | 'try'>, { oracles }: RecoveryGoal): SignatureToMake {
    return {
      publicKey: fromHex(wanted.publicKey, 48),
      message: this.#parts.signingRoots.of(wanted),
      shares: step.shares.map(({ shareIndex, signature }) => ({ index: shareIndex, signature })),
      threshold: step.threshold,
      oracles,
    }
  }

  /** Trials are for what is asked for; the key's others wait until they are asked for again. */
  async #isShown(wanted: MessageId): Promise<boolean> {
    const messages = await this.#parts.store.messagesOf([wanted.publicKey])
    const shown = lastAskedFor(messages.filter(({ message }) => isSameKind(message, wanted.message)))
    return shown?.message === wanted.message
  }

  #reportReady(wanted: MessageId, shares: readonly OpenShare[]): void {
    if (isExit(wanted.message)) this.#parts.metrics.readyExits.inc()
    const what = isExit(wanted.message) ? 'exit' : 'deposit'
    this.#parts.logger.info({ ...wanted, shareIndexes: indexesOf(shares) }, `${what} signature ready`)
  }

  #reportWrong(shares: readonly OpenShare[]): void {
    this.#parts.metrics.disprovenShares.inc(shares.length)
    for (const { publicKey, message, shareIndex, caller } of shares) {
      this.#parts.logger.warn(
        { shareIndex: String(shareIndex), publicKey: shorten(publicKey), message, caller },
        'stored share is wrong and was dropped',
      )
    }
  }
}

function indexesOf(shares: readonly OpenShare[]): string {
  return shares.map((share) => share.shareIndex).join(',')
}
