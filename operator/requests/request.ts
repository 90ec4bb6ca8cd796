/** One request of the vault to the consensus layer, from the question whether to send it until it is mined. */
import { formatUnits } from 'viem'
import type { ExecutionClient } from '../../core/clients/execution.js'
import type { Clock } from '../../core/clock.js'
import { ConfigurationError, DvtExitError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import type { ManagedRequest, ManagerSigner } from '../manager/signer.js'
import { NotNow } from '../not-now.js'
import { Dispatch, type PreparedTransaction } from '../transactions/dispatch.js'
import type { TransactionSender } from '../transactions/sender.js'
import { isStillGood, type StillGoodParts } from '../transactions/still-good.js'
import type { VaultTransaction } from '../transactions/store/transaction.js'
import type { VaultReader } from '../vault/vault-reader.js'
import { describeWay } from '../vault/way.js'

export interface RequestParts extends StillGoodParts {
  readonly network: Network
  readonly vault: Hex
  readonly execution: Pick<ExecutionClient, 'call' | 'balance' | 'estimateGas' | 'simulate'>
  readonly reader: Pick<VaultReader, 'way' | 'managerNonce'>
  readonly sender: Pick<TransactionSender, 'settle' | 'keepAlive' | 'fees' | 'send'>
  readonly manager: ManagerSigner
  /** The wallet's address. */
  readonly from: Hex
  readonly clock: Clock
  readonly logger: Logger
  /** Asks a person; throws where nobody says yes. */
  readonly confirm: (question: string) => Promise<void>
  readonly dryRun: boolean
}

/** What is requested. */
export interface ValidatorRequest {
  readonly request: Extract<ManagedRequest, { kind: 'withdrawal' | 'consolidation' }>
  readonly publicKeys: readonly PublicKeyHex[]
  /** What will happen, a question to a person. */
  readonly question: string
  /** The system contract that takes it, and how many requests that makes. */
  readonly contract: Hex
  readonly count: number
  /** Gwei: most that one may cost. */
  readonly maxRequestFee: number
  /** The vault's function with the manager's signature. */
  readonly call: (signature: Hex) => Promise<Hex>
}

/** The fee may rise until the transaction is mined; the vault gives back what is left. */
const FEE_MARGIN = 2n
const GWEI_DECIMALS = 9
/** Milliseconds. */
const LOOK_INTERVAL = 2_000

/**
 * @returns the mined transaction; what would be sent in a dry run; undefined where it was stopped
 * @throws ConfigurationError NO_VALIDATORS_MANAGER; DvtExitError REQUEST_FEE_TOO_HIGH, REQUEST_REVERTED; NotNow
 *   where the manager does not sign, or the transaction cannot be paid or would revert
 */
export async function sendRequest(
  wanted: ValidatorRequest,
  parts: RequestParts,
  signal: AbortSignal,
): Promise<VaultTransaction | PreparedTransaction | undefined> {
  const { network, vault, reader, execution, dryRun } = parts
  const { way } = await reader.way()
  if (way.kind !== 'manager' || !way.compounding) {
    throw new ConfigurationError(
      'NO_VALIDATORS_MANAGER',
      `the vault ${vault} takes no such request: it registers by ${describeWay(way)}`,
      { hint: 'Vaults of version 5 (Gnosis 3) with a validators manager do' },
    )
  }
  const fee = await requestFee(execution, wanted)
  if (!dryRun) await settle(parts, signal)
  if (signal.aborted) return undefined
  const cost = formatUnits(fee * BigInt(wanted.count), GWEI_DECIMALS)
  await parts.confirm(`${wanted.question} The chain charges ${cost} Gwei`)

  const nonce = await reader.managerNonce()
  const signature = await parts.manager.sign(wanted.request, { network, vault, manager: way.manager, nonce })
  const outcome = await new Dispatch(parts).send({
    kind: wanted.request.kind,
    vault,
    way: way.kind,
    to: vault,
    data: await wanted.call(signature ?? '0x'),
    value: fee * BigInt(wanted.count) * FEE_MARGIN,
    publicKeys: wanted.publicKeys,
    managerNonce: signature === undefined ? undefined : nonce,
  })
  if (outcome.kind === 'prepared') return outcome.transaction
  return mined(outcome.transaction.id, parts, signal)
}

/** Wei for one request: the system contract answers an empty call with it (EIP-7002, EIP-7251). */
async function requestFee(
  execution: RequestParts['execution'],
  { contract, maxRequestFee, request }: ValidatorRequest,
): Promise<bigint> {
  const fee = BigInt(await execution.call(contract, '0x'))
  if (fee <= BigInt(maxRequestFee) * 10n ** 9n) return fee
  throw new DvtExitError(
    'REQUEST_FEE_TOO_HIGH',
    `the chain charges ${formatUnits(fee, GWEI_DECIMALS)} Gwei for one ${request.kind}, more than the limit of ${maxRequestFee}`,
    { hint: `Try later, or raise --max-${request.kind}-request-fee-gwei` },
  )
}

/** Waits until nothing that was sent before may still be mined as it was meant. */
async function settle(parts: RequestParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const settlement = await parts.sender.settle()
    if (settlement.state === 'idle') return
    if (settlement.state !== 'pending') continue
    const stillGood = await isStillGood(settlement.transaction, parts)
    await parts.sender.keepAlive(stillGood)
    if (!stillGood) return
    parts.logger.info(`the ${settlement.transaction.kind} ${settlement.hash} waits to be mined first`)
    await parts.clock.sleep(LOOK_INTERVAL, signal)
  }
}

async function mined(
  id: number,
  parts: RequestParts,
  signal: AbortSignal,
): Promise<VaultTransaction | undefined> {
  while (!signal.aborted) {
    const settlement = await parts.sender.settle()
    if (settlement.state === 'idle') break
    const { transaction } = settlement
    if (settlement.state === 'pending') {
      await parts.sender.keepAlive(await isStillGood(transaction, parts))
      await parts.clock.sleep(LOOK_INTERVAL, signal)
      continue
    }
    if (transaction.id !== id) continue
    if (settlement.state === 'mined') return transaction
    throw new NotNow(
      'REQUEST_FAILED',
      settlement.state === 'reverted'
        ? `the ${transaction.kind} reverted: ${transaction.failure}`
        : `another transaction of the wallet took the place of the ${transaction.kind}`,
      { level: 'warn', hint: 'Run it again' },
    )
  }
  return undefined
}
