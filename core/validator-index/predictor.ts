/**
 * The index that the next validator gets: V + P + E. V validators in the finalized state, P new keys in its queue
 * of pending deposits, E new keys in the DepositEvents of later execution blocks. Since Electra the index is given
 * when an entry leaves the queue, and new keys never overtake each other, so the sum is the same number whenever
 * it is asked. In other forks every DepositEvent is counted instead.
 */
import type { BeaconClient, Header } from '../clients/beacon.js'
import type { BeaconEndpoint } from '../clients/beacon-endpoint.js'
import { tryInTurn } from '../clients/endpoint.js'
import type { ExecutionClient } from '../clients/execution.js'
import { DvtExitError, UnavailableError } from '../errors.js'
import type { Hex, PublicKeyHex } from '../hex.js'
import type { Network } from '../network.js'
import {
  type Checkpoint,
  type CheckpointStore,
  checkpointOf,
  countByEvents,
  loadCheckpoint,
  saveCheckpoint,
} from './checkpoint.js'
import { DepositLog, type DepositSpan } from './deposit-log.js'
import { DepositScan } from './deposit-scan.js'
import { DepositSignatures } from './deposit-signatures.js'
import { FinalizedState } from './finalized-state.js'
import type { SettledDeposits } from './settled.js'

export interface PredictorParts {
  readonly network: Network
  readonly beacon: BeaconClient
  readonly execution: ExecutionClient
  /** Where the compared count is kept. */
  readonly store: CheckpointStore
  /** Where the scan of all events is kept; without it other forks than Electra and Fulu are refused. */
  readonly scanStore?: CheckpointStore
}

/** The next index, and the deposit root that it holds for. */
export interface NextIndex {
  readonly index: number
  /** Of the deposit contract at the block that the events were read up to. */
  readonly depositRoot: Hex
}

/** The next index, and which of some keys take none any more, all at the same block. */
export interface Outlook extends NextIndex {
  /** In the registry, in the queue of pending deposits or in a later DepositEvent, valid or not. */
  readonly known: readonly PublicKeyHex[]
}

/** The answer at one finalized state and one execution block. */
interface Prediction extends NextIndex {
  readonly settled: SettledDeposits
  readonly span: DepositSpan
  /** Where the two ways of counting differ. */
  readonly mismatch: { readonly byState: number; readonly byEvents: number } | undefined
}

/** How often a computation starts anew because finality moved on meanwhile. */
const ATTEMPTS = 3

/** What an execution node or the database failed with: another beacon node would not help. */
class OtherFailure {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

export class ValidatorIndexPredictor {
  readonly #parts: PredictorParts
  readonly #signatures: DepositSignatures
  readonly #deposits: DepositLog
  readonly #scan: DepositScan | undefined
  readonly #running = new Map<BeaconEndpoint | 'scan', Promise<Prediction>>()
  #turn: Promise<unknown> = Promise.resolve()
  #checkpoint: Checkpoint | undefined
  #loaded = false
  #state: FinalizedState | undefined
  #prediction: Prediction | undefined
  /** The finalized block at which the fork was seen to need the scan. */
  #unsupported: { readonly root: Hex; readonly error: DvtExitError } | undefined

  constructor(parts: PredictorParts) {
    const { network, beacon, execution, scanStore } = parts
    this.#parts = parts
    this.#signatures = new DepositSignatures(network)
    this.#deposits = new DepositLog(execution, network.depositContract.address)
    this.#scan =
      scanStore &&
      new DepositScan({ network, beacon, execution, store: scanStore, signatures: this.#signatures })
  }

  /**
   * The index that the next validator gets if its deposit is the next one.
   * @throws UnavailableError where nodes do not answer or contradict each other; DvtExitError INDEX_MISMATCH where
   *   the two ways of counting differ, so that no index is sure; UNSUPPORTED_FORK where there is no way to count
   */
  async next(): Promise<NextIndex> {
    const { index, depositRoot, mismatch } = await this.#with(async (prediction) => prediction)
    refuseMismatch(mismatch)
    return { index, depositRoot }
  }

  /**
   * The next index, its deposit root, and those of the keys that are known, of one and the same block: as long
   * as the root is that one, none of the other keys was deposited.
   * @throws as next() does
   */
  async outlook(publicKeys: readonly PublicKeyHex[]): Promise<Outlook> {
    return this.#with(async (prediction) => {
      refuseMismatch(prediction.mismatch)
      const { index, depositRoot } = prediction
      return { index, depositRoot, known: await knownOf(prediction, publicKeys) }
    })
  }

