/**
 * One transaction at a time: written down before it is sent, sent again when it was lost, replaced by one
 * of the same nonce when it is stuck, and looked for on the chain until it is settled. All that is known is
 * in the store, so a process that was killed at any moment goes on where it was.
 */
import type { PrivateKeyAccount } from 'viem/accounts'
import { tryRefusalsToo } from '../../core/clients/json-rpc.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { DvtExitError, describeError, UnavailableError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { broadcast, isKnown } from './broadcast.js'
import type { TransactionChain } from './chain.js'
import { currentFees, FEE_HISTORY, type Fees, formatGwei, isTooHigh, replacementFees } from './fees.js'
import { type Flight, flightsOf } from './outcome.js'
import { changesSeenBy, type Settled, writeDown } from './settling.js'
import { contentOf, signTransaction, type TransactionContent } from './signing.js'
import type { OperatorStore } from './store/store.js'
import {
  type Attempt,
  newestAttempt,
  type TransactionFacts,
  type VaultTransaction,
} from './store/transaction.js'

export interface SenderLimits {
  /** Wei: fees at or above it are not paid. */
  readonly maxFeePerGas: bigint
  /** Wei; gnosis wants 1 Gwei. */
  readonly minPriorityFee?: bigint
  /** Seconds without being mined until a transaction is replaced. */
  readonly stuckAfter?: number
  /** Blocks under the newest one that a reorganisation does not reach. */
  readonly finalityDepth?: number
}

export interface SenderParts {
  readonly chain: TransactionChain
  readonly account: PrivateKeyAccount
  readonly chainId: number
  readonly store: OperatorStore
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: SenderLimits
}

/** A transaction to send. */
export type TransactionToSend<F extends TransactionFacts = TransactionFacts> = F & {
  readonly data: Hex
  /** Wei. */
  readonly value: bigint
  readonly gas: bigint
  readonly fees: Fees
}

/** What settle found out. All but idle and pending is said once. */
export type Settlement =
  | { readonly state: 'idle' }
  | {
      readonly state: 'pending'
      readonly transaction: VaultTransaction
      /** Seconds since 1970 when it was first sent. */
      readonly since: number
      /** The newest attempt's hash. */
      readonly hash: Hex
    }
  | Settled

/** What keepAlive did. */
export type KeptAlive = 'nothing' | 'sent again' | 'replaced' | 'refused' | 'fees too high' | 'blocked'

const DEFAULT_STUCK_AFTER = 60
const DEFAULT_FINALITY_DEPTH = 64

