/** What is in a relayer's database file, seen from outside while the relayer runs. */
import Sqlite from 'libsql'
import { toHex } from '../../../core/hex.js'
import { loadOrCreateKey } from '../../../relayer/store/key-file.js'
import { openShareFromRow } from '../../../relayer/store/rows.js'
import type { SignatureSharesTable } from '../../../relayer/store/schema.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import { wordsOf } from './words.js'

type Row = Readonly<Record<string, unknown>>
/** The rows of each table, in an order of their own. */
export type Content = Readonly<Record<string, readonly string[]>>

/** When and in which order something was asked for last: asking again moves it, and is to. */
const MOVED_BY_ASKING: Readonly<Record<string, readonly string[]>> = { messages: ['asked_at', 'asked_order'] }
/** The audit of what operators had signed keeps what was refused, too. */
const AUDIT = 'manager_audit'

/** All of it but what asking again moves. */
export function contentOf(file: string): Content {
  return reading(file, (tables) =>
    Object.fromEntries(
      [...tables].map(([name, rows]) => [
        name,
        rows.map((row) => textOf(row, MOVED_BY_ASKING[name] ?? [])).sort(),
      ]),
    ),
  )
}

/** Long words that are kept: in the clear anywhere but in the audit, and those of the shares, decrypted. */
export function keptWords(file: string, keyFile: string): Set<string> {
  const cipher = new ShareCipher(loadOrCreateKey(keyFile))
  return reading(file, (tables) => {
    const shares = (tables.get('signature_shares') ?? []) as readonly unknown[]
    return wordsOf(
      [
        ...[...tables]
          .filter(([name]) => name !== AUDIT)
          .flatMap(([, rows]) => rows.map((row) => textOf(row, []))),
        ...shares.map((row) => toHex(openShareFromRow(row as SignatureSharesTable, cipher).signature)),
      ].join('\n'),
    )
  })
}

function reading<T>(file: string, use: (tables: ReadonlyMap<string, readonly Row[]>) => T): T {
  const connection = new Sqlite(file, { readonly: true })
  try {
    const names = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all([]) as {
      name: string
    }[]
    const tables = names.map(
      ({ name }) => [name, connection.prepare(`SELECT * FROM "${name}"`).all([]).map(rowOf)] as const,
    )
    return use(new Map(tables))
  } finally {
    connection.close()
  }
}

/** libsql gives an ArrayBuffer for bytes. */
function rowOf(row: unknown): Row {
  const entries = Object.entries(row as Row)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof ArrayBuffer ? Buffer.from(value) : value]),
  )
}

function textOf(row: Row, except: readonly string[]): string {
  const entries = Object.entries(row).filter(([name]) => !except.includes(name))
  return JSON.stringify(
    entries.map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('hex') : value]),
  )
}