  /**
   * Those of the keys that are in the registry, in the queue of pending deposits or in a later DepositEvent,
   * valid or not: they take no further index, or may not.
   * @throws UnavailableError, DvtExitError UNSUPPORTED_FORK as next() does
   */
  async knownKeys(publicKeys: readonly PublicKeyHex[]): Promise<PublicKeyHex[]> {
    if (publicKeys.length === 0) return []
    return this.#with((prediction) => knownOf(prediction, publicKeys))
  }

  /** Uses the prediction of the first beacon node that serves everything. */
  async #with<T>(use: (prediction: Prediction) => Promise<T>): Promise<T> {
    const { beacon } = this.#parts
    try {
      return await tryInTurn(
        'index of the next validator',
        beacon.endpoints,
        async (endpoint) => use(await this.#shared(endpoint, () => this.#predict(endpoint))),
        beacon.retry,
      )
    } catch (error) {
      if (error instanceof OtherFailure) throw error.error
      if (!(error instanceof DvtExitError) || error.code !== 'UNSUPPORTED_FORK') throw error
      const scan = this.#scan
      if (scan === undefined) throw error
      return use(await this.#shared('scan', () => this.#predictByScan(scan)))
    }
  }

  /** Those who ask while a computation runs get its result; two never run at the same time. */
  #shared(key: BeaconEndpoint | 'scan', compute: () => Promise<Prediction>): Promise<Prediction> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const result = this.#turn.then(compute).finally(() => this.#running.delete(key))
    this.#turn = result.catch(() => undefined)
    this.#running.set(key, result)
    return result
  }

