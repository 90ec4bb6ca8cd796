/**
 * The finalized state of the beacon chain: its validators, and the new keys in its queue of pending deposits. New
 * keys never overtake each other there, so each already has its index (Electra: process_pending_deposits).
 */
import type { Header, PendingDeposit } from '../clients/beacon.js'
import type { BeaconEndpoint, StateId } from '../clients/beacon-endpoint.js'
import { DvtExitError, UnavailableError } from '../errors.js'
import type { PublicKeyHex } from '../hex.js'
import type { PinnedBlock } from './deposit-log.js'
import type { DepositSignatures } from './deposit-signatures.js'
import { registryLength } from './registry-length.js'
import type { SettledDeposits } from './settled.js'

/** The forks in which a validator gets its index when its deposit leaves the queue, and in no other way. */
const FORKS = ['electra', 'fulu']

export class FinalizedState implements SettledDeposits {
  readonly endpoint: BeaconEndpoint
  readonly header: Header
  /** The execution block that the state's block carries. */
  readonly block: PinnedBlock
  /** The registry's length. */
  readonly validators: number
  readonly #id: StateId
  readonly #queued = new Set<PublicKeyHex>()
  readonly #indexes = new Map<PublicKeyHex, number | undefined>()
  #pending: ReadonlySet<PublicKeyHex> = new Set()

  private constructor(
    endpoint: BeaconEndpoint,
    header: Header,
    id: StateId,
    block: PinnedBlock,
    validators: number,
  ) {
    this.endpoint = endpoint
    this.header = header
    this.#id = id
    this.block = block
    this.validators = validators
  }

  /**
   * Reads everything from one beacon node, by the root of the state or, where it knows none by root, by its slot.
   * @param atLeast the registry's length in an earlier state, 0 where none is known
   * @throws DvtExitError UNSUPPORTED_FORK; UnavailableError where the node does not answer, or not of this state
   */
  static async read(
    endpoint: BeaconEndpoint,
    header: Header,
    signatures: DepositSignatures,
    atLeast: number,
  ): Promise<FinalizedState> {
    const payload = await endpoint.blockPayload(header.root, FORKS)
    if (payload.stateRoot !== header.stateRoot) {
      throw new UnavailableError(
        'UNEXPECTED_ANSWER',
        `${endpoint.shown} gave another block than ${header.root}`,
      )
    }
    const { id, version, deposits } = await readQueue(endpoint, header)
    if (!FORKS.includes(version)) {
      throw new DvtExitError('UNSUPPORTED_FORK', `${endpoint.shown} is at the fork ${version}`)
    }
    const validators = await registryLength(endpoint, id, atLeast)
    const block = { number: payload.number, hash: payload.hash }
    const state = new FinalizedState(endpoint, header, id, block, validators)
    for (const { publicKey } of deposits) state.#queued.add(publicKey)
    const registered = await state.indexesOf([...state.#queued])
    const ofNewKeys = deposits.filter(({ publicKey }) => !registered.has(publicKey))
    state.#pending = await signatures.validKeys(ofNewKeys)
    return state
  }

  get count(): number {
    return this.validators + this.#pending.size
  }

  /** The new keys in the queue that have a deposit with a valid signature. */
  get pending(): ReadonlySet<PublicKeyHex> {
    return this.#pending
  }

  /** The indexes of those keys that are in the registry. Asked for once each. */
  async indexesOf(publicKeys: readonly PublicKeyHex[]): Promise<ReadonlyMap<PublicKeyHex, number>> {
    const unknown = [...new Set(publicKeys)].filter((publicKey) => !this.#indexes.has(publicKey))
    const found = await this.endpoint.validators(this.#id, unknown)
    for (const publicKey of unknown) this.#indexes.set(publicKey, undefined)
    for (const { publicKey, index } of found) this.#indexes.set(publicKey, index)
    const indexes = new Map<PublicKeyHex, number>()
    for (const publicKey of publicKeys) {
      const index = this.#indexes.get(publicKey)
      if (index !== undefined) indexes.set(publicKey, index)
    }
    return indexes
  }

  async counted(publicKeys: readonly PublicKeyHex[]): Promise<ReadonlySet<PublicKeyHex>> {
    const indexes = await this.indexesOf(publicKeys)
    return new Set(publicKeys.filter((key) => indexes.has(key) || this.#pending.has(key)))
  }

  async known(publicKeys: readonly PublicKeyHex[]): Promise<ReadonlySet<PublicKeyHex>> {
    const indexes = await this.indexesOf(publicKeys)
    return new Set(publicKeys.filter((key) => indexes.has(key) || this.#queued.has(key)))
  }
}

/**
 * The queue, and the id under which the node knows the state. Many keep no roots of finalized states and say 404,
 * some 500 (Consensys/teku#11050, ChainSafe/lodestar#7780, status-im/nimbus-eth2#8819); all know the slot.
 */
async function readQueue(
  endpoint: BeaconEndpoint,
  header: Header,
): Promise<{ id: StateId; version: string; deposits: PendingDeposit[] }> {
  try {
    return { id: header.stateRoot, ...(await endpoint.pendingDeposits(header.stateRoot)) }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    if (error.code !== 'UNKNOWN_STATE' && error.code !== 'ENDPOINT_FAILED') throw error
    return { id: header.slot, ...(await endpoint.pendingDeposits(header.slot)) }
  }
}