export class TransactionSender {
  readonly #parts: SenderParts
  readonly #sender: Hex
  readonly #stuckAfter: number
  readonly #finalityDepth: bigint
  readonly #troubles = new Conditions()

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#sender = parts.account.address.toLowerCase() as Hex
    this.#stuckAfter = parts.limits.stuckAfter ?? DEFAULT_STUCK_AFTER
    this.#finalityDepth = BigInt(parts.limits.finalityDepth ?? DEFAULT_FINALITY_DEPTH)
  }

  /** The fees of a transaction sent now, and whether they are at or above the limit. */
  async fees(): Promise<{ readonly fees: Fees; readonly tooHigh: boolean }> {
    const { chain, limits } = this.#parts
    const history = await chain.feeHistory(FEE_HISTORY.blocks, FEE_HISTORY.percentile)
    const fees = currentFees(history, limits.minPriorityFee)
    return { fees, tooHigh: isTooHigh(fees, limits.maxFeePerGas) }
  }

  /**
   * Compares what was sent with the chain and writes down what changed: one change a call, the lowest nonce
   * first. Call it until it says idle, or pending.
   * @throws UnavailableError, RpcError as the chain's calls do
   */
  async settle(): Promise<Settlement> {
    const { chain, store } = this.#parts
    const changes = await tryRefusalsToo(
      'looking for sent transactions',
      chain.endpoints,
      (endpoint) => changesSeenBy(endpoint, store, this.#finalityDepth),
      chain.retry,
    )
    for (const change of changes) {
      const settled = await writeDown(this.#parts, change)
      if (settled !== undefined) return settled
    }
    const current = await this.#current()
    return current === undefined ? { state: 'idle' } : pending(current)
  }

  /**
   * Sends the pending transaction again where no node knows it, and replaces it by one with higher fees where
   * it is stuck. Nothing happens to one that is no longer good: it may be lost.
   * @param stillGood whether it would still succeed (deposit root and deadline)
   */
  async keepAlive(stillGood: boolean): Promise<KeptAlive> {
    const transaction = await this.#current()
    if (transaction === undefined || !stillGood) return 'nothing'
    const attempt = newestAttempt(transaction)
    if (!(await isKnown(this.#parts.chain.endpoints, attempt.hash))) {
      const refusal = await this.#offer(attempt)
      if (refusal === undefined) {
        const fields = { hash: attempt.hash, nonce: transaction.nonce }
        this.#parts.logger.info(
          fields,
          `no node knew the ${transaction.kind}’s transaction: it is sent again`,
        )
        return 'sent again'
      }
      if (refusal.code !== 'TRANSACTION_UNDERPRICED') return 'refused'
    }
    const age = this.#seconds() - attempt.createdAt
    if (age < this.#stuckAfter || transaction.sender !== this.#sender) return 'nothing'
    if (await this.#isBlocked(transaction)) return 'blocked'
    return this.#replace(transaction, attempt, age)
  }

  /**
   * Signs, writes down and sends a transaction: with the nonce of the one that is not mined yet, which it
   * replaces, else with the wallet's next one. (A lower nonce where another transaction of the wallet, which the
   * one that is not mined yet came after, has vanished: else nothing would ever be mined.)
   * @throws UnavailableError FEES_TOO_HIGH where replacing the other costs too much (nothing was sent then);
   *   DvtExitError INSUFFICIENT_FUNDS, TRANSACTION_UNDERPRICED, TRANSACTION_REFUSED and UnavailableError
   *   NOT_SENT after it was written down: settle and keepAlive go on with it
   */
  async send(wanted: TransactionToSend): Promise<VaultTransaction> {
    const { store, logger, chain } = this.#parts
    const inFlight = await this.#ownFlight()
    const nonce = Math.min(await this.#nextNonce(), inFlight?.[0].nonce ?? Number.POSITIVE_INFINITY)
    const replaced = inFlight?.[0].nonce === nonce ? inFlight : undefined
    const fees = await this.#feesBeside(replaced, wanted.fees)
    const attempt = await this.#sign({ ...wanted, nonce }, fees)
    const { data: _data, value: _value, gas: _gas, fees: _fees, ...facts } = wanted
    const same = replaced?.find(({ attempts }) => attempts.some(({ hash }) => hash === attempt.hash))
    const transaction = same ?? (await store.add({ ...facts, sender: this.#sender, nonce }, attempt))
    const fields = { hash: attempt.hash, nonce, maxFee: formatGwei(fees.maxFeePerGas) }
    if (replaced !== undefined)
      logger.info(fields, `this ${wanted.kind} replaces a transaction that was not mined`)
    await broadcast(chain.endpoints, attempt.raw)
    logger.info(fields, `${wanted.kind} of ${wanted.publicKeys.length} validators sent`)
    return transaction
  }

  /** Whether it waits for an earlier transaction of the wallet, which higher fees would not change. */
  async #isBlocked({ nonce, kind }: VaultTransaction): Promise<boolean> {
    const { chain, logger } = this.#parts
    const mined = await chain.transactionCount(this.#sender, 'latest')
    if (mined >= nonce) return false
    if (this.#troubles.begins('blocked', String(mined))) {
      logger.warn({ nonce }, `the ${kind} waits for the wallet’s transaction with nonce ${mined}`)
    }
    return true
  }

  async #replace(transaction: VaultTransaction, previous: Attempt, age: number): Promise<KeptAlive> {
    const { store, logger, limits } = this.#parts
    const wanted = await this.fees()
    const fees = replacementFees(previous.fees, wanted.fees)
    const fields = { nonce: transaction.nonce, maxFee: formatGwei(fees.maxFeePerGas) }
    if (isTooHigh(fees, limits.maxFeePerGas)) {
      if (this.#troubles.begins('fees', previous.hash)) {
        const limit = formatGwei(limits.maxFeePerGas)
        logger.warn(
          { ...fields, limit },
          'the transaction is stuck, and replacing it costs too much: waiting',
        )
      }
      return 'fees too high'
    }
    this.#troubles.ends('fees')
    const attempt = await this.#sign(contentOf(previous.raw), fees)
    await store.addAttempt(transaction.id, attempt)
    logger.info({ ...fields, hash: attempt.hash }, `not mined for ${age} s: replaced with higher fees`)
    return (await this.#offer(attempt)) === undefined ? 'replaced' : 'refused'
  }

  /** Undefined where a node took it, else why none did, which is said once. */
  async #offer(attempt: Attempt): Promise<DvtExitError | undefined> {
    try {
      await broadcast(this.#parts.chain.endpoints, attempt.raw)
      this.#troubles.ends('offer')
      return undefined
    } catch (error) {
      if (!(error instanceof DvtExitError)) throw error
      if (this.#troubles.begins('offer', error.code)) this.#parts.logger.warn(describeError(error))
      return error
    }
  }

  /** The transaction that is waited for: the newest of its nonce, this wallet's before another's. */
  async #current(): Promise<VaultTransaction | undefined> {
    return (await this.#ownFlight())?.at(-1) ?? (await this.#parts.store.inFlight()).at(-1)
  }

  /** The lowest nonce of this wallet that is not mined. There are two only after a reorganisation. */
  async #ownFlight(): Promise<Flight | undefined> {
    const all = await this.#parts.store.inFlight()
    const [lowest] = flightsOf(all.filter(({ sender }) => sender === this.#sender))
    return lowest
  }

  /** A node that lags behind must not give a nonce away a second time. */
  async #nextNonce(): Promise<number> {
    const { chain, store } = this.#parts
    const count = await chain.transactionCount(this.#sender, 'pending')
    const used = await store.lastUsedNonce(this.#sender)
    return used === undefined ? count : Math.max(count, used + 1)
  }

  /** Nodes that still have a transaction of the nonce take another only at higher fees. */
  async #feesBeside(replaced: Flight | undefined, wanted: Fees): Promise<Fees> {
    const { chain, limits } = this.#parts
    let fees = wanted
    for (const attempt of (replaced ?? []).flatMap(({ attempts }) => attempts)) {
      if (await isKnown(chain.endpoints, attempt.hash)) fees = replacementFees(attempt.fees, fees)
    }
    if (!isTooHigh(fees, limits.maxFeePerGas)) return fees
    throw new UnavailableError(
      'FEES_TOO_HIGH',
      `the transaction needs ${formatGwei(fees.maxFeePerGas)}, the limit is ${formatGwei(limits.maxFeePerGas)}`,
      { hint: 'It is tried again; raise MAX_FEE_PER_GAS_GWEI to pay more' },
    )
  }

  async #sign(content: TransactionContent, fees: Fees): Promise<Attempt> {
    const { account, chainId } = this.#parts
    return { ...(await signTransaction(account, chainId, content, fees)), fees, createdAt: this.#seconds() }
  }

  #seconds(): number {
    return Math.floor(this.#parts.clock.now() / 1000)
  }
}

function pending(transaction: VaultTransaction): Settlement {
  const { hash } = newestAttempt(transaction)
  return { state: 'pending', transaction, since: transaction.createdAt, hash }
}
