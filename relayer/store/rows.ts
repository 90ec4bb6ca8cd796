/** Between the database's rows and the records of relayer/exits. */
import type { MessageRecord, OpenShare, ShareRecord } from '../exits/records.js'
import type { MessagesTable, SignatureSharesTable } from './schema.js'
import type { ShareCipher } from './share-cipher.js'

/** Rows in one statement: below every engine's limit of parameters. */
const BATCH = 500

/** A list in parts that fit one statement each. */
export function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH)
}

export function messageFromRow(row: MessagesTable): MessageRecord {
  return {
    publicKey: row.public_key,
    message: row.message,
    createdAt: row.created_at,
    askedAt: row.asked_at,
    askedOrder: row.asked_order,
  }
}

export function messageToRow(record: MessageRecord): MessagesTable {
  return {
    public_key: record.publicKey,
    message: record.message,
    created_at: record.createdAt,
    asked_at: record.askedAt,
    asked_order: record.askedOrder,
  }
}

export function shareFromRow(row: Omit<SignatureSharesTable, 'sealed'>): ShareRecord {
  return {
    publicKey: row.public_key,
    message: row.message,
    shareIndex: BigInt(row.share_index),
    digest: row.digest,
    order: row.share_order,
    state: row.state,
    listed: row.listed === 1,
    verifiedUnder: row.verified_under,
    caller: row.caller,
  }
}

/** @throws DvtExitError SHARE_UNREADABLE */
export function openShareFromRow(row: SignatureSharesTable, cipher: ShareCipher): OpenShare {
  const share = shareFromRow(row)
  return { ...share, signature: cipher.open(share, row.sealed) }
}

export function shareToRow(share: OpenShare, cipher: ShareCipher): SignatureSharesTable {
  return {
    public_key: share.publicKey,
    message: share.message,
    share_index: String(share.shareIndex),
    digest: share.digest,
    share_order: share.order,
    state: share.state,
    listed: share.listed ? 1 : 0,
    verified_under: share.verifiedUnder,
    sealed: cipher.seal(share, share.signature),
    caller: share.caller,
  }
}
