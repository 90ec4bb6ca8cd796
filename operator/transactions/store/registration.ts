import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import type { Fees } from '../fees.js'

/**
 * sent: signed and written down, perhaps with nodes, not mined yet. mined: in a block that a reorganisation
 * may still undo. final: deep enough. failed: mined but reverted. superseded: its nonce went to another
 * transaction.
 */
export type RegistrationState = 'sent' | 'mined' | 'final' | 'failed' | 'superseded'

/** What a registration is of. */
export interface RegistrationFacts {
  readonly vault: Hex
  /** How the vault registers, for people. */
  readonly way: string
  readonly to: Hex
  readonly publicKeys: readonly PublicKeyHex[]
  /** The validator index that the first public key's exit was signed for. */
  readonly startIndex: number
  /** The deposit root that it holds for. */
  readonly registryRoot: Hex
  /** Seconds since 1970: what the oracles' approval holds until. */
  readonly deadline: bigint
}

/** One signed transaction. */
export interface Attempt {
  readonly hash: Hex
  readonly raw: Hex
  readonly fees: Fees
  /** Seconds since 1970. */
  readonly createdAt: number
}

/** One registration with all its attempts, which differ in their fees only. */
export interface Registration extends RegistrationFacts {
  readonly id: number
  readonly sender: Hex
  readonly nonce: number
  /** Seconds since 1970. */
  readonly createdAt: number
  readonly state: RegistrationState
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

/** The attempt sent last. */
export function newestAttempt(registration: Registration): Attempt {
  return registration.attempts.at(-1) ?? registration.attempts[0]
}
