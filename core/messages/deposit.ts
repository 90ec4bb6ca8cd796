import { ByteVectorType, ContainerType, UintBigintType } from '@chainsafe/ssz'
import { DvtExitError } from '../errors.js'
import { fromHex, type Hex, type PublicKeyHex } from '../hex.js'
import type { Network } from '../network.js'
import { depositDomain, signingRoot } from './domain.js'

/** What a deposit signs. */
export interface DepositMessage {
  readonly publicKey: PublicKeyHex
  /** 32 bytes */
  readonly withdrawalCredentials: Hex
  /** Gwei */
  readonly amount: bigint
}

/** 0x01: withdrawals to an address; 0x02: the same, compounding to 2048 ETH. */
export type ValidatorType = '0x01' | '0x02'

/** Gwei (of mGNO on Gnosis) that a validator is registered with at least: the consensus specification's. */
export const MIN_ACTIVATION_BALANCE = 32_000_000_000n
/** Gwei that count of a validator: MAX_EFFECTIVE_BALANCE, and MAX_EFFECTIVE_BALANCE_ELECTRA of the specification. */
export const MAX_EFFECTIVE_BALANCE: Readonly<Record<ValidatorType, bigint>> = {
  '0x01': MIN_ACTIVATION_BALANCE,
  '0x02': 2_048_000_000_000n,
}

/** Whether a validator may be registered with so much, Gwei: exactly 32 ETH of type 0x01, 32 to 2048 of 0x02. */
export function isActivationAmount(type: ValidatorType, amount: bigint): boolean {
  return amount >= MIN_ACTIVATION_BALANCE && amount <= MAX_EFFECTIVE_BALANCE[type]
}

/** The same for a person, in Gwei. */
export function activationAmounts(type: ValidatorType): string {
  const most = MAX_EFFECTIVE_BALANCE[type]
  return most === MIN_ACTIVATION_BALANCE ? `exactly ${most}` : `${MIN_ACTIVATION_BALANCE} to ${most}`
}

const DepositMessageType = new ContainerType({
  pubkey: new ByteVectorType(48),
  withdrawalCredentials: new ByteVectorType(32),
  amount: new UintBigintType(8),
})
const DepositDataType = new ContainerType({
  pubkey: new ByteVectorType(48),
  withdrawalCredentials: new ByteVectorType(32),
  amount: new UintBigintType(8),
  signature: new ByteVectorType(96),
})

function fields(deposit: DepositMessage) {
  return {
    pubkey: fromHex(deposit.publicKey, 48),
    withdrawalCredentials: fromHex(deposit.withdrawalCredentials, 32),
    amount: deposit.amount,
  }
}

/** Type byte, 11 zero bytes, address: 32 bytes. */
export function withdrawalCredentials(type: ValidatorType, address: Hex): Hex {
  return `${type}${'00'.repeat(11)}${address.slice(2).toLowerCase()}`
}

/** hash_tree_root of the deposit message, 32 bytes. */
export function depositMessageRoot(deposit: DepositMessage): Uint8Array {
  return DepositMessageType.hashTreeRoot(fields(deposit))
}

/** What a validator's key signs in a deposit, 32 bytes. */
export function depositSigningRoot(network: Network, deposit: DepositMessage): Uint8Array {
  return signingRoot(depositMessageRoot(deposit), depositDomain(network))
}

/**
 * hash_tree_root of the deposit data with its signature (96 bytes), 32 bytes.
 * @throws DvtExitError INVALID_SIGNATURE for another length, which the SSZ library would hash all the same
 */
export function depositDataRoot(deposit: DepositMessage, signature: Uint8Array): Uint8Array {
  if (signature.length !== 96) {
    throw new DvtExitError('INVALID_SIGNATURE', `a signature has 96 bytes, not ${signature.length}`)
  }
  return DepositDataType.hashTreeRoot({ ...fields(deposit), signature })
}
