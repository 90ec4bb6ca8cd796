/** Looks into the database file that a killed process left, without taking anything away from the next one. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'libsql'

type Row = Readonly<Record<string, unknown>>

/** Opens a copy of the file with its write-ahead log: opening the original would bring it in order. */
export function withCopy<T>(file: string, look: (database: Sqlite.Database) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-copy-'))
  try {
    for (const suffix of ['', '-wal']) {
      if (existsSync(file + suffix)) copyFileSync(file + suffix, join(folder, `copy.db${suffix}`))
    }
    const database = new Sqlite(join(folder, 'copy.db'))
    try {
      return look(database)
    } finally {
      database.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function rowsOf(database: Sqlite.Database, query: string): Row[] {
  return database.prepare(query).all([]) as Row[]
}

/** What SQLite itself finds wrong. */
export function damageOf(database: Sqlite.Database): string[] {
  const integrity = rowsOf(database, 'PRAGMA integrity_check').map((row) => String(Object.values(row)[0]))
  const orphans = rowsOf(database, 'PRAGMA foreign_key_check').map((row) => JSON.stringify(row))
  return [...integrity.filter((line) => line !== 'ok'), ...orphans.map((row) => `orphaned row ${row}`)]
}
