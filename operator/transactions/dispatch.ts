/** From a call to a transaction: gas, fees and balance looked at, then sent, or only shown. */
import { formatEther } from 'viem'
import type { ExecutionClient } from '../../core/clients/execution.js'
import { isRefusal, revertDataOf } from '../../core/clients/json-rpc.js'
import { describeError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import { describeRevert } from '../../core/vault/revert.js'
import { NotNow } from '../not-now.js'
import { type Fees, formatGwei } from './fees.js'
import { revertBehind } from './hidden-revert.js'
import type { TransactionSender } from './sender.js'
import type { TransactionFacts, VaultTransaction } from './store/transaction.js'

export interface DispatchParts {
  readonly execution: Pick<ExecutionClient, 'balance' | 'estimateGas' | 'simulate'>
  readonly sender: Pick<TransactionSender, 'fees' | 'send'>
  /** The wallet's address. */
  readonly from: Hex
  /** Does everything up to the transaction. */
  readonly dryRun: boolean
}

/** What a transaction is of, and what it calls. */
export type Call = TransactionFacts & {
  readonly data: Hex
  /** Wei. */
  readonly value: bigint
}

/** A transaction that was only prepared. */
export type PreparedTransaction = Call & {
  readonly from: Hex
  readonly gas: bigint
  readonly fees: Fees
}

export type DispatchOutcome =
  | { readonly kind: 'sent'; readonly transaction: VaultTransaction }
  | { readonly kind: 'prepared'; readonly transaction: PreparedTransaction }

/** The estimate is for the state now: rewards and other deposits may change what is written. In percent. */
const GAS_MARGIN = 125n

export class Dispatch {
  readonly #parts: DispatchParts

  constructor(parts: DispatchParts) {
    this.#parts = parts
  }

  /**
   * Before others are asked for their work: that there is anything to pay gas with, and that it is cheap enough.
   * @throws NotNow WALLET_TOO_POOR, FEES_TOO_HIGH
   */
  async assertPayable(): Promise<void> {
    const { execution, sender, from } = this.#parts
    const [balance, { fees, tooHigh }] = await Promise.all([execution.balance(from), sender.fees()])
    if (balance === 0n) throw tooPoor(from, balance)
    if (tooHigh) throw feesTooHigh(fees)
  }

  /** @throws NotNow WOULD_REVERT, FEES_TOO_HIGH, WALLET_TOO_POOR; what the sender throws */
  async send(call: Call): Promise<DispatchOutcome> {
    const { sender, execution, dryRun, from } = this.#parts
    const gas = await this.#estimateGas(call)
    const { fees, tooHigh } = await sender.fees()
    if (tooHigh) throw feesTooHigh(fees)
    const balance = await execution.balance(from)
    const most = gas * fees.maxFeePerGas + call.value
    if (balance < most) throw tooPoor(from, balance, most)
    const prepared = { ...call, from, gas, fees }
    if (dryRun) return { kind: 'prepared', transaction: prepared }
    return { kind: 'sent', transaction: await sender.send({ ...call, gas, fees }) }
  }

  async #estimateGas({ kind, to, data, value }: Call): Promise<bigint> {
    const { execution, from } = this.#parts
    try {
      return ((await execution.estimateGas({ from, to, data, value })) * GAS_MARGIN) / 100n
    } catch (error) {
      if (!isRefusal(error)) throw error
      const own = revertDataOf(error)
      const revert = await revertBehind(own, { from, to, data }, (call) => execution.simulate(call))
      const isRevert = revert !== undefined || /revert/i.test(error.message)
      const { name, meaning } = describeRevert(revert)
      throw new NotNow(
        'WOULD_REVERT',
        isRevert
          ? `the ${kind} would revert with ${name}: ${meaning}`
          : `the gas of the ${kind} cannot be estimated: ${describeError(error)}`,
        { level: 'warn', detail: name, cause: error },
      )
    }
  }
}

function feesTooHigh({ maxFeePerGas }: Fees): NotNow {
  return new NotNow(
    'FEES_TOO_HIGH',
    `gas costs up to ${formatGwei(maxFeePerGas)} now, at or above MAX_FEE_PER_GAS_GWEI: waiting`,
    { detail: '' },
  )
}

function tooPoor(wallet: Hex, balance: bigint, needed?: bigint): NotNow {
  const need = needed === undefined ? '' : `, and the transaction may cost ${formatEther(needed)}`
  return new NotNow('WALLET_TOO_POOR', `the wallet ${wallet} has ${formatEther(balance)}${need}`, {
    level: 'warn',
    detail: '',
    hint: 'Send it some of the chain’s native token for gas',
  })
}
