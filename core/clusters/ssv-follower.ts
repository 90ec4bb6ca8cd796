/**
 * Follows SSVNetwork: reads its logs up to the finalized block, keeps those that count with a checkpoint,
 * and knows from them who holds which key share. The state is made from the kept logs, so a crash loses at
 * most one page of reading, and a step back needs no undoing.
 */
import { setImmediate } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { Backoff } from '../backoff.js'
import type { LogRangeLimits } from '../clients/log-ranges.js'
import { type Clock, systemClock } from '../clock.js'
import { Conditions } from '../conditions.js'
import { ConfigurationError, describeError } from '../errors.js'
import type { Hex, PublicKeyHex } from '../hex.js'
import type { Logger } from '../log.js'
import type { SsvChain } from './ssv-chain.js'
import { reportOutcomes } from './ssv-log-lines.js'
import { SsvProjection, worthKeeping } from './ssv-projection.js'
import { byPosition, positionOf, type SsvPage, SsvReader } from './ssv-reader.js'
import type { Outcome, SsvValidator, Viewpoint } from './ssv-rules.js'
import { LeftOutSearch } from './ssv-search.js'
import { CHECKPOINTS_KEPT, type Checkpoint, type KeptLog, type SsvSchema, SsvStore } from './ssv-store.js'

export interface SsvFollowerParts {
  readonly chain: SsvChain
  /** SSVNetwork and the block that it was made in. */
  readonly contract: { readonly address: Hex; readonly block: number }
  readonly database: Kysely<SsvSchema>
  /** At least one; logs are read for the owners that they name, or for all where one of them names none. */
  readonly viewpoints: readonly Viewpoint[]
  readonly logger: Logger
  /** Milliseconds between two looks at the chain. */
  readonly pollInterval: number
  readonly clock?: Clock
  readonly random?: () => number
  readonly ranges?: LogRangeLimits
  /** Told of every event when it is first read, in the chain's order. */
  readonly onEvent?: (log: KeptLog, outcomes: ReadonlyMap<Viewpoint, Outcome>) => void
}

/** Work done without letting anything else run, milliseconds. */
const LONGEST_TURN = 20
const PROGRESS_INTERVAL = 10_000
const LONGEST_PAUSE = 60_000

export class SsvFollower {
  readonly #parts: SsvFollowerParts
  readonly #clock: Clock
  readonly #store: SsvStore
  readonly #reader: SsvReader
  readonly #search: LeftOutSearch
  readonly #pause: Backoff
  readonly #troubles = new Conditions()
  readonly #listeners: (() => void)[] = []
  #published = new Map<Viewpoint, ReadonlyMap<PublicKeyHex, SsvValidator>>()
  #projection: SsvProjection
  #checkpoint: Checkpoint | undefined
  /** The projection does not stand at the checkpoint: it is made anew from the kept logs. */
  #stale = true
  #caughtUp = false
  #saidProgressAt = 0

