/** What is lost or half done in the database file that a killed relayer left. */
import type Sqlite from 'libsql'
import { damageOf, rowsOf, withCopy } from '../database-copy.js'
import { type Ledger, nameOf } from './ledger.js'

/** Of an encrypted share: nonce, tag and 96 bytes. Of a part sealed for an oracle, in hex with 0x. */
const SEALED_SHARE = 12 + 16 + 96
const SEALED_PART = 2 + 2 * 193
const PUBLIC_KEY_SHARE = 2 + 2 * 48
const SIGNATURE = 2 + 2 * 96

export interface Expectations {
  readonly ledger: Ledger
  readonly oracles: number
}

/** Everything that is lost or half done in a relayer's database. */
export function faultsOf(file: string, expected: Expectations): string[] {
  return withCopy(file, (database) => [
    ...damageOf(database),
    ...lost(database, expected.ledger),
    ...halfDone(database, expected.oracles),
  ])
}

function lost(database: Sqlite.Database, ledger: Ledger): string[] {
  const names = (table: string, column = "''") =>
    rowsOf(database, `SELECT public_key, message, ${column} AS extra FROM ${table}`).map(
      (row) => `${row['public_key']} ${row['message']} ${row['extra']}`,
    )
  const messages = new Set(names('messages'))
  const shares = new Set(names('signature_shares', 'share_index'))
  const results = new Set([...names('sealed_parts'), ...names('deposit_signatures')])
  const gone: string[] = []
  for (const message of ledger.asked.values()) {
    const name = nameOf(message)
    if (!messages.has(`${name} `)) gone.push(`${name} was asked for`)
    for (const index of ledger.shares.get(name) ?? []) {
      if (!shares.has(`${name} ${index}`)) gone.push(`${name}: share ${index} was acknowledged`)
    }
    if (ledger.served.has(name) && !results.has(`${name} `)) gone.push(`${name} was served`)
  }
  return gone.map((what) => `${what}, and is not in the database`)
}

function halfDone(database: Sqlite.Database, oracles: number): string[] {
  const faults: string[] = []
  for (const table of ['signature_shares', 'sealed_parts', 'deposit_signatures']) {
    const orphans = rowsOf(
      database,
      `SELECT public_key, message FROM ${table} AS part WHERE NOT EXISTS (SELECT 1 FROM messages
        WHERE messages.public_key = part.public_key AND messages.message = part.message)`,
    )
    faults.push(...orphans.map((row) => `${table} without message: ${JSON.stringify(row)}`))
  }
  for (const row of rowsOf(database, 'SELECT * FROM sealed_parts')) {
    const lists = [
      [row['public_key_shares'], PUBLIC_KEY_SHARE],
      [row['encrypted_signatures'], SEALED_PART],
    ] as const
    for (const [text, length] of lists) {
      const items = JSON.parse(String(text)) as string[]
      if (items.length === oracles && items.every((item) => item.length === length)) continue
      faults.push(`incomplete parts of ${row['public_key']} ${row['message']}`)
    }
  }
  for (const row of rowsOf(database, 'SELECT * FROM deposit_signatures')) {
    if (String(row['signature']).length === SIGNATURE) continue
    faults.push(`incomplete deposit signature of ${row['public_key']}`)
  }
  const shares = rowsOf(
    database,
    `SELECT public_key, message, share_index, length(sealed) AS length, state FROM signature_shares`,
  )
  for (const row of shares) {
    if (row['length'] === SEALED_SHARE) continue
    faults.push(`incomplete share ${JSON.stringify(row)}`)
  }
  // All nodes are honest here: a second row would be the same share under another digest.
  const doubled = rowsOf(
    database,
    `SELECT public_key, message, share_index FROM signature_shares
      GROUP BY public_key, message, share_index HAVING count(*) > 1
    UNION ALL SELECT public_key, message, CAST(share_order AS TEXT) FROM signature_shares
      GROUP BY public_key, message, share_order HAVING count(*) > 1`,
  )
  faults.push(...doubled.map((row) => `there twice: ${JSON.stringify(row)}`))
  return faults
}
