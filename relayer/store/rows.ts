/** Between the database's rows and the records of relayer/exits. */
import type { ExitRecord, OpenShare, ShareRecord } from '../exits/records.js'
import type { ExitsTable, SharesTable } from './schema.js'
import type { ShareCipher } from './share-cipher.js'

/** Rows in one statement: below every engine's limit of parameters. */
const BATCH = 500

/** A list in parts that fit one statement each. */
export function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH)
}

export function exitFromRow(row: ExitsTable): ExitRecord {
  return {
    publicKey: row.public_key,
    validatorIndex: row.validator_index,
    createdAt: row.created_at,
    askedAt: row.asked_at,
    askedOrder: row.asked_order,
  }
}

export function exitToRow(exit: ExitRecord): ExitsTable {
  return {
    public_key: exit.publicKey,
    validator_index: exit.validatorIndex,
    created_at: exit.createdAt,
    asked_at: exit.askedAt,
    asked_order: exit.askedOrder,
  }
}

export function shareFromRow(row: Omit<SharesTable, 'sealed'>): ShareRecord {
  return {
    publicKey: row.public_key,
    validatorIndex: row.validator_index,
    shareIndex: BigInt(row.share_index),
    digest: row.digest,
    order: row.share_order,
    state: row.state,
    listed: row.listed === 1,
    verifiedUnder: row.verified_under,
  }
}

/** @throws DvtExitError SHARE_UNREADABLE */
export function openShareFromRow(row: SharesTable, cipher: ShareCipher): OpenShare {
  const share = shareFromRow(row)
  return { ...share, signature: cipher.open(share, row.sealed) }
}

export function shareToRow(share: OpenShare, cipher: ShareCipher): SharesTable {
  return {
    public_key: share.publicKey,
    validator_index: share.validatorIndex,
    share_index: String(share.shareIndex),
    digest: share.digest,
    share_order: share.order,
    state: share.state,
    listed: share.listed ? 1 : 0,
    verified_under: share.verifiedUnder,
    sealed: cipher.seal(share, share.signature),
  }
}
