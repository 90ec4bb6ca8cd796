/** DepositEvents of the deposit contract, and what it says about their number. */
import { decodeAbiParameters, encodeFunctionData, getAbiItem, parseAbi, toEventSelector } from 'viem'
import type { BlockId, ExecutionApi, Log } from '../clients/execution.js'
import { DvtExitError, UnavailableError } from '../errors.js'
import { fromHex, type Hex, type PublicKeyHex } from '../hex.js'

const abi = parseAbi([
  'event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)',
  'function get_deposit_count() view returns (bytes)',
  'function get_deposit_root() view returns (bytes32)',
])

/** Topic 0 of DepositEvent. */
export const DEPOSIT_EVENT = toEventSelector(getAbiItem({ abi, name: 'DepositEvent' }))
const FIELDS = getAbiItem({ abi, name: 'DepositEvent' }).inputs.map(({ name }) => ({ name, type: 'bytes' }))
const GET_DEPOSIT_COUNT = encodeFunctionData({ abi, functionName: 'get_deposit_count' })
const GET_DEPOSIT_ROOT = encodeFunctionData({ abi, functionName: 'get_deposit_root' })

/** What a deposit says, whoever sent it. */
export interface Deposit {
  readonly publicKey: PublicKeyHex
  /** 32 bytes */
  readonly withdrawalCredentials: Hex
  /** Gwei */
  readonly amount: bigint
  /** 96 bytes, valid or not */
  readonly signature: Hex
}

/** A deposit as the contract logged it. */
export interface DepositEvent extends Deposit {
  /** Its number among all deposits, from 0. */
  readonly index: number
  readonly blockNumber: bigint
  readonly blockHash: Hex
}

/** @throws DvtExitError INVALID_EVENT for a log that the deposit contract cannot have emitted */
export function decodeDepositEvent(log: Log): DepositEvent {
  try {
    const [publicKey, withdrawalCredentials, amount, signature, index] = decodeAbiParameters(
      FIELDS,
      log.data,
    ) as Hex[]
    return {
      publicKey: sized(publicKey, 48),
      withdrawalCredentials: sized(withdrawalCredentials, 32),
      amount: littleEndian(sized(amount, 8)),
      signature: sized(signature, 96),
      index: Number(littleEndian(sized(index, 8))),
      blockNumber: log.blockNumber,
      blockHash: log.blockHash,
    }
  } catch (cause) {
    throw new DvtExitError(
      'INVALID_EVENT',
      `the log ${log.logIndex} of block ${log.blockNumber} is no DepositEvent`,
      { cause, hint: 'Check the deposit contract of the network' },
    )
  }
}

/** How many deposits there were at the end of a block. Throws as ExecutionApi.call does. */
export async function readDepositCount(
  execution: ExecutionApi,
  contract: Hex,
  block: BlockId,
): Promise<number> {
  const answer = await execution.call(contract, GET_DEPOSIT_COUNT, block)
  try {
    const [count] = decodeAbiParameters([{ type: 'bytes' }], answer)
    return Number(littleEndian(sized(count, 8)))
  } catch (cause) {
    throw noDepositContract(contract, cause)
  }
}

/** The deposit root at the end of a block, 32 bytes. Throws as ExecutionApi.call does. */
export async function readDepositRoot(execution: ExecutionApi, contract: Hex, block: BlockId): Promise<Hex> {
  const answer = await execution.call(contract, GET_DEPOSIT_ROOT, block)
  if (answer.length !== 66) throw noDepositContract(contract, undefined)
  return answer
}

function noDepositContract(contract: Hex, cause: unknown): UnavailableError {
  return new UnavailableError('UNEXPECTED_ANSWER', `${contract} does not answer as a deposit contract does`, {
    cause,
    hint: 'Check that the execution endpoint is on the right network',
  })
}

function sized(value: Hex | undefined, length: number): Hex {
  if (value?.length !== 2 + 2 * length) throw new RangeError(`expected ${length} bytes`)
  return value
}

function littleEndian(value: Hex): bigint {
  return Buffer.from(fromHex(value, 8)).readBigUInt64LE()
}
