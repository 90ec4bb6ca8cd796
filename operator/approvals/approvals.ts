/** The oracles' approvals of one batch of validators, asked for until enough of them agree. */
import type { Clock } from '../../core/clock.js'
import { ConfigurationError } from '../../core/errors.js'
import { type Hex, shorten } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import { type Approval, type ApprovedRegistration, chooseApprovals, groupApprovals } from './group.js'
import { OracleClient, type OracleClientOptions, type ReplicaFailure } from './oracle-client.js'
import { type ApprovalSubject, approvalRequestBody } from './request.js'
import { verifyApproval } from './verify-approval.js'

export type ApprovalOutcome =
  | { readonly approved: ApprovedRegistration }
  | {
      /** One line: how many approvals are there, how many are wanted, and what each other oracle did. */
      readonly missing: string
      /** How many oracles answered HTTP 400. */
      readonly refusals: number
    }

export interface ApprovalsOptions extends OracleClientOptions {
  readonly network: Network
  readonly clock: Clock
}

/** A registration is still to be sent and mined after the last approval: seconds that the deadline leaves it. */
const MOST_SECONDS_LEFT = 300n

/** Approvals for one subject: another root, index or batch needs another one of these. */
export class Approvals {
  readonly #subject: ApprovalSubject
  readonly #network: Network
  readonly #clock: Clock
  readonly #oracles: readonly OracleClient[]
  /** Seconds. */
  readonly #validityPeriod: bigint
  /** Seconds since 1970. */
  #deadline = 0n
  /** Approvals that hold until the deadline, by the oracle's address. */
  readonly #kept = new Map<Hex, Approval>()

  /** @throws ConfigurationError INVALID_PROTOCOL_CONFIG where it has no signature_validity_period */
  constructor(subject: ApprovalSubject, config: ProtocolConfig, options: ApprovalsOptions) {
    if (config.signatureValidityPeriod === undefined) {
      throw new ConfigurationError(
        'INVALID_PROTOCOL_CONFIG',
        'the protocol config has no signature_validity_period, without which no approval can be asked for',
        { hint: 'Add it (seconds) to PROTOCOL_CONFIG_FILE, or leave that out to use the Keeper’s config' },
      )
    }
    this.#subject = subject
    this.#network = options.network
    this.#clock = options.clock
    this.#validityPeriod = BigInt(config.signatureValidityPeriod)
    this.#oracles = config.oracles.map((oracle) => new OracleClient(oracle, options))
  }

  /**
   * Asks every oracle whose approval is not in the largest group yet, all at once, and returns as soon as one
   * group is large enough; requests that are still open are given up then. Approvals of earlier calls count
   * while their deadline holds. One call at a time.
   * @param wanted the Keeper's validatorsMinOracles
   * @param signal ends the asking early
   */
  async collect(wanted: number, signal: AbortSignal): Promise<ApprovalOutcome> {
    this.#renew()
    const enough = () => chooseApprovals(this.#groups()[0], wanted)
    const approvedBefore = enough()
    if (approvedBefore !== undefined) return { approved: approvedBefore }

    const failures = new Map<Hex, readonly ReplicaFailure[]>()
    const done = new AbortController()
    const question = {
      body: approvalRequestBody(this.#subject, this.#deadline),
      signal: AbortSignal.any([signal, done.signal]),
      failures,
    }
    try {
      const asked = this.#outsideLargestGroup().map((oracle) => this.#ask(oracle, question))
      await untilEnough(asked, () => enough() !== undefined)
    } finally {
      done.abort()
    }
    const approved = enough()
    if (approved !== undefined) return { approved }
    return {
      missing: this.#describeMissing(wanted, failures),
      refusals: [...failures.values()].filter((replicas) => replicas.some(({ refused }) => refused)).length,
    }
  }

  /** A new deadline, and nothing kept, where the last one leaves too little time; drops what has passed. */
  #renew(): void {
    const now = this.#now()
    const quarter = this.#validityPeriod / 4n
    if (this.#deadline - now < (quarter < MOST_SECONDS_LEFT ? quarter : MOST_SECONDS_LEFT)) {
      this.#deadline = now + this.#validityPeriod
      this.#kept.clear()
    }
    // An oracle may have signed an earlier deadline than it was asked for.
    for (const [oracle, { deadline }] of this.#kept) if (deadline <= now) this.#kept.delete(oracle)
  }

  async #ask(
    oracle: OracleClient,
    {
      body,
      signal,
      failures,
    }: {
      body: string
      signal: AbortSignal
      failures: Map<Hex, readonly ReplicaFailure[]>
    },
  ): Promise<void> {
    const reply = await oracle.ask(
      body,
      (answer) =>
        verifyApproval(oracle.address, answer, {
          network: this.#network,
          subject: this.#subject,
          deadline: this.#deadline,
          now: this.#now(),
        }),
      signal,
    )
    if (signal.aborted) return
    if ('accepted' in reply) this.#kept.set(oracle.address, reply.accepted)
    else failures.set(oracle.address, reply.failures)
  }

  #groups() {
    return groupApprovals(this.#kept.values())
  }

  /** An oracle that said something else than most did may have come to agree. */
  #outsideLargestGroup(): OracleClient[] {
    const agreeing = new Set(this.#groups()[0]?.approvals.map(({ oracle }) => oracle))
    return this.#oracles.filter(({ address }) => !agreeing.has(address))
  }

  #describeMissing(wanted: number, failures: ReadonlyMap<Hex, readonly ReplicaFailure[]>): string {
    const [largest] = this.#groups()
    const others = this.#outsideLargestGroup().map(({ address }) => {
      const approval = this.#kept.get(address)
      const said =
        approval === undefined
          ? describeFailures(failures.get(address))
          : `approved ${approval.ipfsHash} until ${approval.deadline} instead of ${largest?.ipfsHash} until ${largest?.deadline}`
      return `${shorten(address)} ${said}`
    })
    return `${largest?.approvals.length ?? 0} of ${wanted} approvals wanted: ${others.join('; ')}`
  }

  /** Seconds since 1970. */
  #now(): bigint {
    return BigInt(Math.floor(this.#clock.now() / 1000))
  }
}

function describeFailures(failures: readonly ReplicaFailure[] | undefined): string {
  if (failures === undefined) return 'was not waited for'
  if (failures.length === 0) return 'has no endpoints'
  return failures.map(({ reason }) => reason).join(', ')
}

/** Waits until something of the work makes the condition true, or all of it is done. */
function untilEnough(work: readonly Promise<void>[], enough: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const piece of work) {
      piece.then(() => {
        if (enough()) resolve()
      }, reject)
    }
    Promise.all(work).then(() => resolve(), reject)
  })
}
