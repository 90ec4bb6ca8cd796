import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ShareRecord } from '../exits/records.js'
import type { OracleShares } from '../exits/service.js'

/** What one step of the work on a message found out. */
export interface Settlement {
  /** Right shares, each with the public share that it verified under, null where the signature proved it. */
  readonly proven?: readonly { readonly share: ShareRecord; readonly verifiedUnder: PublicKeyHex | null }[]
  /** Wrong shares: deleted. */
  readonly wrong?: readonly ShareRecord[]
  /** Shares that stay, but whose every subset failed: unlisted. */
  readonly tried?: readonly ShareRecord[]
  /** Shares of which nothing is known any more. */
  readonly unproven?: readonly ShareRecord[]
  /** What the oracles get, once and for all for this set. */
  readonly parts?: OracleShares & { readonly setHash: Hex }
  /** The whole signature of a deposit, 96 bytes. */
  readonly signature?: Uint8Array
}
