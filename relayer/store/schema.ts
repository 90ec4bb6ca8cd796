/** The rows as the database has them. Share indexes are decimal text, keys and hashes hex text. */
import type { PublicKeyHex } from '../../core/hex.js'
import type { ShareState } from '../exits/records.js'

export interface ExitsTable {
  public_key: PublicKeyHex
  validator_index: number
  created_at: number
  asked_at: number
  asked_order: number
}

export interface SharesTable {
  public_key: PublicKeyHex
  validator_index: number
  share_index: string
  digest: string
  share_order: number
  state: ShareState
  /** 0 or 1 */
  listed: number
  verified_under: PublicKeyHex | null
  /** nonce ‖ tag ‖ ciphertext */
  sealed: Uint8Array
}

export interface OraclePartsTable {
  public_key: PublicKeyHex
  validator_index: number
  set_hash: string
  /** JSON array of hex, in the oracles' order. */
  public_key_shares: string
  encrypted_signatures: string
}

export interface CheckpointsTable {
  name: string
  /** JSON */
  value: string
}

export interface ExitsSchema {
  exits: ExitsTable
  shares: SharesTable
  oracle_parts: OraclePartsTable
  checkpoints: CheckpointsTable
}
