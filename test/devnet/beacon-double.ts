import type { Hex } from '../../core/hex.js'
import type { Chain } from './chain.js'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from './http-double.js'

const FORKS_BEFORE_ELECTRA = ['phase0', 'altair', 'bellatrix', 'capella', 'deneb']
const FORKS_WITH_PAYLOAD = ['bellatrix', 'capella', 'deneb', 'electra', 'fulu']
const MOST_IDS_IN_QUERY = 64
/** Only a beacon node that a test or demo runs; deposits and headers need nothing of it. */
const ZERO_SIGNATURE = `0x${'00'.repeat(96)}`

/** A beacon node as strict as the real ones: 404 for unknown states, unknown ids left out with 200. */
export class BeaconDouble extends HttpDouble {
  readonly #chain: Chain
  /** Answers say that the execution node has not checked the chain. */
  optimistic = false
  syncing = false
  /** The status for a finalized state that is asked for by its root: several real nodes know it by its slot only. */
  finalizedByRoot: 200 | 404 | 500 = 200
  /** Requests for states after which none but head and genesis is known. */
  forgetStatesAfter = Number.POSITIVE_INFINITY
  /** Validators whose status is another than active_ongoing. */
  readonly statuses = new Map<Hex, string>()
  /** The genesis state, for those who ask for it; most nodes have it. */
  genesisKeys: readonly Hex[] | undefined = []
  #stateRequests = 0

  constructor(chain: Chain) {
    super()
    this.#chain = chain
  }

  protected override kindOf({ method, path }: DoubleRequest): string {
    const known = /(genesis|syncing|headers|blocks|validators|pending_deposits)/.exec(
      path.replace('/states/genesis', ''),
    )
    return `${method} ${known?.[1] ?? path}`
  }

  protected override answer(request: DoubleRequest): DoubleAnswer | Promise<DoubleAnswer> {
    const [, eth, version, group, topic, id, what, ...rest] = request.path.split('/')
    if (eth !== 'eth' || rest.length > 1) return notFound('no such endpoint')
    if (group === 'node' && topic === 'syncing') return this.#syncingAnswer()
    if (group !== 'beacon') return notFound('no such endpoint')
    if (topic === 'genesis') return this.#genesis()
    if (topic === 'headers') return this.#header(id ?? '')
    if (topic === 'blocks' && version === 'v2') return this.#block(id ?? '')
    return topic === 'states' ? this.#state(request, id ?? '', what, rest[0]) : notFound('no such endpoint')
  }

  #syncingAnswer(): DoubleAnswer {
    return ok({
      data: {
        head_slot: String(this.#chain.head),
        sync_distance: this.syncing ? '1000' : '0',
        is_syncing: this.syncing,
        is_optimistic: this.optimistic,
        el_offline: false,
      },
    })
  }

