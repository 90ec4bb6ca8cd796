/** The statements that the store's transactions are made of. */
import type { Kysely, Transaction } from 'kysely'
import { DvtExitError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ExitId, ExitRecord, ShareRecord } from '../exits/records.js'
import type { OracleShares } from '../exits/service.js'
import { batches, exitFromRow, shareFromRow } from './rows.js'
import type { ExitsSchema } from './schema.js'

export type Queries = Kysely<ExitsSchema> | Transaction<ExitsSchema>

export const exitIdOf = (row: { public_key: PublicKeyHex; validator_index: number }): ExitId => ({
  publicKey: row.public_key,
  validatorIndex: row.validator_index,
})

export const publicKeysOf = (rows: readonly ExitId[]): PublicKeyHex[] => [
  ...new Set(rows.map((row) => row.publicKey)),
]

export async function exitsOf(queries: Queries, publicKeys: readonly PublicKeyHex[]): Promise<ExitRecord[]> {
  const exits: ExitRecord[] = []
  for (const batch of batches(publicKeys)) {
    const rows = await queries.selectFrom('exits').selectAll().where('public_key', 'in', batch).execute()
    exits.push(...rows.map(exitFromRow))
  }
  return exits
}

export async function sharesOf(
  queries: Queries,
  publicKeys: readonly PublicKeyHex[],
): Promise<ShareRecord[]> {
  const shares: ShareRecord[] = []
  for (const batch of batches(publicKeys)) {
    const rows = await queries
      .selectFrom('shares')
      .select([
        'public_key',
        'validator_index',
        'share_index',
        'digest',
        'share_order',
        'state',
        'listed',
        'verified_under',
      ])
      .where('public_key', 'in', batch)
      .execute()
    shares.push(...rows.map(shareFromRow))
  }
  return shares
}

export async function assertRoom(
  queries: Queries,
  existing: readonly ExitRecord[],
  insert: readonly ExitRecord[],
  mostKeys: number,
): Promise<void> {
  const known = new Set(existing.map((exit) => exit.publicKey))
  const added = insert.filter((exit) => !known.has(exit.publicKey)).length
  if (added === 0) return
  const { count } = await queries
    .selectFrom('exits')
    .select((expression) => expression.fn.count('public_key').distinct().as('count'))
    .executeTakeFirstOrThrow()
  if (Number(count) + added <= mostKeys) return
  throw new DvtExitError(
    'TOO_MANY_EXITS',
    `exits of ${String(count)} validators are wanted already, ${mostKeys} are allowed`,
    { hint: 'Wait until earlier ones are registered or their lifetime is over' },
  )
}

export async function deleteExit(queries: Queries, exit: ExitId): Promise<void> {
  await queries
    .deleteFrom('exits')
    .where('public_key', '=', exit.publicKey)
    .where('validator_index', '=', exit.validatorIndex)
    .execute()
}

export async function deleteShare(queries: Queries, share: ShareRecord): Promise<void> {
  await queries
    .deleteFrom('shares')
    .where('public_key', '=', share.publicKey)
    .where('validator_index', '=', share.validatorIndex)
    .where('share_index', '=', String(share.shareIndex))
    .where('digest', '=', share.digest)
    .execute()
}

/** A share that is right for one exit is wrong for the key's others: their messages differ. */
export async function deleteElsewhere(queries: Queries, share: ShareRecord): Promise<void> {
  await queries
    .deleteFrom('shares')
    .where('public_key', '=', share.publicKey)
    .where('validator_index', '!=', share.validatorIndex)
    .where('share_index', '=', String(share.shareIndex))
    .where('digest', '=', share.digest)
    .execute()
}

export async function updateShare(
  queries: Queries,
  share: ShareRecord,
  change: Partial<ExitsSchema['shares']>,
): Promise<void> {
  await queries
    .updateTable('shares')
    .set(change)
    .where('public_key', '=', share.publicKey)
    .where('validator_index', '=', share.validatorIndex)
    .where('share_index', '=', String(share.shareIndex))
    .where('digest', '=', share.digest)
    .execute()
}

export async function insertParts(
  queries: Queries,
  exit: ExitId,
  parts: OracleShares & { readonly setHash: Hex },
): Promise<void> {
  await queries
    .insertInto('oracle_parts')
    .values({
      public_key: exit.publicKey,
      validator_index: exit.validatorIndex,
      set_hash: parts.setHash,
      public_key_shares: JSON.stringify(parts.publicKeys),
      encrypted_signatures: JSON.stringify(parts.encryptedExitSignatures),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
