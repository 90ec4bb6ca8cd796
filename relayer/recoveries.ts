/**
 * The work on messages that have shares and no signature, one message at a time on each thread. Nothing here is
 * remembered but what waits: all of it is found again in the store after a restart.
 */
import { setImmediate } from 'node:timers/promises'
import { describeError } from '../core/errors.js'
import { fromHex, shorten } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import type { OraclesSource } from '../core/oracles/source.js'
import { isDatabaseTrouble } from '../core/storage/database-trouble.js'
import type { ExitCrypto, SignatureToMake } from './crypto/exit-crypto.js'
import { isExit, isSameKind } from './exits/message.js'
import { type NextStep, nextStep } from './exits/next-step.js'
import { lastAskedFor, type MessageId, messageName, type OpenShare } from './exits/records.js'
import type { Sharings } from './exits/sharings.js'
import type { SigningRoots } from './exits/signing-roots.js'
import { subsetsToTry } from './exits/subsets.js'
import { publicSharesAt } from './exits/triage.js'
import type { ExitMetrics } from './metrics.js'
import { currentOracles, goalOf, type RecoveryGoal } from './recovery-goal.js'
import type { ExitStore } from './store/exit-store.js'

/** Subsets in one task of a thread: at most a few tenths of a second. */
const SUBSETS_PER_TASK = 128
/** Milliseconds before work that failed unexpectedly is taken up again. */
const RETRY_DELAY = 30_000

export interface RecoveryParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly oracles: OraclesSource
  readonly sharings: Sharings
  readonly signingRoots: SigningRoots
  /** SIGNATURE_THRESHOLD: for keys without known sharing. */
  readonly signatureThreshold: number | undefined
  /** Subsets tried in one round of an exit; a new share begins a further round. */
  readonly mostTrials: number
  /** Exits worked on at once. */
  readonly concurrency: number
  readonly logger: Logger
  readonly metrics: ExitMetrics
  /** Called after each stored change. */
  readonly onChange: () => void
}

type Step<K extends NextStep<OpenShare>['kind']> = Extract<NextStep<OpenShare>, { kind: K }>

export class Recoveries {
  readonly #parts: RecoveryParts
  readonly #waiting = new Map<string, MessageId>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  /** Takes up a message whose shares changed. */
  enqueue(wanted: MessageId): void {
    if (this.#closed) return
    this.#waiting.set(messageName(wanted), { publicKey: wanted.publicKey, message: wanted.message })
    this.#startNext()
  }

  /** Takes up every message that is not finished: at the start, and when oracles or public shares changed. */
  async resume(): Promise<void> {
    const config = await currentOracles(this.#parts.oracles)
    for (const wanted of await this.#parts.store.unfinished(config?.setHash)) this.enqueue(wanted)
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  /** Leaves what waits to the next start, and resolves when what runs has come to its end. */
  async close(): Promise<void> {
    this.#closed = true
    this.#waiting.clear()
    for (const timer of this.#retries) clearTimeout(timer)
    await this.idle()
  }

  #startNext(): void {
    for (const [name, wanted] of this.#waiting) {
      if (this.#running.size >= this.#parts.concurrency) return
      if (this.#running.has(name)) continue
      this.#waiting.delete(name)
      const work = this.#work(wanted).finally(() => {
        this.#running.delete(name)
        this.#startNext()
      })
      this.#running.set(name, work)
    }
  }

  async #work(wanted: MessageId): Promise<void> {
    try {
      for (;;) {
        // The store answers without a pause: requests must get their turn between two steps.
        await setImmediate()
        if (this.#closed || !(await this.#takeStep(wanted))) return
        this.#parts.onChange()
      }
    } catch (error) {
      // Of the database's troubles its watch tells, once.
      this.#parts.logger[isDatabaseTrouble(error) ? 'debug' : 'error'](
        { ...wanted, error: describeError(error) },
        'recovery failed, trying again later',
      )
      const timer = setTimeout(() => {
        this.#retries.delete(timer)
        this.enqueue(wanted)
      }, RETRY_DELAY)
      this.#retries.add(timer)
    }
  }

  /** Takes the next step of a message. @returns whether anything changed, so that there may be a further one */
  async #takeStep(wanted: MessageId): Promise<boolean> {
    const { store, sharings, signatureThreshold } = this.#parts
    const goal = await goalOf(wanted, this.#parts)
    if (goal === undefined) return false
    const shares = await store.openSharesOf(wanted)
    const step = nextStep(shares, sharings.of(wanted.publicKey), signatureThreshold)
    switch (step.kind) {
      case 'wait':
        return false
      case 'verify':
        await this.#verify(wanted, step)
        return true
      case 'recover':
        await this.#recover(wanted, step, goal)
        return true
      case 'try':
        return (await this.#isShown(wanted)) && (await this.#try(wanted, step, goal))
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
      await store.settle(wanted, goal.settlement(made))
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

  /** Tries subsets of unproven shares. @returns false where the process stops before the end */
  async #try(wanted: MessageId, step: Step<'try'>, goal: RecoveryGoal): Promise<boolean> {
    const { store, crypto, metrics, mostTrials, logger } = this.#parts
    const timer = metrics.recoverySeconds.startTimer({ way: 'try' })
    const candidates = step.shares.map(({ shareIndex, state }) => ({ shareIndex, tried: state === 'tried' }))
    const job = this.#toMake(wanted, step, goal)
    for (const subsets of inChunks(subsetsToTry(candidates, step.threshold), SUBSETS_PER_TASK, mostTrials)) {
      if (this.#closed) return false
      if (subsets.length === 0) {
        logger.warn(
          { publicKey: wanted.publicKey, shares: step.shares.length },
          `too many subsets of shares to try them all: give the relayer this validator’s cluster lock`,
        )
        break
      }
      const trial = await crypto.trySubsets({ ...job, subsets })
      metrics.trials.inc(subsets.length)
      if (trial.outcome === 'failed') continue
      const at = (positions: readonly number[]) => positions.flatMap((i) => step.shares[i] ?? [])
      await store.settle(wanted, {
        ...goal.settlement(trial.made),
        proven: at(trial.right).map((share) => ({ share, verifiedUnder: null })),
        wrong: at(trial.wrong),
      })
      timer()
      this.#reportReady(wanted, at(trial.right))
      this.#reportWrong(at(trial.wrong))
      return true
    }
    await store.settle(wanted, { tried: step.shares })
    metrics.unlistedShares.inc(step.shares.filter((share) => share.listed).length)
    logger.warn(
      { ...wanted, shareIndexes: indexesOf(step.shares) },
      'no subset of the shares makes the signature: sidecars are asked to post again',
    )
    return true
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
    for (const { publicKey, message, shareIndex } of shares) {
      this.#parts.logger.warn(
        { shareIndex: String(shareIndex), publicKey: shorten(publicKey), message },
        'stored share is wrong and was dropped',
      )
    }
  }
}

function indexesOf(shares: readonly OpenShare[]): string {
  return shares.map((share) => share.shareIndex).join(',')
}

/** Items in chunks, `most` of them in all; an empty chunk at the end tells that there were more. */
function* inChunks<T>(items: Iterable<T>, size: number, most: number): Generator<T[]> {
  let chunk: T[] = []
  let count = 0
  for (const item of items) {
    if (count++ === most) {
      if (chunk.length > 0) yield chunk
      yield []
      return
    }
    chunk.push(item)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}
