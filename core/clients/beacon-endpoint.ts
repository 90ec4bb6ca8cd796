import type { z } from 'zod'
import { ConfigurationError, DvtExitError, UnavailableError } from '../errors.js'
import type { Hex, PublicKeyHex } from '../hex.js'
import type { Genesis, Header, PendingDeposit, ValidatorStatus } from './beacon.js'
import {
  blockAnswer,
  blockVersionAnswer,
  genesisAnswer,
  headerAnswer,
  listAnswer,
  listOfForkAnswer,
  pendingDepositEntry,
  syncingAnswer,
  validatorEntry,
} from './beacon-schemas.js'
import {
  type EndpointLimits,
  excerpt,
  HttpEndpoint,
  type HttpRequest,
  type HttpResponse,
} from './endpoint.js'
import { checkAnswer, checkEntries, readAnswer, unexpectedAnswer } from './json-fields.js'

/** 'head', 'genesis', a state root, or the slot of a finalized state. */
export type StateId = 'head' | 'genesis' | Hex | number

/** A block's fork and the execution block that it carries. */
export interface BlockPayload {
  /** Such as electra. */
  readonly version: string
  readonly stateRoot: Hex
  /** The execution block's. */
  readonly number: bigint
  readonly hash: Hex
}

/** Ids in the query of one GET: more than 64 are not promised to work. */
const IDS_IN_QUERY = 64
/** Ids in the body of one POST. */
const IDS_IN_BODY = 1000

/**
 * One beacon node. Without retries; every call may throw UnavailableError: the node does not answer, does not
 * know the state or block that is asked for, or is optimistic, so that its answer may be of a wrong chain.
 */
export class BeaconEndpoint {
  /** The URL without credentials and path, for logs and errors. */
  readonly shown: string
  readonly #http: HttpEndpoint
  readonly #genesisValidatorsRoot: Hex | undefined
  #checked: Promise<void> | undefined

  /** @param genesisValidatorsRoot checked before the first call, where given */
  constructor(url: string, limits: EndpointLimits, genesisValidatorsRoot?: Hex) {
    this.#http = new HttpEndpoint(url, limits)
    this.shown = this.#http.shown
    this.#genesisValidatorsRoot = genesisValidatorsRoot
  }

  genesis(): Promise<Genesis> {
    return this.#fetch({ method: 'GET', path: '/eth/v1/beacon/genesis' }, genesisAnswer)
  }

  /** @throws UnavailableError BEACON_NODE_SYNCING while the node does not follow the head of the chain */
  async assertSynced(): Promise<void> {
    const { data } = await this.#get('/eth/v1/node/syncing', syncingAnswer)
    if (data.is_syncing || data.is_optimistic || data.el_offline) {
      throw new UnavailableError('BEACON_NODE_SYNCING', `beacon node ${this.shown} is not in sync`)
    }
  }

  /** The header of the finalized checkpoint's block. */
  async finalizedHeader(): Promise<Header> {
    const path = '/eth/v1/beacon/headers/finalized'
    const answer = await this.#get(path, headerAnswer)
    this.#refuseUncertain(path, answer)
    const { canonical, ...header } = answer.data
    if (!canonical) throw unexpectedAnswer(`${this.shown} ${path}`, 'a block that is not canonical')
    return header
  }

