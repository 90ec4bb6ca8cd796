/** The statements that the store's transactions are made of. */
import type { Kysely, Transaction } from 'kysely'
import { DvtExitError } from '../../core/errors.js'
import { type Hex, type PublicKeyHex, toHex } from '../../core/hex.js'
import type { MessageName } from '../exits/message.js'
import type { MessageId, MessageRecord, ShareRecord } from '../exits/records.js'
import type { OracleShares } from '../exits/service.js'
import { batches, messageFromRow, shareFromRow } from './rows.js'
import type { ExitsSchema } from './schema.js'

export type Queries = Kysely<ExitsSchema> | Transaction<ExitsSchema>

export const messageIdOf = (row: { public_key: PublicKeyHex; message: MessageName }): MessageId => ({
  publicKey: row.public_key,
  message: row.message,
})

export const publicKeysOf = (rows: readonly MessageId[]): PublicKeyHex[] => [
  ...new Set(rows.map((row) => row.publicKey)),
]

export async function messagesOf(
  queries: Queries,
  publicKeys: readonly PublicKeyHex[],
): Promise<MessageRecord[]> {
  const messages: MessageRecord[] = []
  for (const batch of batches(publicKeys)) {
    const rows = await queries.selectFrom('messages').selectAll().where('public_key', 'in', batch).execute()
    messages.push(...rows.map(messageFromRow))
  }
  return messages
}

export async function sharesOf(
  queries: Queries,
  publicKeys: readonly PublicKeyHex[],
): Promise<ShareRecord[]> {
  const shares: ShareRecord[] = []
  for (const batch of batches(publicKeys)) {
    const rows = await queries
      .selectFrom('signature_shares')
      .select([
        'public_key',
        'message',
        'share_index',
        'digest',
        'share_order',
        'state',
        'listed',
        'verified_under',
        'caller',
      ])
      .where('public_key', 'in', batch)
      .execute()
    shares.push(...rows.map(shareFromRow))
  }
  return shares
}

export async function assertRoom(
  queries: Queries,
  existing: readonly MessageRecord[],
  insert: readonly MessageRecord[],
  mostKeys: number,
): Promise<void> {
  const known = new Set(existing.map(({ publicKey }) => publicKey))
  const added = new Set(insert.map(({ publicKey }) => publicKey).filter((key) => !known.has(key))).size
  if (added === 0) return
  const { count } = await queries
    .selectFrom('messages')
    .select((expression) => expression.fn.count('public_key').distinct().as('count'))
    .executeTakeFirstOrThrow()
  if (Number(count) + added <= mostKeys) return
  throw new DvtExitError(
    'TOO_MANY_EXITS',
    `exits of ${String(count)} validators are wanted already, ${mostKeys} are allowed`,
    { hint: 'Wait until earlier ones are registered or their lifetime is over' },
  )
}

export async function deleteMessage(queries: Queries, { publicKey, message }: MessageId): Promise<void> {
  await queries
    .deleteFrom('messages')
    .where('public_key', '=', publicKey)
    .where('message', '=', message)
    .execute()
}

export async function deleteShare(queries: Queries, share: ShareRecord): Promise<void> {
  await queries
    .deleteFrom('signature_shares')
    .where('public_key', '=', share.publicKey)
    .where('message', '=', share.message)
    .where('share_index', '=', String(share.shareIndex))
    .where('digest', '=', share.digest)
    .execute()
}

/** A share that is right for one message is wrong for the key's others. */
export async function deleteElsewhere(queries: Queries, share: ShareRecord): Promise<void> {
  await queries
    .deleteFrom('signature_shares')
    .where('public_key', '=', share.publicKey)
    .where('message', '!=', share.message)
    .where('share_index', '=', String(share.shareIndex))
    .where('digest', '=', share.digest)
    .execute()
}

/** Deletes the shares that were right under these public shares only. */
export async function deleteProvenUnder(
  queries: Queries,
  publicKey: PublicKeyHex,
  publicShares: readonly PublicKeyHex[],
): Promise<void> {
  for (const batch of batches(publicShares)) {
    await queries
      .deleteFrom('signature_shares')
      .where('public_key', '=', publicKey)
      .where('verified_under', 'in', batch)
      .execute()
  }
}

export async function updateShare(
  queries: Queries,
  share: ShareRecord,
  change: Partial<ExitsSchema['signature_shares']>,
): Promise<void> {
  await queries
    .updateTable('signature_shares')
    .set(change)
    .where('public_key', '=', share.publicKey)
    .where('message', '=', share.message)
    .where('share_index', '=', String(share.shareIndex))
    .where('digest', '=', share.digest)
    .execute()
}

export async function insertParts(
  queries: Queries,
  exit: MessageId,
  parts: OracleShares & { readonly setHash: Hex },
): Promise<void> {
  await queries
    .insertInto('sealed_parts')
    .values({
      public_key: exit.publicKey,
      message: exit.message,
      set_hash: parts.setHash,
      public_key_shares: JSON.stringify(parts.publicKeys),
      encrypted_signatures: JSON.stringify(parts.encryptedExitSignatures),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function insertDepositSignature(
  queries: Queries,
  { publicKey, message }: MessageId,
  signature: Uint8Array,
): Promise<void> {
  await queries
    .insertInto('deposit_signatures')
    .values({ public_key: publicKey, message, signature: toHex(signature) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
