/**
 * A registration whose signature is for a later nonce than the one counted means that an endpoint has left
 * logs of the owner out, or that the registration is forged. Only looking again can tell.
 */
import type { Hex } from '../hex.js'
import type { Logger } from '../log.js'
import { positionOf, type SsvReader } from './ssv-reader.js'
import { concerns, type Viewpoint } from './ssv-rules.js'
import type { Checkpoint, KeptLog, SsvStore } from './ssv-store.js'

export interface LeftOutSearchParts {
  readonly reader: SsvReader
  readonly store: SsvStore
  readonly logger: Logger
  readonly viewpoints: readonly Viewpoint[]
}

export interface Suspicion {
  /** The registration in question. */
  readonly log: KeptLog
  readonly owner: Hex
  /** The nonce that its signature is for. */
  readonly later: number
  /** The nonce that was counted. */
  readonly counted: number
  /** The block up to which the owner's nonce is known to be right. */
  readonly from: bigint
  /** The logs of the page being read. */
  readonly page: readonly KeptLog[]
  readonly checkpoint: Checkpoint | undefined
}

/** How often the owner's logs are read again before the registration counts as forged. */
const READINGS = 2
/** How often one registration may send the reading back. */
const STEPS_BACK = 3

export class LeftOutSearch {
  readonly #parts: LeftOutSearchParts
  readonly #stepsBack = new Map<string, number>()

  constructor(parts: LeftOutSearchParts) {
    this.#parts = parts
  }

  /**
   * Looks for the owner's missing logs. A span of blocks is searched once only, whatever comes of it: a
   * forged registration must not make every start a long one.
   * @returns whether some were found: they are kept now, and the reading must go on from the newest checkpoint
   */
  async run(suspicion: Suspicion): Promise<boolean> {
    const { store, reader, logger } = this.#parts
    const { log, owner, later, counted } = suspicion
    const searched = await store.searchedUntil(owner)
    const from = searched === undefined || searched < suspicion.from ? suspicion.from : searched + 1n
    const position = positionOf(log)
    const stepsBack = this.#stepsBack.get(position) ?? 0
    if (from > log.blockNumber || stepsBack >= STEPS_BACK) return false
    const where = { owner, block: log.blockNumber.toString(), log: log.logIndex }
    logger.warn(
      where,
      `a registration is signed for nonce ${later}, ${counted} was counted: reading the owner's again`,
    )
    for (let reading = 0; reading < READINGS; reading++) {
      const found = await reader.registrationsOf(owner, from, log.blockNumber)
      const missing = await this.#missing(found, suspicion, from)
      if (missing.length === 0) continue
      this.#stepsBack.set(position, stepsBack + 1)
      logger.warn(
        where,
        `the execution endpoint had left out ${missing.length} of the owner's logs: reading everything again from there`,
      )
      await store.addLeftOut(missing, await this.#checkpointBefore(missing, suspicion.checkpoint))
      return true
    }
    logger.warn(where, 'no log of the owner is missing: the registration does not count')
    await store.noteSearch(owner, log.blockNumber)
    return false
  }

  async #missing(found: readonly KeptLog[], { log, page }: Suspicion, from: bigint): Promise<KeptLog[]> {
    const kept = await this.#parts.store.logs(from, log.blockNumber)
    const known = new Set([...kept, ...page].map(positionOf))
    return found
      .filter((candidate) => !known.has(positionOf(candidate)))
      .map((candidate) => this.#worth(candidate))
  }

  /** Whole where it is of a cluster that counts, else the owner alone. */
  #worth(log: KeptLog): KeptLog {
    const { event, blockNumber, logIndex } = log
    if (event.name !== 'ValidatorAdded') return log
    if (this.#parts.viewpoints.some((viewpoint) => concerns(viewpoint, event))) return log
    return { blockNumber, logIndex, event: { name: 'OwnerNonceUsed', owner: event.owner }, verdicts: {} }
  }

  /** The block before the first missing log, or the checkpoint where that is before it. */
  async #checkpointBefore(
    missing: readonly KeptLog[],
    checkpoint: Checkpoint | undefined,
  ): Promise<Checkpoint | undefined> {
    const first = missing[0]?.blockNumber ?? 0n
    if (checkpoint === undefined || checkpoint.number < first) return checkpoint
    return first === 0n ? undefined : this.#parts.reader.block(first - 1n)
  }
}
