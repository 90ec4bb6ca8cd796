/** Validators whose exit and deposit signatures are both collected: what dialects 2 and 4 ask of the relayer's core. */
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { OracleShares, RejectedShare } from '../exits/service.js'

/** Whose deposit a validator's nodes are to sign. */
export interface WantedDeposit {
  /** In lower case. */
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei. */
  readonly amount: bigint
}

export interface WantedValidator {
  readonly publicKey: PublicKeyHex
  /** The index that its exit is signed for. */
  readonly validatorIndex: number
  readonly deposit: WantedDeposit
}

/** What has been collected of one. */
export interface CollectedValidator extends WantedValidator {
  /** The whole signature of the deposit, 96 bytes, verified; null until enough nodes have signed. */
  readonly depositSignature: Hex | null
  /** null until the exit signature was recovered and split. */
  readonly oracleShares: OracleShares | null
}

/** One line of `GET /validators`. */
export interface ListedValidator extends WantedValidator {
  /** Both signatures are there. */
  readonly isReady: boolean
  /** Seconds since 1970. */
  readonly createdAt: number
  /** Indexes whose shares of both signatures are there. */
  readonly shareIndexesReady: readonly bigint[]
}

/** One node's shares for one validator, as they were posted, not checked yet. */
export interface PostedSignatures {
  readonly publicKey: PublicKeyHex
  /** 96 bytes each. */
  readonly exitSignature: Uint8Array
  readonly depositSignature: Uint8Array
  /** The public shares of all nodes of the cluster that the sidecar claims; undefined where it names none. */
  readonly claimedShares: ReadonlyMap<bigint, PublicKeyHex> | undefined
}

/** A share that was checked and found wrong. */
export interface RejectedSignature extends RejectedShare {
  readonly signature: 'exit' | 'deposit'
}

export interface ValidatorService {
  /**
   * Asks the nodes for both signatures of these validators. They are stored when this returns; asking again is
   * how to poll, and what was asked for an hour (VALIDATOR_LIFETIME) ago is dropped.
   * @param wanted distinct keys; at most four indexes and four deposits of a key are kept
   * @returns one item for each, in the same order
   * @throws DvtExitError INVALID_PUBLIC_KEY, DUPLICATE_PUBLIC_KEY, TOO_MANY_EXITS; UnavailableError ORACLES_UNKNOWN
   */
  requestValidators(wanted: readonly WantedValidator[]): Promise<readonly CollectedValidator[]>
  /** Every wanted validator, for each key the index and the deposit asked for last. */
  listValidators(): Promise<readonly ListedValidator[]>
  /** Grows with each change of what listValidators returns. */
  readonly listVersion: number
  /**
   * Takes one node's shares. What is good is stored when this returns; shares of unknown keys are ignored.
   * @param caller who posts, a token's name or an address: claimed shares are limited for each
   * @returns the shares that were checked and found wrong
   */
  postSignatures(
    shareIndex: bigint,
    shares: readonly PostedSignatures[],
    caller: string,
  ): Promise<readonly RejectedSignature[]>
}
