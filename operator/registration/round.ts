/** One round: settles what was sent, and registers the next validators or says why not. */
import { formatEther } from 'viem'
import type { ExecutionClient } from '../../core/clients/execution.js'
import { isRefusal, revertDataOf } from '../../core/clients/json-rpc.js'
import type { Clock } from '../../core/clock.js'
import { describeError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import type { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import type { ApprovalParams } from '../../core/vault/approval-params.js'
import { describeRevert } from '../../core/vault/revert.js'
import type { ApprovedRegistration } from '../approvals/group.js'
import type { ApprovalSubject } from '../approvals/request.js'
import { NotNow } from '../not-now.js'
import type { Fees } from '../transactions/fees.js'
import { formatGwei } from '../transactions/fees.js'
import { revertBehind } from '../transactions/hidden-revert.js'
import type { TransactionSender } from '../transactions/sender.js'
import type { Registration } from '../transactions/store/registration.js'
import type { VaultReader, VaultState } from '../vault/vault-reader.js'
import { describeWay, type Way } from '../vault/way.js'
import type { Keys } from './authority.js'
import type { BatchSource, CollectedBatch } from './batch-source.js'
import { registrationCall } from './call.js'
import type { CurrentApprovals } from './current-approvals.js'
import { refuseKnown } from './exits.js'

export interface RoundParts {
  readonly network: Network
  readonly vault: Hex
  readonly execution: Pick<ExecutionClient, 'balance' | 'estimateGas' | 'simulate'>
  readonly reader: VaultReader
  /** Known once the relayer and the vault were asked what they can. */
  readonly source: () => Promise<BatchSource>
  readonly protocolConfig: () => Promise<ProtocolConfig>
  readonly predictor: Pick<ValidatorIndexPredictor, 'outlook'>
  readonly approvals: CurrentApprovals
  readonly sender: Pick<TransactionSender, 'settle' | 'keepAlive' | 'fees' | 'send'>
  readonly keys: Pick<Keys, 'wallet'>
  readonly clock: Clock
  readonly logger: Logger
  /** Does everything up to the transaction. */
  readonly dryRun: boolean
}

/** A registration that was only prepared. */
export interface PreparedTransaction {
  readonly from: Hex
  readonly to: Hex
  readonly data: Hex
  readonly gas: bigint
  readonly fees: Fees
  readonly publicKeys: readonly Hex[]
  readonly startIndex: number
  readonly registryRoot: Hex
  readonly deadline: bigint
  readonly vault: Hex
  readonly way: Way['kind']
}

export type RoundOutcome =
  | { readonly kind: 'mined' | 'reverted' | 'superseded' | 'sent'; readonly registration: Registration }
  | { readonly kind: 'prepared'; readonly transaction: PreparedTransaction }

/** The estimate is for the state now: rewards and other deposits may change what is written. In percent. */
const GAS_MARGIN = 125n

export class Round {
  readonly #parts: RoundParts
  #way = ''

  constructor(parts: RoundParts) {
    this.#parts = parts
  }

  /**
   * @throws NotNow with the reason why nothing is registered; DvtExitError where something outside does not work
   */
  async run(signal: AbortSignal): Promise<RoundOutcome> {
    const settled = await this.#settle()
    if (settled !== undefined) return settled
    const { reader, vault } = this.#parts
    const state = await reader.state()
    this.#sayWay(state)
    assertWay(state)
    const config = await this.#parts.protocolConfig()
    const source = await this.#parts.source()
    const chosen = await source.choose(state, batchLimitOf(config))
    await this.#assertPayable()

    const batch = await chosen.collect(config, signal)
    const { startIndex, registryRoot } = batch
    const { forOracles, forContract } = batch.authority
    const subject = { ...subjectOf(batch), vault, authority: forOracles }
    const approved = await this.#approvals(subject, config, state.minOracles, signal)
    await this.#assertSameDeposits(batch, subject.publicKeys)
    const approval = approvalParams(subject, approved)
    const call = registrationCall(vault, forContract, approval, state.harvest)
    return this.#finish({
      ...call,
      publicKeys: subject.publicKeys,
      startIndex,
      registryRoot,
      deadline: approved.deadline,
      vault,
      way: state.way.kind,
    })
  }

  #sayWay({ version, way }: VaultState): void {
    const text = `the vault ${this.#parts.vault} (version ${version}) registers validators by ${describeWay(way)}`
    if (text !== this.#way) this.#parts.logger.info(text)
    this.#way = text
  }

  /** Nothing new is begun while a transaction may still be mined as it was meant. */
  async #settle(): Promise<RoundOutcome | undefined> {
    const { sender, predictor, clock, dryRun } = this.#parts
    // That is the work of the agent that sent it, which may run beside.
    if (dryRun) return undefined
    const settlement = await sender.settle()
    if (settlement.state === 'idle') return undefined
    const { registration } = settlement
    if (settlement.state !== 'pending') return { kind: settlement.state, registration }
    const { depositRoot } = await predictor.outlook([])
    const inTime = registration.deadline > BigInt(Math.floor(clock.now() / 1000))
    const stillGood = depositRoot === registration.registryRoot && inTime
    await sender.keepAlive(stillGood)
    if (!stillGood) return undefined
    throw new NotNow('TRANSACTION_PENDING', `the transaction ${settlement.hash} waits to be mined`)
  }

  async #assertPayable(): Promise<void> {
    const { execution, keys, sender } = this.#parts
    const [balance, { fees, tooHigh }] = await Promise.all([
      execution.balance(keys.wallet.address),
      sender.fees(),
    ])
    if (balance === 0n) throw tooPoor(keys.wallet.address, balance)
    if (tooHigh) throw feesTooHigh(fees)
  }

  async #approvals(
    subject: ApprovalSubject,
    config: ProtocolConfig,
    wanted: number,
    signal: AbortSignal,
  ): Promise<ApprovedRegistration> {
    const outcome = await this.#parts.approvals.of(subject, config).collect(wanted, signal)
    if ('approved' in outcome) return outcome.approved
    await this.#assertSameDeposits(
      { startIndex: subject.validatorIndex, registryRoot: subject.validatorsRoot },
      subject.publicKeys,
    )
    const likely =
      outcome.refusals > 0
        ? {
            hint: `The registry root is unchanged: most likely they count another index than ${subject.validatorIndex}`,
          }
        : {}
    throw new NotNow('TOO_FEW_APPROVALS', outcome.missing, { level: 'warn', detail: '', ...likely })
  }

  /** @throws NotNow where a deposit landed since, so that root and index are others */
  async #assertSameDeposits(
    { startIndex, registryRoot }: Pick<CollectedBatch, 'startIndex' | 'registryRoot'>,
    publicKeys: readonly Hex[],
  ): Promise<void> {
    const { index, depositRoot, known } = await this.#parts.predictor.outlook(publicKeys)
    refuseKnown(known)
    if (depositRoot === registryRoot && index === startIndex) return
    throw new NotNow('REGISTRY_MOVED', 'another deposit landed meanwhile: starting over', {
      soon: true,
      detail: registryRoot,
    })
  }

  async #finish(transaction: Omit<PreparedTransaction, 'from' | 'gas' | 'fees'>): Promise<RoundOutcome> {
    const { keys, sender, execution, dryRun } = this.#parts
    const from = keys.wallet.address
    const gas = await this.#estimateGas(from, transaction)
    const { fees, tooHigh } = await sender.fees()
    if (tooHigh) throw feesTooHigh(fees)
    const balance = await execution.balance(from)
    const most = gas * fees.maxFeePerGas
    if (balance < most) throw tooPoor(from, balance, most)
    const prepared = { ...transaction, from, gas, fees }
    if (dryRun) return { kind: 'prepared', transaction: prepared }
    return { kind: 'sent', registration: await sender.send(prepared) }
  }

  async #estimateGas(from: Hex, { to, data }: { readonly to: Hex; readonly data: Hex }): Promise<bigint> {
    try {
      return ((await this.#parts.execution.estimateGas({ from, to, data })) * GAS_MARGIN) / 100n
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#parts.approvals.forget()
      const { execution } = this.#parts
      const own = revertDataOf(error)
      const revert = await revertBehind(own, { from, to, data }, (call) => execution.simulate(call))
      const isRevert = revert !== undefined || /revert/i.test(error.message)
      const { name, meaning } = describeRevert(revert)
      throw new NotNow(
        'WOULD_REVERT',
        isRevert
          ? `the registration would revert with ${name}: ${meaning}`
          : `the gas of the registration cannot be estimated: ${describeError(error)}`,
        { level: 'warn', detail: name, cause: error },
      )
    }
  }
}