  constructor(parts: SsvFollowerParts) {
    const { viewpoints, database, chain, contract, logger, ranges } = parts
    const owners = commonOwners(viewpoints)
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    this.#store = new SsvStore(database, describeFollowed(contract.address, viewpoints))
    this.#reader = new SsvReader({
      chain,
      address: contract.address,
      logger,
      ...(owners === undefined ? {} : { owners }),
      ...(ranges === undefined ? {} : { ranges }),
    })
    this.#search = new LeftOutSearch({ reader: this.#reader, store: this.#store, logger, viewpoints })
    this.#projection = new SsvProjection(viewpoints)
    this.#pause = new Backoff(Math.min(1000, parts.pollInterval), LONGEST_PAUSE, parts.random)
  }

  /**
   * The validators that a viewpoint knows as of the last complete reading, those that can never be signed
   * for included (see usable).
   */
  validators(viewpoint: Viewpoint): ReadonlyMap<PublicKeyHex, SsvValidator> {
    return this.#published.get(viewpoint) ?? new Map()
  }

  /** Calls the listener after a reading that added, removed or replaced validators. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Reads up to the finalized block, waiting with growing pauses for as long as the node cannot be read.
   * @returns whether it got there before the signal was aborted
   * @throws ConfigurationError where waiting does not help, for example WRONG_NETWORK
   */
  async catchUp(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const error = await this.#attempt(signal)
      if (error === undefined) return !signal.aborted
      if (error instanceof ConfigurationError) throw error
      await this.#clock.sleep(this.#pause.next(), signal)
    }
    return false
  }

  /** Follows the chain until the signal is aborted. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = await this.#attempt(signal)
      await this.#clock.sleep(error === undefined ? this.#parts.pollInterval : this.#pause.next(), signal)
    }
  }

  /**
   * Reads up to the finalized block, or until the signal is aborted.
   * @throws UnavailableError, DvtExitError RPC_ERROR, CHECKPOINT_MOVED: to be tried again later
   */
  async sync(signal: AbortSignal): Promise<void> {
    const finalized = await this.#reader.block('finalized')
    while (!signal.aborted) {
      if (this.#stale) await this.#load()
      if (this.#checkpoint !== undefined && this.#checkpoint.number <= finalized.number) {
        if (await this.#stepBack(this.#checkpoint)) continue
      }
      const from = this.#checkpoint === undefined ? this.#start : this.#checkpoint.number + 1n
      if (from > finalized.number) return this.#publish()
      this.#sayProgress(from, finalized.number)
      await this.#take(await this.#reader.page(from, finalized.number))
    }
  }

  get #start(): bigint {
    return BigInt(this.#parts.contract.block)
  }

  /** What went wrong, said once as long as it lasts. */
  async #attempt(signal: AbortSignal): Promise<unknown> {
    const { logger } = this.#parts
    try {
      await this.sync(signal)
    } catch (error) {
      if (error instanceof ConfigurationError && !this.#caughtUp) return error
      const text = describeError(error)
      if (this.#troubles.begins('chain', text)) {
        logger.warn(`cannot follow SSVNetwork, trying again until it works: ${text}`)
      }
      return error
    }
    this.#pause.reset()
    if (this.#troubles.ends('chain')) logger.info('SSVNetwork can be followed again')
    return undefined
  }

  /** Makes the projection from the kept logs up to the newest checkpoint. */
  async #load(): Promise<void> {
    const [checkpoint] = await this.#store.checkpoints(1)
    const projection = new SsvProjection(this.#parts.viewpoints)
    if (checkpoint !== undefined) {
      const turn = new Turn()
      for (const log of await this.#store.logs(0n, checkpoint.number)) {
        await turn.yield()
        projection.apply(log)
      }
    }
    this.#projection = projection
    this.#checkpoint = checkpoint
    this.#stale = false
  }

  /** Where the checkpoint is no longer on the chain: goes back to one that is, or to the start. */
  async #stepBack(checkpoint: Checkpoint): Promise<boolean> {
    if ((await this.#reader.block(checkpoint.number)).hash === checkpoint.hash) return false
    const standing = await this.#newestStanding()
    this.#parts.logger.warn(
      { block: checkpoint.number.toString() },
      `the chain was reorganised: reading SSVNetwork again from block ${standing === undefined ? this.#start : standing.number + 1n}`,
    )
    this.#stale = true
    await this.#store.forgetAfter(standing)
    return true
  }

  /** The newest checkpoint that is on the chain, looked for in steps that double. */
  async #newestStanding(): Promise<Checkpoint | undefined> {
    const checkpoints = await this.#store.checkpoints(CHECKPOINTS_KEPT)
    for (let i = 1; i < checkpoints.length; i = 2 * i + 1) {
      const candidate = checkpoints[i]
      if (candidate === undefined) return undefined
      if ((await this.#reader.block(candidate.number)).hash === candidate.hash) return candidate
    }
    return undefined
  }

  /** Applies a page and keeps it with its checkpoint. */
  async #take(page: SsvPage): Promise<void> {
    const { logger, onEvent } = this.#parts
    const logs = withLeftOut(page.logs, await this.#store.logs(page.from, page.end.number))
    const kept: KeptLog[] = []
    const turn = new Turn()
    this.#stale = true
    for (const log of logs) {
      await turn.yield()
      const outcomes = this.#projection.apply(log)
      const later = [...outcomes.values()].find(({ laterNonce }) => laterNonce !== undefined)?.laterNonce
      if (later !== undefined && log.event.name === 'ValidatorAdded') {
        const found = await this.#search.run({
          log,
          owner: log.event.owner,
          later,
          counted: this.#projection.nonceOf(log.event.owner) - 1,
          from: this.#projection.countedRightAt(log.event.owner) ?? this.#start,
          page: logs,
          checkpoint: this.#checkpoint,
        })
        if (found) return
      }
      reportOutcomes(logger, log, outcomes, this.#caughtUp)
      onEvent?.(log, outcomes)
      const worth = worthKeeping(log, outcomes.values())
      if (worth !== undefined) kept.push(worth)
    }
    await this.#store.append(kept, { expected: this.#checkpoint, checkpoint: page.end })
    this.#checkpoint = page.end
    this.#stale = false
  }

  #publish(): void {
    const { viewpoints } = this.#parts
    const before = this.#published
    this.#published = new Map(
      viewpoints.map((viewpoint) => [viewpoint, this.#projection.validators(viewpoint)]),
    )
    this.#caughtUp = true
    const same = viewpoints.every((viewpoint) =>
      sameValidators(before.get(viewpoint), this.validators(viewpoint)),
    )
    if (!same) for (const listener of this.#listeners) listener()
  }

  #sayProgress(from: bigint, last: bigint): void {
    const now = this.#clock.now()
    if (now - this.#saidProgressAt < PROGRESS_INTERVAL || from === last) return
    this.#saidProgressAt = now
    const span = last - this.#start
    const done = span <= 0n ? 100 : Number((100n * (from - this.#start)) / span)
    this.#parts.logger.info(`reading SSVNetwork's events: block ${from} of ${last} (${done} %)`)
  }
}

/** The owners that all viewpoints together are about; undefined where one of them is about all. */
function commonOwners(viewpoints: readonly Viewpoint[]): ReadonlySet<Hex> | undefined {
  const owners = new Set<Hex>()
  for (const viewpoint of viewpoints) {
    if (viewpoint.owners === undefined) return undefined
    for (const owner of viewpoint.owners) owners.add(owner)
  }
  return owners
}

/** What is followed, as one text: another set of operators or owners keeps other logs. */
function describeFollowed(address: Hex, viewpoints: readonly Viewpoint[]): string {
  const each = viewpoints.map(({ operatorId, owners }) => {
    const of = owners === undefined ? 'all owners' : [...owners].sort().join(',')
    return `${operatorId === undefined ? 'public shares' : `operator ${operatorId}`} of ${of}`
  })
  return [address.toLowerCase(), ...each.sort()].join('; ')
}

/** The page's logs and those that an earlier search found in its blocks, in the chain's order. */
function withLeftOut(page: readonly KeptLog[], found: readonly KeptLog[]): readonly KeptLog[] {
  const read = new Set(page.map(positionOf))
  const more = found.filter((log) => !read.has(positionOf(log)))
  return more.length === 0 ? page : [...page, ...more].sort(byPosition)
}

function sameValidators(
  before: ReadonlyMap<PublicKeyHex, SsvValidator> | undefined,
  after: ReadonlyMap<PublicKeyHex, SsvValidator>,
): boolean {
  if ((before?.size ?? 0) !== after.size) return false
  return [...after].every(([publicKey, validator]) => before?.get(publicKey) === validator)
}

/** Lets timers and requests run between pieces of long work. */
class Turn {
  #began = performance.now()

  async yield(): Promise<void> {
    if (performance.now() - this.#began < LONGEST_TURN) return
    await setImmediate()
    this.#began = performance.now()
  }
}
