/** One round: settles what was sent, tops validators up or registers the next ones, or says why not. */
import type { ExecutionClient } from '../../core/clients/execution.js'
import type { Clock } from '../../core/clock.js'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import type { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import type { ApprovalParams } from '../../core/vault/approval-params.js'
import type { ApprovedRegistration } from '../approvals/group.js'
import type { ApprovalSubject } from '../approvals/request.js'
import type { Funding, PlannedFunding } from '../funding/funding.js'
import { NotNow } from '../not-now.js'
import { type Call, Dispatch, type DispatchOutcome } from '../transactions/dispatch.js'
import type { TransactionSender } from '../transactions/sender.js'
import type { Settled } from '../transactions/settling.js'
import { isStillGood } from '../transactions/still-good.js'
import type { VaultTransaction } from '../transactions/store/transaction.js'
import type { VaultReader, VaultState } from '../vault/vault-reader.js'
import { describeWay, type Way } from '../vault/way.js'
import type { Keys } from './authority.js'
import type { BatchSource, CollectedBatch } from './batch-source.js'
import { registrationCall } from './call.js'
import type { CurrentApprovals } from './current-approvals.js'
import { assertSameDeposits } from './exits.js'

export interface RoundParts {
  readonly network: Network
  readonly vault: Hex
  readonly execution: Pick<ExecutionClient, 'balance' | 'estimateGas' | 'simulate'>
  readonly reader: VaultReader
  /** Known once the relayer and the vault were asked what they can. Without funding nothing is topped up. */
  readonly source: () => Promise<{ readonly source: BatchSource; readonly funding: Funding | undefined }>
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

export type RoundOutcome =
  | { readonly kind: Settled['state']; readonly transaction: VaultTransaction }
  | DispatchOutcome

export class Round {
  readonly #parts: RoundParts
  readonly #dispatch: Dispatch
  #way = ''

  constructor(parts: RoundParts) {
    this.#parts = parts
    this.#dispatch = new Dispatch({ ...parts, from: parts.keys.wallet.address })
  }

  /**
   * @throws NotNow with the reason why nothing is done; DvtExitError where something outside does not work
   */
  async run(signal: AbortSignal): Promise<RoundOutcome> {
    const settled = await this.#settle()
    if (settled !== undefined) return settled
    const { reader, vault } = this.#parts
    const state = await reader.state()
    this.#sayWay(state)
    assertWay(state)
    const config = await this.#parts.protocolConfig()
    const { source, funding } = await this.#parts.source()
    const topUp = await funding?.next(state)
    if (topUp !== undefined) return this.#topUp(topUp)
    const chosen = await source.choose(state, batchLimitOf(config))
    await this.#dispatch.assertPayable()

    const batch = await chosen.collect(config, signal)
    const { startIndex, registryRoot } = batch
    const { forOracles, forContract } = batch.authority
    const subject = { ...subjectOf(batch), vault, authority: forOracles }
    const approved = await this.#approvals(subject, config, state.minOracles, signal)
    await assertSameDeposits(this.#parts.predictor, batch, subject.publicKeys)
    const approval = approvalParams(subject, approved)
    const call = registrationCall(vault, forContract, approval, state.harvest)
    return this.#send({
      ...call,
      kind: 'registration',
      value: 0n,
      publicKeys: subject.publicKeys,
      startIndex,
      registryRoot,
      deadline: approved.deadline,
      vault,
      way: state.way.kind,
    })
  }

  /** What the Keeper did not like are the approvals: new ones are asked for next time. */
  async #send(call: Call): Promise<RoundOutcome> {
    try {
      return await this.#dispatch.send(call)
    } catch (error) {
      if (error instanceof NotNow && error.code === 'WOULD_REVERT') this.#parts.approvals.forget()
      throw error
    }
  }

  async #topUp(planned: PlannedFunding): Promise<RoundOutcome> {
    await this.#dispatch.assertPayable()
    const outcome = await this.#dispatch.send(await planned.call())
    planned.sent()
    return outcome
  }

  #sayWay({ version, way }: VaultState): void {
    const text = `the vault ${this.#parts.vault} (version ${version}) registers validators by ${describeWay(way)}`
    if (text !== this.#way) this.#parts.logger.info(text)
    this.#way = text
  }

  /** Nothing new is begun while a transaction may still be mined as it was meant. */
  async #settle(): Promise<RoundOutcome | undefined> {
    const { sender, dryRun } = this.#parts
    // That is the work of the agent that sent it, which may run beside.
    if (dryRun) return undefined
    const settlement = await sender.settle()
    if (settlement.state === 'idle') return undefined
    const { transaction } = settlement
    if (settlement.state !== 'pending') return { kind: settlement.state, transaction }
    const stillGood = await isStillGood(transaction, this.#parts)
    await sender.keepAlive(stillGood)
    if (!stillGood) return undefined
    throw new NotNow('TRANSACTION_PENDING', `the transaction ${settlement.hash} waits to be mined`)
  }

  async #approvals(
    subject: ApprovalSubject,
    config: ProtocolConfig,
    wanted: number,
    signal: AbortSignal,
  ): Promise<ApprovedRegistration> {
    const outcome = await this.#parts.approvals.of(subject, config).collect(wanted, signal)
    if ('approved' in outcome) return outcome.approved
    await assertSameDeposits(
      this.#parts.predictor,
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
