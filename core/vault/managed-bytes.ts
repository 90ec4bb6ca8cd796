/** What the validators manager does with a vault's validators, as the vault takes it (chain.md, "Signatures"). */
import { concatHex, numberToHex } from 'viem'
import type { Hex, PublicKeyHex } from '../hex.js'
import { withdrawalCredentials } from '../messages/deposit.js'
import { validatorBytes } from './validator-bytes.js'

/** An amount for one validator. */
export interface KeyAmount {
  readonly publicKey: PublicKeyHex
  /** Gwei. */
  readonly amount: bigint
}

/** A validator whose balance goes to another, or to itself so that it becomes compounding. */
export interface Consolidation {
  readonly source: PublicKeyHex
  readonly target: PublicKeyHex
}

/** The chain looks at a deposit's signature only where the key is new. */
const NO_SIGNATURE: Hex = `0x${'00'.repeat(96)}`

/** Top-ups: the bytes of compounding validators with signatures of zeros, 184 bytes each. */
export function fundingBytes(vault: Hex, amounts: readonly KeyAmount[]): Hex {
  const credentials = withdrawalCredentials('0x02', vault)
  const deposits = amounts.map((one) => ({
    ...one,
    withdrawalCredentials: credentials,
    signature: NO_SIGNATURE,
  }))
  return concatHex(deposits.map((deposit) => validatorBytes('0x02', deposit)))
}

/** Withdrawals: public key ‖ amount in Gwei, 8 bytes big-endian; 56 bytes each. An amount of 0 is an exit. */
export function withdrawalBytes(amounts: readonly KeyAmount[]): Hex {
  return concatHex(amounts.flatMap(({ publicKey, amount }) => [publicKey, numberToHex(amount, { size: 8 })]))
}

/** Consolidations: the source's public key ‖ the target's; 96 bytes each. */
export function consolidationBytes(consolidations: readonly Consolidation[]): Hex {
  return concatHex(consolidations.flatMap(({ source, target }) => [source, target]))
}
