import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Kysely, type Migration, sql } from 'kysely'
import { ConfigurationError } from '../../../core/errors.js'
import { type DatabaseOwner, databaseAnswers, openDatabase } from '../../../core/storage/database.js'

interface Schema {
  thing: { id: number; bytes: Uint8Array; flag: number; note: string | null; share_index: string }
}
const first: Migration = {
  async up(database) {
    await sql`CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes BLOB, flag INTEGER, note TEXT,
      share_index TEXT) STRICT`.execute(database)
  },
}
const second: Migration = {
  async up(database) {
    await sql`CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT`.execute(database)
  },
}

describe('databases', () => {
  let folder: string
  const opened: Kysely<Schema>[] = []
  const open = async (
    file: string,
    owner: DatabaseOwner = 'relayer',
    migrations: Record<string, Migration> = { '001': first },
  ) => {
    const database = await openDatabase<Schema>(file, owner, migrations)
    opened.push(database)
    return database
  }
  const failureOf = async (attempt: Promise<unknown>) => {
    try {
      await attempt
    } catch (error) {
      if (error instanceof ConfigurationError) return error
      throw error
    }
    throw new Error('nothing was thrown')
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-database-'))
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.destroy()))
    rmSync(folder, { recursive: true })
  })

  it('whose change of the schema stops in the middle are as they were before it', async () => {
    const file = join(folder, 'relayer.sqlite')
    await (await open(file)).destroy()
    const stopped: Migration = {
      async up(database) {
        await second.up(database)
        await sql`DROP TABLE thing`.execute(database)
        throw new Error('stopped')
      },
    }
    await failureOf(open(file, 'relayer', { '001': first, '002': stopped }))
    const database = await open(file, 'relayer', { '001': first, '002': second })
    expect(await database.selectFrom('thing').selectAll().execute()).to.deep.equal([])
  })

  it('keep what is written, over a restart', async () => {
    const file = join(folder, 'new', 'relayer.sqlite')
    const row = {
      id: 1,
      bytes: Uint8Array.of(0, 1, 255),
      flag: 1,
      note: null,
      share_index: String(2n ** 64n - 1n),
    }
    const database = await open(file)
    await database.insertInto('thing').values(row).execute()
    await database.destroy()
    const again = await open(file)
    expect(await again.selectFrom('thing').selectAll().execute()).to.deep.equal([row])
  })

  it('take booleans, undefined and views into larger buffers', async () => {
    const database = await open(':memory:')
    const view = new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4)
    await sql`INSERT INTO thing VALUES (1, ${view}, ${true}, ${undefined}, '')`.execute(database)
    await sql`INSERT INTO thing VALUES (2, ${Buffer.from('ab', 'hex')}, ${false}, 'x', '')`.execute(database)
    const rows = await database.selectFrom('thing').selectAll().orderBy('id').execute()
    expect(rows.map((row) => [[...row.bytes], row.flag, row.note])).to.deep.equal([
      [[1, 2], 1, null],
      [[0xab], 0, 'x'],
    ])
    expect(rows[0]?.bytes).to.be.instanceOf(Uint8Array)
  })

  it('write ahead and sync every commit', async () => {
    const database = await open(join(folder, 'relayer.sqlite'))
    const value = async (pragma: string) => {
      const { rows } = await sql.raw<Record<string, unknown>>(`PRAGMA ${pragma}`).execute(database)
      return Object.values(rows[0] ?? {})[0]
    }
    expect(await value('journal_mode')).to.equal('wal')
    expect(await value('synchronous')).to.equal(2)
    expect(await value('foreign_keys')).to.equal(1)
    expect(await value('secure_delete'), 'what is deleted is overwritten').to.equal(1)
    expect(await value('busy_timeout'), 'SQLite never waits in the thread of the requests').to.equal(0)
  })

  it('are readable for their owner alone, journals included', async function () {
    if (process.platform === 'win32') this.skip()
    const file = join(folder, 'relayer.sqlite')
    const previous = process.umask(0o022)
    try {
      const database = await open(file)
      await sql`INSERT INTO thing (id) VALUES (1)`.execute(database)
    } finally {
      process.umask(previous)
    }
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(`${file}${suffix}`).mode & 0o777, suffix).to.equal(0o600)
    }
  })

  it('that others can write are refused, those that others can only read are closed to them', async function () {
    if (process.platform === 'win32') this.skip()
    const file = join(folder, 'relayer.sqlite')
    await (await open(file)).destroy()
    chmodSync(file, 0o644)
    await (await open(file)).destroy()
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    for (const mode of [0o620, 0o602]) {
      chmodSync(file, mode)
      const error = await failureOf(open(file))
      expect(error.code).to.equal('DATABASE_WRITABLE_BY_OTHERS')
      expect(error.hint).to.include(file)
    }
    chmodSync(file, 0o600)
    writeFileSync(`${file}-wal`, '')
    chmodSync(`${file}-wal`, 0o666)
    const error = await failureOf(open(file))
    expect(error.code).to.equal('DATABASE_WRITABLE_BY_OTHERS')
    expect(error.message).to.include(`${file}-wal`)
  })

  it('of another part are refused', async () => {
    const file = join(folder, 'relayer.sqlite')
    await (await open(file)).destroy()
    const error = await failureOf(open(file, 'operator'))
    expect(error.code).to.equal('FOREIGN_DATABASE')
    expect(error.message).to.include(file).and.include('operator')
    expect(await databaseAnswers(await open(file))).to.equal(true)
  })

  it('that are no databases, or folders, or out of reach, are refused and left as they are', async () => {
    const file = join(folder, 'notes.txt')
    writeFileSync(file, 'these are notes, and not a database at all '.repeat(100))
    const size = statSync(file).size
    expect((await failureOf(open(file))).code).to.equal('DATABASE_UNREADABLE')
    expect(statSync(file).size).to.equal(size)
    mkdirSync(join(folder, 'folder'))
    expect((await failureOf(open(join(folder, 'folder')))).code).to.equal('DATABASE_UNREADABLE')
    const error = await failureOf(open(join(file, 'below-a-file.sqlite')))
    expect(error.code).to.equal('DATABASE_UNREADABLE')
    expect(error.message).not.to.include('\n')
  })

  it('move to a newer schema, and are refused by an older one', async () => {
    const file = join(folder, 'relayer.sqlite')
    const database = await open(file)
    await sql`INSERT INTO thing (id) VALUES (7)`.execute(database)
    await database.destroy()
    const newer = await open(file, 'relayer', { '001': first, '002': second })
    expect(await newer.selectFrom('thing').select('id').execute()).to.deep.equal([{ id: 7 }])
    await newer.destroy()
    const error = await failureOf(open(file))
    expect(error.code).to.equal('DATABASE_UNREADABLE')
    expect(error.hint).to.include('newer version')
  })

  it('say whether they answer', async () => {
    const database = await openDatabase<Schema>(':memory:', 'relayer', { '001': first })
    expect(await databaseAnswers(database)).to.equal(true)
    await database.destroy()
    expect(await databaseAnswers(database)).to.equal(false)
  })
})
