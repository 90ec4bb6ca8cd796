import type { Hex, PublicKeyHex } from './hex.js'
import type { DepositMessage } from './messages/deposit.js'
import type { VoluntaryExit } from './messages/voluntary-exit.js'

/** One sharing of a distributed validator's key: the public share of every node, and how many must sign. */
export interface PublicShares {
  readonly threshold: number
  /** Public share (48 bytes) by share index. */
  readonly shares: ReadonlyMap<bigint, PublicKeyHex>
}

/** A distributed validator as a cluster lock or an SSV cluster describes it. */
export interface DistributedValidator extends PublicShares {
  readonly publicKey: PublicKeyHex
  /** Where this was read, for messages: a file's path, or the SSV cluster's owner and operators. */
  readonly source: string
  /** Where its withdrawals go, in lower case, where that is known. */
  readonly withdrawalAddress?: Hex | undefined
}

/**
 * One node's key shares, whatever the vendor. Every adapter makes one of these, and the sidecar's loop
 * knows nothing else.
 */
export interface ExitSigner {
  /** What to call this node in logs, for example "charon node 2". */
  readonly name: string
  /** Shamir x of this node's shares: node index + 1 for Obol, the operator id for SSV. */
  readonly shareIndex: bigint
  /** The validators that this node can sign for now. */
  validators(): ReadonlyMap<PublicKeyHex, PublicShares>
  /**
   * The withdrawal addresses, in lower case, that deposits of a validator may name; undefined where the signer
   * cannot know, so that a person must say it.
   */
  withdrawalAddresses(publicKey: PublicKeyHex): readonly Hex[] | undefined
  /**
   * This node's share of the exit signature, 96 bytes.
   * @throws DvtExitError UNKNOWN_VALIDATOR
   */
  signExit(publicKey: PublicKeyHex, exit: VoluntaryExit): Promise<Uint8Array>
  /**
   * This node's share of the deposit signature, 96 bytes.
   * @throws DvtExitError UNKNOWN_VALIDATOR, WRONG_WITHDRAWAL_ADDRESS
   */
  signDeposit(publicKey: PublicKeyHex, deposit: DepositMessage): Promise<Uint8Array>
  /** Calls the listener when validators were added or removed while running. */
  onChange(listener: () => void): void
  /** Stops following files or the chain. */
  close(): Promise<void>
}
