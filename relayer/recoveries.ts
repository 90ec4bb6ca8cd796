/**
 * The work on exits that have shares and no oracle parts, one exit at a time on each thread. Nothing here is
 * remembered but what waits: all of it is found again in the store after a restart.
 */
import { setImmediate } from 'node:timers/promises'
import { describeError, UnavailableError } from '../core/errors.js'
import { fromHex, type Hex, shorten, toHex } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import type { ProtocolConfig } from '../core/oracles/protocol-config.js'
import type { OraclesSource } from '../core/oracles/source.js'
import type { ExitCrypto, ExitToSplit, SealedParts } from './crypto/exit-crypto.js'
import { type NextStep, nextStep } from './exits/next-step.js'
import { type ExitId, exitName, lastAskedFor, type OpenShare } from './exits/records.js'
import type { OracleShares } from './exits/service.js'
import type { Sharings } from './exits/sharings.js'
import type { SigningRoots } from './exits/signing-roots.js'
import { subsetsToTry } from './exits/subsets.js'
import { publicSharesAt } from './exits/triage.js'
import type { ExitMetrics } from './metrics.js'
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
  readonly #waiting = new Map<string, ExitId>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  /** Takes up an exit whose shares changed. */
  enqueue(exit: ExitId): void {
    if (this.#closed) return
    this.#waiting.set(exitName(exit), { publicKey: exit.publicKey, validatorIndex: exit.validatorIndex })
    this.#startNext()
  }

  /** Takes up every exit that is not finished: at the start, and when oracles or public shares changed. */
  async resume(): Promise<void> {
    const config = await this.#currentOracles()
    if (config === undefined) return
    for (const exit of await this.#parts.store.unfinished(config.setHash)) this.enqueue(exit)
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
    for (const [name, exit] of this.#waiting) {
      if (this.#running.size >= this.#parts.concurrency) return
      if (this.#running.has(name)) continue
      this.#waiting.delete(name)
      const work = this.#work(exit).finally(() => {
        this.#running.delete(name)
        this.#startNext()
      })
      this.#running.set(name, work)
    }
  }

  async #work(exit: ExitId): Promise<void> {
    try {
      for (;;) {
        // The store answers without a pause: requests must get their turn between two steps.
        await setImmediate()
        if (this.#closed || !(await this.#takeStep(exit))) return
        this.#parts.onChange()
      }
    } catch (error) {
      const { publicKey, validatorIndex } = exit
      this.#parts.logger.error(
        { publicKey, validatorIndex, error: describeError(error) },
        'recovery failed, trying again later',
      )
      const timer = setTimeout(() => {
        this.#retries.delete(timer)
        this.enqueue(exit)
      }, RETRY_DELAY)
      this.#retries.add(timer)
    }
  }

  /** Takes the next step of an exit. @returns whether anything changed, so that there may be a further one */
  async #takeStep(exit: ExitId): Promise<boolean> {
    const { store, sharings, signatureThreshold } = this.#parts
    const config = await this.#currentOracles()
    if (config === undefined) return false
    const parts = await store.partsOf([exit.publicKey], config.setHash)
    if (parts.has(exitName(exit))) return false
    const shares = await store.openSharesOf(exit)
    const step = nextStep(shares, sharings.of(exit.publicKey), signatureThreshold)
    switch (step.kind) {
      case 'wait':
        return false
      case 'verify':
        await this.#verify(exit, step)
        return true
      case 'recover':
        await this.#recover(exit, step, config)
        return true
      case 'try':
        return (await this.#isShown(exit)) && (await this.#try(exit, step, config))
    }
  }

  /** Checks shares that came before their public shares were known. */
  async #verify(exit: ExitId, { shares }: Step<'verify'>): Promise<void> {
    const message = this.#parts.signingRoots.of(exit)
    const sharings = this.#parts.sharings.of(exit.publicKey)
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
    await this.#parts.store.settle(exit, {
      proven: judged.flatMap(({ share, verifiedUnder }) =>
        verifiedUnder === undefined ? [] : { share, verifiedUnder },
      ),
      wrong,
    })
    this.#reportWrong(wrong)
  }

  /** Makes the signature from right shares and splits it. */
  async #recover(exit: ExitId, step: Step<'recover'>, config: ProtocolConfig): Promise<void> {
    const { store, crypto, sharings, logger } = this.#parts
    const timer = this.#parts.metrics.recoverySeconds.startTimer({ way: 'recover' })
    const parts = await crypto.splitExit(this.#toSplit(exit, step, config))
    if (parts !== null) {
      await store.settle(exit, { parts: toOracleShares(parts, config.setHash) })
      timer()
      this.#reportReady(exit, step.shares)
    } else if (step.sharing !== undefined) {
      sharings.distrust(step.sharing)
      logger.error(
        { publicKey: exit.publicKey, source: step.sharing.source },
        'the public shares of this cluster belong to another key: they are ignored',
      )
    } else {
      await store.settle(exit, { unproven: step.shares })
    }
  }

  /** Tries subsets of unproven shares. @returns false where the process stops before the end */
  async #try(exit: ExitId, step: Step<'try'>, config: ProtocolConfig): Promise<boolean> {
    const { store, crypto, metrics, mostTrials, logger } = this.#parts
    const timer = metrics.recoverySeconds.startTimer({ way: 'try' })
    const candidates = step.shares.map(({ shareIndex, state }) => ({ shareIndex, tried: state === 'tried' }))
    const job = this.#toSplit(exit, step, config)
    for (const subsets of inChunks(subsetsToTry(candidates, step.threshold), SUBSETS_PER_TASK, mostTrials)) {
      if (this.#closed) return false
      if (subsets.length === 0) {
        logger.warn(
          { publicKey: exit.publicKey, shares: step.shares.length },
          `too many subsets of shares to try them all: give the relayer this validator’s cluster lock`,
        )
        break
      }
      const trial = await crypto.trySubsets({ ...job, subsets })
      metrics.trials.inc(subsets.length)
      if (trial.outcome === 'failed') continue
      const at = (positions: readonly number[]) => positions.flatMap((i) => step.shares[i] ?? [])
      await store.settle(exit, {
        parts: toOracleShares(trial.parts, config.setHash),
        proven: at(trial.right).map((share) => ({ share, verifiedUnder: null })),
        wrong: at(trial.wrong),
      })
      timer()
      this.#reportReady(exit, at(trial.right))
      this.#reportWrong(at(trial.wrong))
      return true
    }
    await store.settle(exit, { tried: step.shares })
    metrics.unlistedShares.inc(step.shares.filter((share) => share.listed).length)
    logger.warn(
      { ...exit, shareIndexes: indexesOf(step.shares) },
      'no subset of the shares makes the exit signature: sidecars are asked to post again',
    )
    return true
  }

  #toSplit(exit: ExitId, step: Step<'recover' | 'try'>, config: ProtocolConfig): ExitToSplit {
    return {
      publicKey: fromHex(exit.publicKey, 48),
      message: this.#parts.signingRoots.of(exit),
      shares: step.shares.map(({ shareIndex, signature }) => ({ index: shareIndex, signature })),
      threshold: step.threshold,
      oracles: {
        publicKeys: config.oracles.map((oracle) => oracle.publicKey),
        threshold: config.exitSignatureRecoverThreshold,
      },
    }
  }

  /** Trials are for the exit that is asked for; the key's others wait until they are asked for again. */
  async #isShown(exit: ExitId): Promise<boolean> {
    const shown = lastAskedFor(await this.#parts.store.exitsOf([exit.publicKey]))
    return shown?.validatorIndex === exit.validatorIndex
  }

  async #currentOracles(): Promise<ProtocolConfig | undefined> {
    try {
      return await this.#parts.oracles.current()
    } catch (error) {
      if (error instanceof UnavailableError) return undefined
      throw error
    }
  }

  #reportReady(exit: ExitId, shares: readonly OpenShare[]): void {
    this.#parts.metrics.readyExits.inc()
    this.#parts.logger.info({ ...exit, shareIndexes: indexesOf(shares) }, 'exit signature ready')
  }

  #reportWrong(shares: readonly OpenShare[]): void {
    this.#parts.metrics.disprovenShares.inc(shares.length)
    for (const { publicKey, validatorIndex, shareIndex } of shares) {
      this.#parts.logger.warn(
        { shareIndex: String(shareIndex), publicKey: shorten(publicKey), validatorIndex },
        'stored share is wrong and was dropped',
      )
    }
  }
}

function toOracleShares(parts: SealedParts, setHash: Hex): OracleShares & { readonly setHash: Hex } {
  return {
    setHash,
    publicKeys: parts.publicKeys.map(toHex),
    encryptedExitSignatures: parts.sealed.map(toHex),
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
