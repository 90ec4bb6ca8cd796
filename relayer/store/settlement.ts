import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { MessageId, ShareRecord } from '../exits/records.js'
import type { OracleShares } from '../exits/service.js'
import { insertDisproven } from './disproven-shares.js'
import {
  deleteElsewhere,
  deleteShare,
  insertDepositSignature,
  insertParts,
  type Queries,
  updateShare,
} from './statements.js'

/** What one step of the work on a message found out. */
export interface Settlement {
  /** Right shares, each with the public share that it verified under, null where the signature proved it. */
  readonly proven?: readonly {
    readonly share: ShareRecord
    readonly verifiedUnder: PublicKeyHex | null
    /** Whether its index is listed; it is unless this says otherwise. */
    readonly listed?: boolean
  }[]
  /** Shares that are wrong by the public shares known now: deleted. */
  readonly wrong?: readonly ShareRecord[]
  /** Shares that are wrong by the message's signature: deleted, and remembered as wrong. */
  readonly disproven?: readonly ShareRecord[]
  /** Shares of which some subset failed, while others are still to be tried: unlisted. */
  readonly doubted?: readonly ShareRecord[]
  /** Shares that stay, but whose every subset failed: unlisted. */
  readonly tried?: readonly ShareRecord[]
  /** Shares of which nothing is known any more. */
  readonly unproven?: readonly ShareRecord[]
  /** What the oracles get, once and for all for this set. */
  readonly parts?: OracleShares & { readonly setHash: Hex }
  /** The whole signature of a deposit, 96 bytes. */
  readonly signature?: Uint8Array
}

/** Stores what a step found out. @param queries a transaction in which the message is there */
export async function applySettlement(queries: Queries, id: MessageId, found: Settlement): Promise<void> {
  const { wrong = [], disproven = [] } = found
  for (const share of [...wrong, ...disproven]) await deleteShare(queries, share)
  await insertDisproven(queries, id, disproven)
  for (const share of found.doubted ?? []) await updateShare(queries, share, { state: 'doubted', listed: 0 })
  for (const share of found.tried ?? []) await updateShare(queries, share, { state: 'tried', listed: 0 })
  for (const share of found.unproven ?? []) {
    await updateShare(queries, share, { state: 'candidate', verified_under: null })
  }
  for (const { share, verifiedUnder, listed = true } of found.proven ?? []) {
    const change = { state: 'proven', listed: listed ? 1 : 0, verified_under: verifiedUnder } as const
    await updateShare(queries, share, change)
    await deleteElsewhere(queries, share)
  }
  if (found.parts !== undefined) await insertParts(queries, id, found.parts)
  if (found.signature !== undefined) await insertDepositSignature(queries, id, found.signature)
}