function assertWay(state: VaultState): asserts state is VaultState & { readonly way: Way } {
  if (state.way.kind !== 'none') return
  throw new NotNow('VAULT_REGISTERS_NOTHING', `the vault cannot register validators: ${state.way.reason}`, {
    level: 'warn',
  })
}

/** @throws NotNow where the config names none */
export function batchLimitOf({ validatorsApprovalBatchLimit }: ProtocolConfig): number {
  if (validatorsApprovalBatchLimit !== undefined) return validatorsApprovalBatchLimit
  throw new NotNow('INVALID_PROTOCOL_CONFIG', 'the protocol config has no validators_approval_batch_limit', {
    level: 'warn',
  })
}

function subjectOf({ startIndex, registryRoot, bytes, validators }: CollectedBatch) {
  return {
    validatorIndex: startIndex,
    validatorsRoot: registryRoot,
    validators: bytes,
    publicKeys: validators.map(({ deposit }) => deposit.publicKey),
    depositSignatures: validators.map(({ deposit }) => deposit.signature),
    publicKeyShards: validators.map(({ oracleParts }) => oracleParts.publicKeys),
    exitSignatureShards: validators.map(({ oracleParts }) => oracleParts.encryptedExitSignatures),
  }
}

function approvalParams(subject: ApprovalSubject, approved: ApprovedRegistration): ApprovalParams {
  return {
    validatorsRegistryRoot: subject.validatorsRoot,
    deadline: approved.deadline,
    validators: subject.validators,
    signatures: approved.signatures,
    exitSignaturesIpfsHash: approved.ipfsHash,
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
