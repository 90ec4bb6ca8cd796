/** The calls of the beacon API that the product needs, on several beacon nodes tried in turn. */
import type { Hex, PublicKeyHex } from '../hex.js'
import { BeaconEndpoint } from './beacon-endpoint.js'
import { DEFAULT_RETRY, type RetryOptions, tryInTurn } from './endpoint.js'

/** A validator of the registry, as a state has it. */
export interface ValidatorStatus {
  readonly index: number
  /** Such as pending_queued, active_ongoing, withdrawal_done. */
  readonly status: string
  /** Gwei */
  readonly balance: bigint
  readonly publicKey: PublicKeyHex
  /** 32 bytes */
  readonly withdrawalCredentials: Hex
}

export interface Header {
  /** The block's root. */
  readonly root: Hex
  readonly slot: number
  /** The root of the state after the block, by which that state is asked for. */
  readonly stateRoot: Hex
}

export interface Genesis {
  /** Seconds since 1970. */
  readonly time: bigint
  readonly validatorsRoot: Hex
  readonly forkVersion: Hex
}

/** An entry of a state's pending_deposits (Electra). */
export interface PendingDeposit {
  readonly publicKey: PublicKeyHex
  readonly withdrawalCredentials: Hex
  /** Gwei */
  readonly amount: bigint
  readonly signature: Hex
  readonly slot: bigint
}

/** Validators with their balances in one finalized state. */
export interface FinalizedBalances {
  /** The execution block that the state has seen. */
  readonly block: bigint
  readonly validators: readonly ValidatorStatus[]
  /** Deposits for them that wait in the state's queue. */
  readonly pending: readonly PendingDeposit[]
}

/** Which validators of those asked about are in the registry. */
export interface KnownValidators {
  readonly publicKeys: ReadonlySet<PublicKeyHex>
  readonly indexes: ReadonlySet<number>
}

export interface BeaconClientOptions {
  /** Milliseconds for one request. */
  readonly timeout?: number
  readonly retry?: RetryOptions
  /** The network's: an endpoint of another network is refused at its first use. */
  readonly genesisValidatorsRoot?: Hex
}

const DEFAULT_TIMEOUT = 60_000
/** Those whose states have pending deposits, and whose blocks carry an execution payload. */
const FORKS_WITH_QUEUE = ['electra', 'fulu']

/**
 * Beacon nodes tried in turn. Every call throws UnavailableError ALL_ENDPOINTS_FAILED where none served it,
 * and ConfigurationError WRONG_NETWORK for an endpoint of another network.
 */
export class BeaconClient {
  /** The calls on one beacon node, without retries. */
  readonly endpoints: readonly BeaconEndpoint[]
  readonly retry: RetryOptions

  constructor(urls: readonly string[], options: BeaconClientOptions = {}) {
    const { timeout = DEFAULT_TIMEOUT, retry = DEFAULT_RETRY, genesisValidatorsRoot } = options
    this.endpoints = urls.map((url) => new BeaconEndpoint(url, { timeout }, genesisValidatorsRoot))
    this.retry = retry
  }

  genesis(): Promise<Genesis> {
    return this.#inTurn('genesis', (endpoint) => endpoint.genesis())
  }

  finalizedHeader(): Promise<Header> {
    return this.#inTurn('finalized header', (endpoint) => endpoint.finalizedHeader())
  }

  /** Every validator of the genesis state, which not all nodes keep. */
  genesisValidators(): Promise<ValidatorStatus[]> {
    return this.#inTurn('genesis validators', (endpoint) => endpoint.genesisValidators())
  }

  /**
   * The validators of the head state among these public keys and indexes; unknown ones are left out. Only a
   * beacon node that is in sync and not optimistic is believed.
   */
  validatorStatuses(ids: readonly (PublicKeyHex | number)[]): Promise<ValidatorStatus[]> {
    if (ids.length === 0) return Promise.resolve([])
    return this.#inTurn('validators', async (endpoint) => {
      await endpoint.assertSynced()
      return endpoint.validators('head', ids)
    })
  }

  /**
   * Those of the validators that are in the finalized state, and the deposits for any of them that wait there.
   * @throws DvtExitError UNSUPPORTED_FORK where the state has no such queue
   */
  finalizedBalances(publicKeys: readonly PublicKeyHex[]): Promise<FinalizedBalances> {
    const wanted = new Set(publicKeys)
    return this.#inTurn('balances', async (endpoint) => {
      const { root, slot } = await endpoint.finalizedHeader()
      const { number: block } = await endpoint.blockPayload(root, FORKS_WITH_QUEUE)
      // Not every node knows a finalized state by its root; all know it by its slot.
      const validators = await endpoint.validators(slot, publicKeys)
      const { deposits } = await endpoint.pendingDeposits(slot)
      return { block, validators, pending: deposits.filter(({ publicKey }) => wanted.has(publicKey)) }
    })
  }

  /**
   * Which of these public keys and indexes the head state's registry has: an index is in it when the registry
   * is longer than that. For the sidecar, that signs only exits which can end nobody.
   */
  async knownValidators(
    publicKeys: readonly PublicKeyHex[],
    indexes: readonly number[],
  ): Promise<KnownValidators> {
    const found = await this.validatorStatuses([...publicKeys, ...indexes])
    const asked = { publicKeys: new Set(publicKeys), indexes: new Set(indexes) }
    return {
      publicKeys: new Set(found.map((one) => one.publicKey).filter((key) => asked.publicKeys.has(key))),
      indexes: new Set(found.map((one) => one.index).filter((index) => asked.indexes.has(index))),
    }
  }

  #inTurn<T>(what: string, operation: (endpoint: BeaconEndpoint) => Promise<T>): Promise<T> {
    return tryInTurn(`beacon node: ${what}`, this.endpoints, operation, this.retry)
  }
}