  #genesis(): DoubleAnswer {
    const { genesisTime, genesisValidatorsRoot, genesisForkVersion } = this.#chain.network
    return ok({
      data: {
        genesis_time: String(genesisTime),
        genesis_validators_root: genesisValidatorsRoot,
        genesis_fork_version: genesisForkVersion,
      },
    })
  }

  #header(id: string): DoubleAnswer {
    const block = this.#blockOf(id)
    if (block === undefined) return notFound('header not found')
    const message = {
      slot: String(block),
      proposer_index: '1',
      parent_root: this.#chain.blockRoot(Math.max(0, block - 1)),
      state_root: this.#chain.stateRoot(block),
      body_root: this.#chain.blockRoot(block),
    }
    return this.#about(block, {
      data: {
        root: this.#chain.blockRoot(block),
        canonical: true,
        header: { message, signature: ZERO_SIGNATURE },
      },
    })
  }

  #block(id: string): DoubleAnswer {
    const block = this.#blockOf(id)
    const payload = block === undefined ? undefined : this.#chain.block(block)
    if (block === undefined || payload === undefined) return notFound('block not found')
    const version = this.#chain.fork
    const body = FORKS_WITH_PAYLOAD.includes(version)
      ? { execution_payload: { block_number: String(payload.number), block_hash: payload.hash } }
      : {}
    const message = { slot: String(block), state_root: this.#chain.stateRoot(block), body }
    return this.#about(block, { version, data: { message, signature: ZERO_SIGNATURE } })
  }

  #state(
    request: DoubleRequest,
    id: string,
    what: string | undefined,
    one: string | undefined,
  ): DoubleAnswer {
    this.#stateRequests += 1
    if (id === 'genesis') return this.#genesisState(what)
    const forgotten = this.#stateRequests > this.forgetStatesAfter && id !== 'head'
    const block = forgotten ? undefined : this.#stateBlockOf(id)
    if (block === undefined) return notFound('state not found')
    if (this.finalizedByRoot !== 200 && id.startsWith('0x') && block <= this.#chain.finalized) {
      return {
        status: this.finalizedByRoot,
        body: { code: this.finalizedByRoot, message: 'no state for root' },
      }
    }
    if (what === 'validators' && one === undefined) return this.#validators(request, block)
    if (what === 'validators' && one !== undefined) {
      const [validator] = this.#find([one], block)
      return validator === undefined
        ? notFound('validator not found')
        : this.#about(block, { data: validator })
    }
    return what === 'pending_deposits' ? this.#pendingDeposits(block) : notFound('no such endpoint')
  }

  #genesisState(what: string | undefined): DoubleAnswer {
    if (what !== 'validators' || this.genesisKeys === undefined) return notFound('state not found')
    return this.#about(0, { data: this.genesisKeys.map((key, index) => validatorOf(index, key)) })
  }

  #validators(request: DoubleRequest, block: number): DoubleAnswer {
    const ids =
      request.method === 'POST'
        ? (JSON.parse(request.body) as { ids: string[] }).ids
        : request.query.getAll('id').flatMap((part) => part.split(','))
    if (request.method === 'GET' && ids.length > MOST_IDS_IN_QUERY) return badRequest('too many ids')
    if (ids.length === 0) return badRequest('this double does not send its whole registry')
    return this.#about(block, { data: this.#find(ids, block) })
  }

  #find(ids: readonly string[], block: number): unknown[] {
    return ids.flatMap((id) => {
      const index = id.startsWith('0x') ? this.#chain.validatorIndex(id as Hex, block) : Number(id)
      const key = index === undefined ? undefined : this.#chain.validatorKey(index, block)
      if (index === undefined || key === undefined) return []
      return [validatorOf(index, key, this.#chain.depositedTo(key, block), this.statuses.get(key))]
    })
  }

  #pendingDeposits(block: number): DoubleAnswer {
    const version = this.#chain.fork
    if (FORKS_BEFORE_ELECTRA.includes(version)) return badRequest('state is pre-electra')
    const data = this.#chain.pendingDeposits(block).map(({ deposit, slot }) => ({
      pubkey: deposit.publicKey,
      withdrawal_credentials: deposit.withdrawalCredentials,
      amount: String(deposit.amount),
      signature: deposit.signature,
      slot: String(slot),
    }))
    return this.#about(block, { version, data })
  }

  #blockOf(id: string): number | undefined {
    if (id === 'head') return this.#chain.head
    if (id === 'finalized') return this.#chain.finalized
    if (!id.startsWith('0x'))
      return /^\d+$/.test(id) && Number(id) <= this.#chain.head ? Number(id) : undefined
    const block = this.#chain.blockOfRoot(id as Hex)
    return block !== undefined && this.#chain.blockRoot(block) === id ? block : undefined
  }

  /** A state is known by its own root, never by its block's. */
  #stateBlockOf(id: string): number | undefined {
    if (!id.startsWith('0x')) return this.#blockOf(id)
    const block = this.#chain.blockOfRoot(id as Hex)
    return block !== undefined && this.#chain.stateRoot(block) === id ? block : undefined
  }

  #about(block: number, body: Readonly<Record<string, unknown>>): DoubleAnswer {
    const finalized = block <= this.#chain.finalized
    return ok({ execution_optimistic: this.optimistic, finalized, ...body })
  }
}

const ELSEWHERE = {
  balance: 32_000_000_000n,
  withdrawalCredentials: `0x01${'00'.repeat(11)}${'c0'.repeat(20)}`,
}

function validatorOf(
  index: number,
  pubkey: Hex,
  { balance, withdrawalCredentials }: { balance: bigint; withdrawalCredentials: string } = ELSEWHERE,
  status = 'active_ongoing',
): unknown {
  return {
    index: String(index),
    balance: String(balance),
    status,
    validator: {
      pubkey,
      withdrawal_credentials: withdrawalCredentials,
      effective_balance: String(balance),
      slashed: false,
      activation_eligibility_epoch: '0',
      activation_epoch: '0',
      exit_epoch: '18446744073709551615',
      withdrawable_epoch: '18446744073709551615',
    },
  }
}

function ok(body: unknown): DoubleAnswer {
  return { status: 200, body }
}

function notFound(message: string): DoubleAnswer {
  return { status: 404, body: { code: 404, message } }
}

function badRequest(message: string): DoubleAnswer {
  return { status: 400, body: { code: 400, message } }
}
