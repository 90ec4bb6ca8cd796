import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import type { Fees } from '../fees.js'

/**
 * sent: signed and written down, perhaps with nodes, not mined yet. mined: in a block that a reorganisation
 * may still undo. final: deep enough. failed: mined but reverted. superseded: its nonce went to another
 * transaction.
 */
export type TransactionState = 'sent' | 'mined' | 'final' | 'failed' | 'superseded'

interface Facts {
  readonly vault: Hex
  /** How the vault registers, for people. */
  readonly way: string
  readonly to: Hex
  readonly publicKeys: readonly PublicKeyHex[]
}

/** What a registration is of. */
export interface RegistrationFacts extends Facts {
  readonly kind: 'registration'
  /** The validator index that the first public key's exit was signed for. */
  readonly startIndex: number
  /** The deposit root that it holds for. */
  readonly registryRoot: Hex
  /** Seconds since 1970: what the oracles' approval holds until. */
  readonly deadline: bigint
}

/** What the validators manager does with validators that there are. */
export interface ManagedFacts extends Facts {
  readonly kind: 'funding' | 'withdrawal' | 'consolidation'
  /** The vault's nonce that the manager's signature holds for; undefined where the manager itself sends. */
  readonly managerNonce: bigint | undefined
}

export type TransactionFacts = RegistrationFacts | ManagedFacts

/** One signed transaction. */
export interface Attempt {
  readonly hash: Hex
  readonly raw: Hex
  readonly fees: Fees
  /** Seconds since 1970. */
  readonly createdAt: number
}

/** What is known of one that was sent. */
export interface SentFields {
  readonly id: number
  readonly sender: Hex
  readonly nonce: number
  /** Seconds since 1970. */
  readonly createdAt: number
  readonly state: TransactionState
  /** Where it was mined, or where it was seen to be superseded (without a hash). */
  readonly block: { readonly number: bigint; readonly hash: Hex | undefined } | undefined
  readonly minedHash: Hex | undefined
  readonly gasUsed: bigint | undefined
  /** Whether the validators' real indexes have been compared with the expected ones. */
  readonly indexChecked: boolean
  /** Why it failed, one line. */
  readonly failure: string | undefined
  /** The oldest first, at least one. */
  readonly attempts: readonly [Attempt, ...Attempt[]]
}

/** One transaction with all its attempts, which differ in their fees only. */
export type VaultTransaction = TransactionFacts & SentFields

export type Registration = RegistrationFacts & SentFields

/** The attempt sent last. */
export function newestAttempt(transaction: VaultTransaction): Attempt {
  return transaction.attempts.at(-1) ?? transaction.attempts[0]
}
