import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import Sqlite from 'libsql'
import { backUp } from '../../../relayer/maintenance/backup.js'
import { readContents } from '../../../relayer/maintenance/contents.js'
import { restore } from '../../../relayer/maintenance/restore.js'
import { verify } from '../../../relayer/maintenance/verify.js'
import { holdLock } from '../../core/storage/lock-holder.js'
import { failureOf } from '../../doubles/failure.js'
import { hoodi } from '../clusters.js'
import { FilledDatabase } from './filled-database.js'

const libsql = createRequire(import.meta.url).resolve('libsql')
/** A process that changes a database and is killed before the change is in its file. */
const DELETES_AND_DIES = `
  const [library, file] = process.argv.slice(1)
  new (require(library))(file).exec('PRAGMA journal_mode = WAL; DELETE FROM messages')
  process.kill(process.pid, 'SIGKILL')`

describe('relayer backup and restore', () => {
  let filled: FilledDatabase
  let backup: string
  beforeEach(async () => {
    filled = await FilledDatabase.create()
    backup = join(filled.folder, 'backup.db')
  })
  afterEach(() => filled.remove())

  const now = new Date('2026-11-21T10:15:00.123Z')
  const former = () => `${filled.file}.before-restore-20261121T101500Z`
  const bringBack = (replace = false, file = backup) => restore({ file, database: filled.file, replace, now })
  const problemsOf = async (file: string) =>
    verify(await readContents(file), { cipher: filled.cipher, network: hoodi, oracles: undefined }).problems
  const readyIn = async () => {
    const validators = await filled.ask()
    return validators.filter(({ oracleShares, depositSignature }) => oracleShares && depositSignature).length
  }
  /** Nothing half-made is left beside the files. */
  const expectNoDrafts = () => {
    const drafts = readdirSync(filled.folder).filter((name) => /\.[0-9a-f]{12}/.test(name))
    expect(drafts).to.deep.equal([])
  }

  it('copies a database in use whole, for its owner alone, with what is still in the log', async () => {
    expect(statSync(`${filled.file}-wal`).size).to.be.greaterThan(0)
    const previous = process.umask(0)
    try {
      expect(await backUp(filled.file, backup)).to.equal(statSync(backup).size)
    } finally {
      process.umask(previous)
    }
    expect(statSync(backup).mode & 0o777).to.equal(0o600)
    const { keyFingerprint: _, ...contents } = await readContents(backup)
    const { keyFingerprint: __, ...inUse } = await readContents(filled.file)
    expect(contents).to.deep.equal(inUse)
    expect(await problemsOf(backup)).to.deep.equal([])
    expectNoDrafts()
    await filled.post(1n)
    expect(await readyIn()).to.equal(2)
  })

  it('is of one moment, whatever is written meanwhile, and needs no lock', async () => {
    const release = await holdLock(filled.file)
    try {
      await backUp(filled.file, backup)
    } finally {
      await release()
    }
    expect(await problemsOf(backup)).to.deep.equal([])
  })

  it('overwrites nothing, and leaves nothing where it fails', async () => {
    writeFileSync(backup, 'my thesis')
    expect((await failureOf(backUp(filled.file, backup))).code).to.equal('BACKUP_EXISTS')
    expect(readFileSync(backup, 'utf8')).to.equal('my thesis')
    const other = join(filled.folder, 'other.db')
    expect((await failureOf(backUp(join(filled.folder, 'none.db'), other))).code).to.equal('NO_DATABASE')
    expect((await failureOf(backUp(filled.keyFile, other))).code).to.equal('DATABASE_UNREADABLE')
    expect(existsSync(join(filled.folder, 'none.db'))).to.equal(false)
    expect(existsSync(other)).to.equal(false)
    expectNoDrafts()
  })

  it('holds no key, and nothing that was deleted', async () => {
    const before = (await readContents(filled.file)).shares.map(({ sealed }) => Buffer.from(sealed))
    await filled.relayer.store.deleteKeys([filled.validators[0]?.validator.publicKey ?? '0x'])
    await backUp(filled.file, backup)
    const bytes = readFileSync(backup)
    const key = Buffer.from(filled.world.key.reveal())
    for (const form of [key, key.toString('hex'), key.toString('base64')]) {
      expect(bytes.includes(form)).to.equal(false)
    }
    const left = (await readContents(backup)).shares.map(({ sealed }) => Buffer.from(sealed))
    const gone = before.filter((sealed) => !left.some((other) => other.equals(sealed)))
    expect(gone).to.have.length(8)
    expect(gone.filter((sealed) => bytes.includes(sealed))).to.have.length(0)
  })

  it('makes a new relayer what the former one was', async () => {
    const parts = (await filled.ask()).map(({ oracleShares }) => oracleShares)
    await backUp(filled.file, backup)
    await filled.close()
    rmSync(filled.file)
    expect(await bringBack()).to.equal(undefined)
    expect(statSync(filled.file).mode & 0o777).to.equal(0o600)
    expectNoDrafts()
    await filled.open()
    expect(await readyIn()).to.equal(2)
    expect((await filled.ask()).map(({ oracleShares }) => oracleShares)).to.deep.equal(parts)
    await filled.post(3n)
  })

  it('puts nothing in the place of a database unless it is told to, and keeps that one whole', async () => {
    await backUp(filled.file, backup)
    await filled.relayer.store.deleteKeys([filled.validators[0]?.validator.publicKey ?? '0x'])
    await filled.moveAway()
    expect((await failureOf(bringBack())).code).to.equal('DATABASE_EXISTS')
    expect(await bringBack(true)).to.equal(former())
    expect((await readContents(filled.file)).messages).to.have.length(4)
    expect((await readContents(former())).messages).to.have.length(2)
    expectNoDrafts()
  })

  it('keeps what is only in the log of the database that it replaces', async () => {
    await backUp(filled.file, backup)
    await filled.moveAway()
    const child = spawnSync(process.execPath, ['-e', DELETES_AND_DIES, libsql, filled.file])
    expect(child.signal).to.equal('SIGKILL')
    expect(statSync(`${filled.file}-wal`).size).to.be.greaterThan(0)
    await bringBack(true)
    expect((await readContents(former())).messages).to.have.length(0)
    expect((await readContents(filled.file)).messages).to.have.length(4)
  })

  it('is refused while anything uses the database', async () => {
    await backUp(filled.file, backup)
    expect((await failureOf(bringBack(true))).code).to.equal('DATABASE_IN_USE')
    await filled.moveAway()
    const release = await holdLock(filled.file, 'SELECT count(*) FROM messages')
    try {
      expect((await failureOf(bringBack(true))).code).to.equal('DATABASE_IN_USE')
    } finally {
      await release()
    }
    const locked = await holdLock(`${filled.file}.lock`)
    try {
      expect((await failureOf(bringBack(true))).code).to.equal('DATABASE_IN_USE')
    } finally {
      await locked()
    }
    expect(existsSync(former())).to.equal(false)
    expectNoDrafts()
    await bringBack(true)
  })

  it('replaces a database that is damaged, and keeps it beside', async () => {
    await backUp(filled.file, backup)
    await filled.moveAway()
    writeFileSync(filled.file, 'not a database any more'.repeat(500))
    chmodSync(filled.file, 0o600)
    await bringBack(true)
    expect(readFileSync(former(), 'utf8')).to.match(/^not a database/)
    expect(await problemsOf(filled.file)).to.deep.equal([])
  })

  it('takes a backup of an older schema, and brings it to the current one', async () => {
    await backUp(filled.file, backup)
    const older = new Sqlite(backup)
    older.exec(`DROP TABLE manager_audit; DELETE FROM kysely_migration WHERE name >= '005'`)
    const { n } = older
      .prepare(`SELECT count(*) AS n FROM pragma_table_info('signature_shares') WHERE name = 'caller'`)
      .get([]) as { n: number }
    if (n === 1) older.exec('ALTER TABLE signature_shares DROP COLUMN caller; DROP TABLE disproven_shares')
    older.close()
    await filled.close()
    rmSync(filled.file)
    await bringBack()
    expect(await problemsOf(filled.file)).to.deep.equal([])
    await filled.open()
    expect(await readyIn()).to.equal(2)
  })

  it('changes nothing for a file that is no whole database of a relayer', async () => {
    await backUp(filled.file, backup)
    await filled.close()
    rmSync(filled.file)
    const whole = readFileSync(backup)
    const variant = (name: string, make: (file: string) => void) => {
      const file = join(filled.folder, name)
      writeFileSync(file, whole, { mode: 0o600 })
      make(file)
      return file
    }
    const sql = (statements: string) => (file: string) => {
      const connection = new Sqlite(file)
      connection.exec(statements)
      connection.close()
    }
    const page = Number(whole.readUInt16BE(16))
    const files = [
      join(filled.folder, 'none.db'),
      filled.folder,
      variant('empty', (file) => writeFileSync(file, '')),
      variant('text', (file) => writeFileSync(file, 'text'.repeat(1000))),
      variant('cut', (file) => writeFileSync(file, whole.subarray(0, whole.length - 3 * page))),
      variant('scratched', (file) => {
        const bytes = Buffer.from(whole)
        writeFileSync(file, bytes.fill(7, 4 * page, bytes.length - page))
      }),
      variant('of another part', sql('PRAGMA application_id = 1685484655')),
      variant('newer', sql(`INSERT INTO kysely_migration VALUES ('999-later', '')`)),
      variant('with orphans', sql(`PRAGMA foreign_keys = OFF; DELETE FROM messages`)),
      variant(
        'with a trigger',
        sql(`CREATE TRIGGER listens AFTER INSERT ON signature_shares BEGIN
          DELETE FROM messages; END`),
      ),
      variant('with a table', sql(`CREATE TABLE more (id INTEGER)`)),
      variant('without a table', sql(`DROP TABLE tokens`)),
    ]
    for (const file of files) {
      const failure = await failureOf(bringBack(false, file))
      expect(failure.code, file).to.equal('BACKUP_UNUSABLE')
      expect(failure.message, file).to.include(basename(file))
      expect(existsSync(filled.file), file).to.equal(false)
      expectNoDrafts()
    }
  })
})
