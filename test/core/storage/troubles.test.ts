import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Kysely, type Migration, sql } from 'kysely'
import Sqlite from 'libsql'
import { UnavailableError } from '../../../core/errors.js'
import { databaseAnswers, openDatabase, probeDatabase } from '../../../core/storage/database.js'
import { DatabaseWatch } from '../../../core/storage/watch.js'
import { failureOf } from '../../doubles/failure.js'
import { holdLock } from './lock-holder.js'

interface Schema {
  thing: { id: number; bytes: Uint8Array }
}
const migration: Migration = {
  async up(database) {
    await sql`CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes BLOB) STRICT`.execute(database)
  },
}

describe('a database in trouble', () => {
  let folder: string
  let file: string
  let watch: DatabaseWatch
  let told: (string | undefined)[]
  let database: Kysely<Schema>
  const cleanUp: (() => unknown)[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-trouble-'))
    file = join(folder, 'relayer.db')
    watch = new DatabaseWatch()
    told = []
    watch.onChange((trouble) => told.push(trouble?.code))
  })
  afterEach(async () => {
    for (const clean of cleanUp.splice(0).reverse()) await clean()
    rmSync(folder, { recursive: true, force: true })
  })

  const open = async () => {
    database = await openDatabase<Schema>(file, 'relayer', { '001': migration }, watch)
    cleanUp.push(() => database.destroy())
  }
  const insert = (...ids: number[]) =>
    database.transaction().execute(async (transaction) => {
      for (const id of ids) {
        await transaction
          .insertInto('thing')
          .values({ id, bytes: new Uint8Array(3000) })
          .execute()
      }
    })
  const insertAlone = (id: number) =>
    database
      .insertInto('thing')
      .values({ id, bytes: new Uint8Array(3000) })
      .execute()
  /** What another process would find now: only what was committed. */
  const committed = () => {
    const other = new Sqlite(file)
    try {
      return (other.prepare('SELECT id FROM thing ORDER BY id').all([]) as { id: number }[]).map(
        ({ id }) => id,
      )
    } finally {
      other.close()
    }
  }

  it('refuses what it cannot store while another process holds it, answers readers, and works on afterwards', async () => {
    await open()
    await insert(1)
    const release = await holdLock(file)
    cleanUp.push(release)
    const failure = await failureOf(insert(2))
    expect(failure).to.be.instanceOf(UnavailableError)
    expect(failure.code).to.equal('DATABASE_LOCKED')
    expect(failure.message).not.to.include(folder)
    expect(failure.hint).to.include(file)
    expect((await failureOf(insertAlone(3))).code).to.equal('DATABASE_LOCKED')
    expect((await failureOf(insert(4))).code).to.equal('DATABASE_LOCKED')
    expect(await database.selectFrom('thing').select('id').execute()).to.deep.equal([{ id: 1 }])
    await release()
    await insertAlone(5)
    expect(committed()).to.deep.equal([1, 5])
    await insert(6, 7)
    expect(committed()).to.deep.equal([1, 5, 6, 7])
    expect(told).to.deep.equal(['DATABASE_LOCKED', undefined])
  })

  it('waits a moment for the lock, and lets everything else run meanwhile', async () => {
    await open()
    const release = await holdLock(file)
    cleanUp.push(release)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    cleanUp.push(() => clearInterval(timer))
    const waiting = insertAlone(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(turns, 'timers that ran while the lock was missed').to.be.greaterThan(3)
    await release()
    await waiting
    expect(committed()).to.deep.equal([1])
    expect(told).to.deep.equal([])
  })

  it('goes on reading what others write after a read met a lock', async () => {
    await open()
    await insert(1)
    // Only without the log do locks keep readers out.
    await sql`PRAGMA journal_mode = DELETE`.execute(database)
    const release = await holdLock(file)
    cleanUp.push(release)
    expect((await failureOf(database.selectFrom('thing').selectAll().execute())).code).to.equal(
      'DATABASE_LOCKED',
    )
    await release()
    const other = new Sqlite(file)
    cleanUp.push(() => other.close())
    other.exec('INSERT INTO thing VALUES (2, NULL)')
    expect(await database.selectFrom('thing').select('id').execute()).to.deep.equal([{ id: 1 }, { id: 2 }])
    await insertAlone(3)
    expect(committed()).to.deep.equal([1, 2, 3])
  })

  it('stores all of a transaction or nothing when it cannot grow, and works on when it can', async () => {
    await open()
    await insert(1)
    const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(database)
    await sql.raw(`PRAGMA max_page_count = ${(rows[0]?.page_count ?? 0) + 1}`).execute(database)
    const failure = await failureOf(insert(2, 3, 4, 5))
    expect(failure).to.be.instanceOf(UnavailableError)
    expect(failure.code).to.equal('DATABASE_FULL')
    expect(committed()).to.deep.equal([1])
    expect(await databaseAnswers(database)).to.equal(true)
    await sql`PRAGMA max_page_count = 1000000`.execute(database)
    await insert(2, 3, 4, 5)
    expect(committed()).to.deep.equal([1, 2, 3, 4, 5])
    expect(told).to.deep.equal(['DATABASE_FULL', undefined])
  })

  it('does nothing more in a transaction that a failure has ended', async () => {
    await open()
    await sql`PRAGMA max_page_count = 8`.execute(database)
    const sloppy = database.transaction().execute(async (transaction) => {
      const put = (id: number, length: number) =>
        transaction
          .insertInto('thing')
          .values({ id, bytes: new Uint8Array(length) })
          .execute()
      await put(1, 10)
      await put(2, 1_000_000).catch(() => undefined)
      await put(3, 10)
    })
    await sloppy.then(
      () => expect.fail('it went on'),
      (error: Error) => expect(error.message).to.match(/transaction is over/),
    )
    expect(committed()).to.deep.equal([])
  })

  it('tells of its end only when something was written again', async () => {
    await open()
    await sql`PRAGMA max_page_count = 8`.execute(database)
    await failureOf(insert(1, 2, 3, 4, 5, 6, 7, 8, 9))
    expect(watch.trouble?.code).to.equal('DATABASE_FULL')
    await database.deleteFrom('thing').where('id', '=', 77).execute()
    expect(watch.trouble?.code, 'a change of nothing needs no room').to.equal('DATABASE_FULL')
    await probeDatabase(database)
    expect(watch.trouble).to.equal(undefined)
  })

  it('on a full disk loses nothing that it acknowledged', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip()
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      this.skip()
    }
    cleanUp.push(() => execFileSync('umount', ['-l', disk]))
    file = join(disk, 'relayer.db')
    await open()
    const acknowledged: number[] = []
    const fill = async () => {
      for (let id = (acknowledged.at(-1) ?? 0) + 1; ; id++) {
        await insert(id)
        acknowledged.push(id)
      }
    }
    const ballast = join(disk, 'ballast')
    writeFileSync(ballast, new Uint8Array(200_000))
    expect((await failureOf(fill())).code).to.equal('DATABASE_FULL')
    expect(committed()).to.deep.equal(acknowledged)
    rmSync(ballast)
    const before = acknowledged.length
    expect((await failureOf(fill())).code).to.equal('DATABASE_FULL')
    expect(acknowledged.length).to.be.greaterThan(before)
    await database.destroy()
    await openDatabase<Schema>(file, 'relayer', { '001': migration }).then((again) => again.destroy())
    expect(committed()).to.deep.equal(acknowledged)
  })

  it('that is damaged says so, and to put back a backup', async () => {
    await open()
    await insert(...Array.from({ length: 20 }, (_, i) => i + 1))
    await database.destroy()
    const descriptor = openSync(file, 'r+')
    writeSync(descriptor, new Uint8Array(40_000).fill(7), 0, 40_000, 4096)
    closeSync(descriptor)
    const failure = await failureOf(openDatabase<Schema>(file, 'relayer', { '001': migration }))
    expect(failure.code).to.equal('DATABASE_DAMAGED')
    expect(failure.hint).to.include(file).and.to.include('backup')
  })

  it('keeps its log short', async () => {
    await open()
    for (let id = 1; id <= 30; id++) {
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('thing')
          .values({ id, bytes: new Uint8Array(1_000_000) })
          .execute()
      })
    }
    expect(statSync(`${file}-wal`).size).to.be.lessThan(16 * 1024 * 1024 + 1)
  })
})
