/** How validators are given to a vault: their bytes one after the other, whose total length tells their type. */
import { concatHex, numberToHex } from 'viem'
import { fromHex, type Hex, toHex } from '../hex.js'
import { type DepositMessage, depositDataRoot, type ValidatorType } from '../messages/deposit.js'

/** pubkey 48 ‖ deposit signature 96 ‖ deposit data root 32; 0x02: ‖ amount in Gwei, 8 bytes big-endian. */
const LENGTHS = { '0x01': 176, '0x02': 184 } as const

/** A deposit with the validator's signature over it, 96 bytes. */
export type SignedDeposit = DepositMessage & { readonly signature: Hex }

/** One validator's bytes: 176 of type 0x01, whose amount is implied, or 184 of type 0x02. */
export function validatorBytes(type: ValidatorType, deposit: SignedDeposit): Hex {
  const root = toHex(depositDataRoot(deposit, fromHex(deposit.signature, 96)))
  const amount = type === '0x02' ? [numberToHex(deposit.amount, { size: 8 })] : []
  return concatHex([deposit.publicKey, deposit.signature, root, ...amount])
}

/**
 * Whether the total length of so many validators is one of the other type too, so that no vault of version 5
 * takes them at once: 23 · k of 0x01, 22 · k of 0x02.
 */
export function isAmbiguousLength(type: ValidatorType, count: number): boolean {
  const total = LENGTHS[type] * count
  return total % LENGTHS['0x01'] === 0 && total % LENGTHS['0x02'] === 0
}

/** How many of so many validators a vault takes at once: the last one waits where the length is ambiguous. */
export function sendableCount(type: ValidatorType, count: number): number {
  return count > 0 && isAmbiguousLength(type, count) ? count - 1 : count
}
