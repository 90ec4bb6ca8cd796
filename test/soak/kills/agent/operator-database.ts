/** What is wrong in the database that a killed agent left, beside what the chain knows. */
import { keccak256 } from 'viem'
import type { Hex } from '../../../../core/hex.js'
import type { RegisteringTransaction } from '../../../devnet/registered.js'
import { damageOf, rowsOf, withCopy } from '../database-copy.js'

interface Row {
  readonly id: number
  readonly sender: Hex
  readonly nonce: number
  readonly state: 'sent' | 'mined' | 'final' | 'failed' | 'superseded'
  readonly publicKeys: readonly Hex[]
  readonly minedHash: Hex | null
}
interface Attempt {
  readonly transaction: number
  readonly hash: Hex
  readonly raw: Hex
}

export interface OperatorRecords {
  readonly transactions: readonly Row[]
  readonly attempts: readonly Attempt[]
  readonly damage: readonly string[]
}

/** @returns nothing of a database that was not finished when its maker was killed */
export function recordsIn(file: string): OperatorRecords {
  return withCopy(file, (database) => {
    const damage = damageOf(database)
    const tables = rowsOf(database, "SELECT 1 FROM sqlite_master WHERE name = 'transactions'")
    if (tables.length === 0) return { transactions: [], attempts: [], damage }
    const transactions = rowsOf(database, 'SELECT * FROM transactions ORDER BY id').map((row) => ({
      id: Number(row['id']),
      sender: row['sender'] as Hex,
      nonce: Number(row['nonce']),
      state: row['state'] as Row['state'],
      publicKeys: JSON.parse(String(row['public_keys'])) as Hex[],
      minedHash: row['mined_hash'] as Hex | null,
    }))
    const attempts = rowsOf(database, 'SELECT * FROM attempts').map((row) => ({
      transaction: Number(row['transaction_id']),
      hash: row['hash'] as Hex,
      raw: row['raw'] as Hex,
    }))
    return { transactions, attempts, damage }
  })
}

/** @param registered what the chain has of it, oldest first */
export function faultsOf(
  { transactions, attempts, damage }: OperatorRecords,
  registered: readonly RegisteringTransaction[],
): string[] {
  const faults = [...damage]
  const known = new Set(attempts.map(({ hash }) => hash))
  for (const { hash } of registered) {
    if (!known.has(hash)) faults.push(`${hash} registered validators and was not written down before`)
  }
  for (const { id } of transactions) {
    if (!attempts.some(({ transaction }) => transaction === id))
      faults.push(`transaction ${id} has no attempt`)
  }
  for (const { hash, raw } of attempts) {
    if (keccak256(raw) !== hash) faults.push(`what is kept as ${hash} is another transaction`)
  }
  const mined = transactions.filter(({ state }) => state === 'mined' || state === 'final')
  faults.push(...repeated(mined.map(({ nonce }) => `nonce ${nonce}`)))
  faults.push(...repeated(mined.flatMap(({ publicKeys }) => publicKeys)))
  for (const { minedHash } of mined) {
    if (registered.some(({ hash }) => hash === minedHash)) continue
    faults.push(`${minedHash} is kept as mined, and the chain does not have it`)
  }
  return faults
}

/** What is there more than once. */
export function repeated(items: readonly string[]): string[] {
  return items.flatMap((item, i) => (items.indexOf(item) < i ? [`${item} is there twice`] : []))
}
