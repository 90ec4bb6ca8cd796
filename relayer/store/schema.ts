/** The rows as the database has them. Share indexes are decimal text, keys and hashes hex text. */
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { MessageName } from '../exits/message.js'
import type { ShareState } from '../exits/records.js'

/** What somebody wants signed. */
export interface MessagesTable {
  public_key: PublicKeyHex
  message: MessageName
  created_at: number
  asked_at: number
  asked_order: number
}

export interface SignatureSharesTable {
  public_key: PublicKeyHex
  message: MessageName
  share_index: string
  digest: string
  share_order: number
  state: ShareState
  /** 0 or 1 */
  listed: number
  verified_under: PublicKeyHex | null
  /** nonce ‖ tag ‖ ciphertext */
  sealed: Uint8Array
  caller: string
}

/** Shares that were found wrong for a message. */
export interface DisprovenSharesTable {
  public_key: PublicKeyHex
  message: MessageName
  share_index: string
  digest: string
  caller: string
  /** Grows with each row. */
  disproven_order: number
}

/** What is made of an exit's shares. */
export interface OraclePartsTable {
  public_key: PublicKeyHex
  message: MessageName
  set_hash: string
  /** JSON array of hex, in the oracles' order. */
  public_key_shares: string
  encrypted_signatures: string
}

/** What is made of a deposit's shares. */
export interface DepositSignaturesTable {
  public_key: PublicKeyHex
  message: MessageName
  signature: string
}

/** Public shares that sidecars claim, of keys in no given cluster. */
export interface ClaimedSharingsTable {
  public_key: PublicKeyHex
  /** Names the set: the hash of threshold and entries. */
  set_hash: string
  threshold: number
  /** JSON object: public share by share index. */
  public_shares: string
  /** Who claimed it first, a token's name or an address. */
  caller: string
  claimed_at: number
}

/** Validators that were chosen for a vault, until they have their deposit. */
export interface ChosenValidatorsTable {
  public_key: PublicKeyHex
  vault: Hex
  validator_type: ValidatorType
  /** Gwei, decimal. */
  amount: string
  /** Grows with each choice. */
  chosen_order: number
}

/** Who had the validators manager asked for what. Rows are only ever added. */
export interface ManagerAuditTable {
  /** Seconds since 1970. */
  noted_at: number
  /** A token's name. */
  caller: string
  call: string
  vault: Hex
  /** asked, signed, or the code of the refusal. */
  outcome: string
  /** JSON: public keys with amounts in Gwei or targets. */
  items: string
}

export interface CheckpointsTable {
  name: string
  /** JSON */
  value: string
}

export interface ExitsSchema {
  messages: MessagesTable
  signature_shares: SignatureSharesTable
  disproven_shares: DisprovenSharesTable
  sealed_parts: OraclePartsTable
  deposit_signatures: DepositSignaturesTable
  claimed_sharings: ClaimedSharingsTable
  chosen_validators: ChosenValidatorsTable
  manager_audit: ManagerAuditTable
  checkpoints: CheckpointsTable
}
