/** Shares that were found wrong: remembered, so that their bytes cost nothing when they come again. */
import type { PublicKeyHex } from '../../core/hex.js'
import type { DisprovenShare, MessageId, ShareRecord } from '../exits/records.js'
import { batches } from './rows.js'
import { messageIdOf, type Queries } from './statements.js'

/** Remembered of one caller for one message: the oldest are forgotten, and would be looked at again. */
export const REMEMBERED_PER_CALLER = 64

/** The shares of these keys that were found wrong. */
export async function disprovenSharesOf(
  queries: Queries,
  publicKeys: readonly PublicKeyHex[],
): Promise<DisprovenShare[]> {
  const shares: DisprovenShare[] = []
  for (const batch of batches(publicKeys)) {
    const rows = await queries
      .selectFrom('disproven_shares')
      .selectAll()
      .where('public_key', 'in', batch)
      .execute()
    for (const row of rows) {
      const { digest, caller } = row
      shares.push({ ...messageIdOf(row), shareIndex: BigInt(row.share_index), digest, caller })
    }
  }
  return shares
}

/** Remembers shares of one message as wrong. */
export async function insertDisproven(
  queries: Queries,
  id: MessageId,
  wrong: readonly ShareRecord[],
): Promise<void> {
  if (wrong.length === 0) return
  const ofMessage = () =>
    queries
      .selectFrom('disproven_shares')
      .where('public_key', '=', id.publicKey)
      .where('message', '=', id.message)
  const { highest } = await ofMessage()
    .select((expression) => expression.fn.max('disproven_order').as('highest'))
    .executeTakeFirstOrThrow()
  const rows = wrong.map((share, i) => ({
    public_key: id.publicKey,
    message: id.message,
    share_index: String(share.shareIndex),
    digest: share.digest,
    caller: share.caller,
    disproven_order: Number(highest ?? 0) + i + 1,
  }))
  for (const batch of batches(rows)) {
    await queries
      .insertInto('disproven_shares')
      .values([...batch])
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  for (const caller of new Set(wrong.map((share) => share.caller))) {
    const last = await ofMessage()
      .select('disproven_order')
      .where('caller', '=', caller)
      .orderBy('disproven_order', 'desc')
      .offset(REMEMBERED_PER_CALLER)
      .limit(1)
      .executeTakeFirst()
    if (last === undefined) continue
    await queries
      .deleteFrom('disproven_shares')
      .where('public_key', '=', id.publicKey)
      .where('message', '=', id.message)
      .where('caller', '=', caller)
      .where('disproven_order', '<=', last.disproven_order)
      .execute()
  }
}