  /**
   * The validators with these indexes in a state, by GET with 64 ids a call; unknown ones are left out.
   * @param indexes any number of them
   */
  async validatorsByIndex(state: StateId, indexes: readonly number[]): Promise<ValidatorStatus[]> {
    const found: ValidatorStatus[] = []
    for (let start = 0; start < indexes.length; start += IDS_IN_QUERY) {
      const ids = indexes.slice(start, start + IDS_IN_QUERY)
      const path = `/eth/v1/beacon/states/${state}/validators`
      found.push(
        ...(await this.#validators({ method: 'GET', path: `${path}?id=${ids.join(',')}` }, state, ids)),
      )
    }
    return found
  }

  /**
   * The validators with these public keys or indexes in a state, by POST; unknown ones are left out.
   * @param ids any number of them
   */
  async validators(state: StateId, ids: readonly (PublicKeyHex | number)[]): Promise<ValidatorStatus[]> {
    const found: ValidatorStatus[] = []
    const path = `/eth/v1/beacon/states/${state}/validators`
    for (let start = 0; start < ids.length; start += IDS_IN_BODY) {
      const asked = ids.slice(start, start + IDS_IN_BODY)
      const body = JSON.stringify({ ids: asked.map(String) })
      found.push(...(await this.#validators({ method: 'POST', path, body }, state, asked)))
    }
    return found
  }

  /** Every validator of the genesis state. */
  async genesisValidators(): Promise<ValidatorStatus[]> {
    const path = '/eth/v1/beacon/states/genesis/validators'
    const { data } = await this.#get(path, listAnswer)
    return checkEntries(`${this.shown} ${path}`, data, validatorEntry)
  }

  /**
   * The queue of deposits that wait in a state, and the state's fork.
   * @throws DvtExitError UNSUPPORTED_FORK where the state is of a fork without this queue
   */
  async pendingDeposits(state: StateId): Promise<{ version: string; deposits: PendingDeposit[] }> {
    const path = `/eth/v1/beacon/states/${state}/pending_deposits`
    const response = await this.#request({ method: 'GET', path })
    if (response.status === 400) {
      throw new DvtExitError('UNSUPPORTED_FORK', `${this.shown} has no pending deposits in this state`)
    }
    const answer = this.#read(path, response, listOfForkAnswer)
    this.#refuseUncertain(path, answer, state)
    const deposits = await checkEntries(`${this.shown} ${path}`, answer.data, pendingDepositEntry)
    return { version: answer.version, deposits }
  }

  /**
   * The execution block that a beacon block carries. Blocks of forks later than Fulu carry none.
   * @param root the beacon block's
   * @param forks the forks whose blocks are understood
   * @throws DvtExitError UNSUPPORTED_FORK for a block of any other fork
   */
  async blockPayload(root: Hex, forks: readonly string[]): Promise<BlockPayload> {
    const path = `/eth/v2/beacon/blocks/${root}`
    const content = await this.#get(path, blockVersionAnswer.loose())
    this.#refuseUncertain(path, content)
    const { version } = content
    if (!forks.includes(version)) {
      throw new DvtExitError('UNSUPPORTED_FORK', `${this.shown} is at the fork ${version}`)
    }
    const { message } = checkAnswer(`${this.shown} ${path}`, content, blockAnswer).data
    const { block_number, block_hash } = message.body.execution_payload
    return { version, stateRoot: message.state_root, number: block_number, hash: block_hash }
  }

  async #validators(
    request: HttpRequest,
    state: StateId,
    ids: readonly (Hex | number)[],
  ): Promise<ValidatorStatus[]> {
    const path = request.path.split('?')[0] ?? ''
    const answer = await this.#ask(request, listAnswer)
    this.#refuseUncertain(path, answer, state)
    const found = await checkEntries(`${this.shown} ${path}`, answer.data, validatorEntry)
    this.#refuseOthers(path, found, ids)
    return found
  }

  #get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#ask({ method: 'GET', path }, schema)
  }

  async #ask<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
    await this.#checkNetwork()
    return this.#fetch(request, schema)
  }

  async #fetch<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
    return this.#read(request.path, await this.#http.request(request), schema)
  }

  async #request(request: HttpRequest): Promise<HttpResponse> {
    await this.#checkNetwork()
    return this.#http.request(request)
  }

  #read<T>(path: string, response: HttpResponse, schema: z.ZodType<T>): T {
    const what = `${this.shown} ${path.split('?')[0]}`
    if (response.status === 404) {
      throw new UnavailableError('UNKNOWN_STATE', `${what}: not found ${excerpt(response)}`)
    }
    if (response.status !== 200) {
      throw unexpectedAnswer(what, `HTTP ${response.status} ${excerpt(response)}`)
    }
    return readAnswer(what, response, schema)
  }

  /** A slot names one state only where it is finalized: a node that is behind may make up the one that it lacks. */
  #refuseUncertain(
    path: string,
    answer: { readonly execution_optimistic: boolean; readonly finalized: boolean },
    state?: StateId,
  ): void {
    if (answer.execution_optimistic) {
      throw new UnavailableError('BEACON_NODE_OPTIMISTIC', `${this.shown} ${path}: answers optimistically`, {
        hint: 'Its execution node has not checked the chain yet: wait until it has',
      })
    }
    if (typeof state === 'number' && !answer.finalized) {
      throw new UnavailableError('STATE_NOT_FINALIZED', `${this.shown} ${path}: not finalized there`, {
        hint: 'Several nodes may answer at this address: use the address of one',
      })
    }
  }

  /** A node that ignores the ids would make every key look known. */
  #refuseOthers(path: string, found: readonly ValidatorStatus[], ids: readonly (Hex | number)[]): void {
    const asked = new Set(ids)
    const other = found.find(({ index, publicKey }) => !asked.has(index) && !asked.has(publicKey))
    if (other === undefined) return
    throw unexpectedAnswer(`${this.shown} ${path}`, `validator ${other.index} was not asked for`)
  }

  /** Asked once; again where it could not be asked. */
  async #checkNetwork(): Promise<void> {
    if (this.#genesisValidatorsRoot === undefined) return
    this.#checked ??= this.#compareNetwork(this.#genesisValidatorsRoot)
    try {
      await this.#checked
    } catch (error) {
      this.#checked = undefined
      throw error
    }
  }

  async #compareNetwork(expected: Hex): Promise<void> {
    const { validatorsRoot } = await this.genesis()
    if (validatorsRoot === expected) return
    throw new ConfigurationError(
      'WRONG_NETWORK',
      `beacon node ${this.shown} is on another network: its genesis validators root is ${validatorsRoot}`,
      { hint: 'Check CONSENSUS_ENDPOINT and NETWORK' },
    )
  }
}
