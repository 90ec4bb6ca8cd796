import type { Hex, PublicKeyHex } from '../../core/hex.js'

/** The oracles' parts of one exit signature, in the order of the protocol config. */
export interface OracleShares {
  /** 48 bytes each: what the i-th oracle's part verifies under. */
  readonly publicKeys: readonly PublicKeyHex[]
  /** 193 bytes each: the i-th oracle's part, encrypted to it. */
  readonly encryptedExitSignatures: readonly Hex[]
}

/** One key of `POST /validators`. */
export interface RequestedExit {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** null until the exit signature was recovered and split. */
  readonly oracleShares: OracleShares | null
}

/** One line of `GET /exits`. */
export interface ListedExit {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  readonly isExitSignatureReady: boolean
  /** Seconds since 1970. */
  readonly createdAt: number
  readonly shareIndexesReady: readonly bigint[]
}

/** A share as it was posted, 96 bytes, not checked yet. */
export interface PostedShare {
  readonly publicKey: PublicKeyHex
  readonly signature: Uint8Array
}

/** Why a share was not taken. */
export type RejectionReason =
  | 'not-a-point'
  | 'wrong-signature'
  | 'unknown-share-index'
  /** Not looked at: others fill all the slots for unproven shares of the message. */
  | 'too-many-shares'
export interface RejectedShare {
  readonly publicKey: PublicKeyHex
  readonly reason: RejectionReason
}

/** What the HTTP side asks of the relayer's core. */
export interface ExitService {
  /**
   * The exits of these keys, in this order, at the index that the beacon chain will give each: started
   * where they are new, looked up else. They are stored when this returns.
   * @throws DvtExitError INVALID_PUBLIC_KEY, DUPLICATE_PUBLIC_KEY, KNOWN_VALIDATOR, TOO_MANY_EXITS
   * @throws UnavailableError where the chain cannot be asked, ORACLES_UNKNOWN without a protocol config
   */
  requestExits(publicKeys: readonly PublicKeyHex[]): Promise<readonly RequestedExit[]>
  /** Every wanted exit, for each key the one asked for last. */
  listExits(): Promise<readonly ListedExit[]>
  /** Grows with each change of what listExits returns. */
  readonly listVersion: number
  /**
   * Takes one node's shares. What is good is stored when this returns; shares of unknown keys are ignored.
   * @param caller who posts, as callerOf names it: unproven shares have slots for each, and the work on them a budget
   * @returns the shares that were not taken
   */
  postShares(
    shareIndex: bigint,
    shares: readonly PostedShare[],
    caller: string,
  ): Promise<readonly RejectedShare[]>
}
