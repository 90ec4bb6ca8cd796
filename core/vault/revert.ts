/** Why a contract refused, in the contract's word and in a person's (chain.md, "Sending"). */
import { decodeErrorResult } from 'viem'
import type { Hex } from '../hex.js'
import { revertAbi } from './abi.js'

export interface Revert {
  /** The error's name, such as InvalidProof; "no reason" where the contract gave none. */
  readonly name: string
  /** What that means for a registration, one sentence without a full stop. */
  readonly meaning: string
}

const PANIC_ARITHMETIC = 0x11n

const MEANINGS: Readonly<Record<string, string>> = {
  InvalidValidatorsRegistryRoot:
    'another deposit landed first, so the approvals are for an older registry root',
  DeadlineExpired: 'the deadline of the oracles’ approvals has passed',
  InvalidOracle:
    'a signature is not of an oracle, is over something else, or they are not in ascending order of address',
  InvalidOracles: 'the Keeper asks for no oracle at all',
  ECDSAInvalidSignature: 'a signature is malformed',
  ECDSAInvalidSignatureLength: 'a signature is malformed: it has another length than 65 bytes',
  ECDSAInvalidSignatureS: 'a signature is malformed: its s is in the upper half of the order',
  NotEnoughSignatures: 'fewer oracles signed than the Keeper asks for',
  AccessDenied:
    'the sender or the signature is not the validators manager’s, or the Keeper does not know the vault',
  InvalidValidator: 'the vault cannot read the validator’s bytes',
  InvalidValidators: 'the vault cannot read the validators’ bytes, or does not know a key that is topped up',
  InvalidAssets: 'the amount of a compounding validator is not within 32 to 2048 ETH',
  CannotTopUpV1Validators: 'a validator of type 0x01 cannot be topped up',
  InvalidProof: 'a merkle proof is wrong: other deposit data, another index, or another reward',
  NotHarvested: 'the vault is two rewards updates behind and must be harvested first',
  NotCollateralized: 'the vault has no validator yet',
  InvalidRewardsRoot: 'the rewards root is not one of the Keeper’s last two',
  InsufficientAssets: 'the vault has too few assets',
  InvalidVault: 'the contract does not know this vault',
  MerkleProofInvalidMultiproof: 'the merkle multiproof has not the right number of nodes',
  FailedCall: 'a call of the vault failed without a reason: most likely its balance is too low',
  InvalidSignatures: 'the signatures are not those that are asked for',
}

/**
 * Names what a call reverted with.
 * @param data the revert data; undefined or 0x where there is none
 */
export function describeRevert(data: Hex | undefined): Revert {
  if (data === undefined || data === '0x') {
    return {
      name: 'no reason',
      meaning: 'the contract gave none: most likely the vault’s balance is too low',
    }
  }
  try {
    const { errorName, args } = decodeErrorResult({ abi: revertAbi, data })
    if (errorName === 'Error')
      return { name: 'Error', meaning: `the contract says: ${printable(String(args?.[0]))}` }
    if (errorName === 'Panic') return panic(BigInt(args?.[0] ?? 0))
    return { name: errorName, meaning: MEANINGS[errorName] ?? 'this version knows no more about it' }
  } catch {
    return { name: data.slice(0, 10), meaning: 'an error that this version does not know' }
  }
}

function panic(code: bigint): Revert {
  const name = `Panic(0x${code.toString(16)})`
  return code === PANIC_ARITHMETIC
    ? { name, meaning: 'the vault’s assets are too few: part of its balance is reserved by the exit queue' }
    : { name, meaning: 'the contract came upon something impossible' }
}

function printable(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200)
}