  async #predict(endpoint: BeaconEndpoint): Promise<Prediction> {
    const checkpoint = await this.#lastCheckpoint()
    let header = await endpoint.finalizedHeader()
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      refuseOlder(endpoint, header, checkpoint)
      const { prediction, isNew } = await this.#predictAt(endpoint, header, checkpoint)
      if (!isNew) return prediction
      const after = await endpoint.finalizedHeader()
      if (after.root === header.root) return this.#keep(prediction)
      header = after
    }
    throw new UnavailableError('FINALITY_MOVED', `${endpoint.shown} changed its finalized header too often`)
  }

  async #predictAt(
    endpoint: BeaconEndpoint,
    header: Header,
    checkpoint: Checkpoint | undefined,
  ): Promise<{ prediction: Prediction; isNew: boolean }> {
    const state = await this.#stateAt(endpoint, header, checkpoint)
    const span = await elsewhere(this.#deposits.read(checkpoint?.block ?? state.block, state.block))
    const last = this.#prediction
    if (last?.settled === state && last.span.end.hash === span.end.hash) {
      return { prediction: last, isNew: false }
    }
    const byEvents =
      checkpoint === undefined ? state.count : await countByEvents(checkpoint, state, span, this.#signatures)
    const mismatch = byEvents === state.count ? undefined : { byState: state.count, byEvents }
    return { prediction: { ...(await this.#nextAfter(state, span)), mismatch }, isNew: true }
  }

  async #stateAt(
    endpoint: BeaconEndpoint,
    header: Header,
    checkpoint: Checkpoint | undefined,
  ): Promise<FinalizedState> {
    const state = this.#state
    if (state?.endpoint === endpoint && state.header.root === header.root) return state
    if (this.#unsupported?.root === header.root) throw this.#unsupported.error
    try {
      const atLeast = checkpoint?.validators ?? 0
      this.#state = await FinalizedState.read(endpoint, header, this.#signatures, atLeast)
      return this.#state
    } catch (error) {
      if (error instanceof DvtExitError && error.code === 'UNSUPPORTED_FORK') {
        this.#unsupported = { root: header.root, error: this.#explained(error) }
        throw this.#unsupported.error
      }
      throw error
    }
  }

  #explained(error: DvtExitError): DvtExitError {
    return new DvtExitError(error.code, `${error.message}, whose validator indexes cannot be foretold`, {
      cause: error,
      hint: 'This version of dvt-exit foretells them in Electra and Fulu',
    })
  }

  async #predictByScan(scan: DepositScan): Promise<Prediction> {
    const settled = await scan.settled()
    const span = await this.#deposits.read(settled.block, settled.block)
    const last = this.#prediction
    if (last?.settled.block.hash === settled.block.hash && last.span.end.hash === span.end.hash) return last
    this.#prediction = { ...(await this.#nextAfter(settled, span)), mismatch: undefined }
    return this.#prediction
  }

  /** E: the new keys in the events after the settled block. */
  async #nextAfter(settled: SettledDeposits, span: DepositSpan): Promise<Omit<Prediction, 'mismatch'>> {
    const events = span.events.filter(({ blockNumber }) => blockNumber > settled.block.number)
    const counted = await settled.counted(events.map(({ publicKey }) => publicKey))
    const added = await this.#signatures.validKeys(events.filter(({ publicKey }) => !counted.has(publicKey)))
    return { index: settled.count + added.size, depositRoot: span.end.depositRoot, settled, span }
  }

  /** A state at which both counts agree becomes the checkpoint that the next one is compared with. */
  async #keep(prediction: Prediction): Promise<Prediction> {
    const { settled, span, mismatch } = prediction
    const isNewState = this.#prediction?.settled !== settled
    if (isNewState && mismatch === undefined && settled instanceof FinalizedState) {
      const checkpoint = checkpointOf(settled, span)
      await elsewhere(saveCheckpoint(this.#parts.store, this.#parts.network, checkpoint))
      this.#checkpoint = checkpoint
      this.#deposits.forgetUpTo(checkpoint.block)
    }
    this.#prediction = prediction
    return prediction
  }

  async #lastCheckpoint(): Promise<Checkpoint | undefined> {
    if (this.#loaded) return this.#checkpoint
    this.#checkpoint = await elsewhere(loadCheckpoint(this.#parts.store, this.#parts.network))
    this.#loaded = true
    return this.#checkpoint
  }
}

/** A beacon node that lags behind what was final already knows fewer validators than there are. */
function refuseOlder(endpoint: BeaconEndpoint, header: Header, checkpoint: Checkpoint | undefined): void {
  if (checkpoint === undefined || header.slot > checkpoint.slot) return
  if (header.slot === checkpoint.slot && header.stateRoot === checkpoint.stateRoot) return
  throw new UnavailableError(
    'FINALITY_BEHIND',
    `beacon node ${endpoint.shown} has slot ${header.slot} finalized, slot ${checkpoint.slot} was before`,
    { hint: 'Wait until it is in sync' },
  )
}

async function elsewhere<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new OtherFailure(error)
  }
}

function refuseMismatch(mismatch: Prediction['mismatch']): void {
  if (mismatch === undefined) return
  throw new DvtExitError(
    'INDEX_MISMATCH',
    `the beacon node has ${mismatch.byState} validators and new pending deposits, the deposit events make ` +
      `${mismatch.byEvents}: the next index is not sure`,
    { hint: 'Ask for no exit signatures until both agree; compare with another beacon and execution node' },
  )
}

async function knownOf(
  { settled, span }: Prediction,
  publicKeys: readonly PublicKeyHex[],
): Promise<PublicKeyHex[]> {
  const known = await settled.known(publicKeys)
  const later = new Set(laterKeys(span, settled))
  return publicKeys.filter((publicKey) => known.has(publicKey) || later.has(publicKey))
}

function laterKeys(span: DepositSpan, settled: SettledDeposits): PublicKeyHex[] {
  return span.events
    .filter(({ blockNumber }) => blockNumber > settled.block.number)
    .map(({ publicKey }) => publicKey)
}
