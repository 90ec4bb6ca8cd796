import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Kysely, type Migration, sql } from 'kysely'
import type { Hex } from '../../../core/hex.js'
import { openDatabase } from '../../../core/storage/database.js'
import { type OperatorSchema, openOperatorDatabase } from '../../../operator/transactions/store/schema.js'
import { OperatorStore } from '../../../operator/transactions/store/store.js'
import { failureOf } from '../../doubles/failure.js'

/** The tables as the first version made them. */
const OLD: Migration = {
  async up(database: Kysely<unknown>) {
    await sql`CREATE TABLE registrations (
      id INTEGER PRIMARY KEY, sender TEXT NOT NULL, nonce INTEGER NOT NULL, vault TEXT NOT NULL,
      way TEXT NOT NULL, to_address TEXT NOT NULL, public_keys TEXT NOT NULL, start_index INTEGER NOT NULL,
      registry_root TEXT NOT NULL, deadline INTEGER NOT NULL, created_at INTEGER NOT NULL,
      state TEXT NOT NULL, block_number INTEGER, block_hash TEXT, mined_hash TEXT, gas_used INTEGER,
      index_checked INTEGER NOT NULL DEFAULT 0, failure TEXT) STRICT`.execute(database)
    await sql`CREATE TABLE attempts (
      hash TEXT PRIMARY KEY, registration_id INTEGER NOT NULL REFERENCES registrations (id),
      raw TEXT NOT NULL, max_fee TEXT NOT NULL, max_priority_fee TEXT NOT NULL,
      created_at INTEGER NOT NULL) STRICT`.execute(database)
    await sql`CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT`.execute(database)
  },
}

describe('the operator’s database', () => {
  const opened: Kysely<OperatorSchema>[] = []
  let folder: string
  const open = async () => {
    const database = await openOperatorDatabase(join(folder, 'operator.sqlite'))
    opened.push(database)
    return new OperatorStore(database)
  }
  const facts = (nonce: number) => ({
    sender: `0x${'aa'.repeat(20)}` as Hex,
    nonce,
    vault: `0x${'ba'.repeat(20)}` as Hex,
    kind: 'registration' as const,
    way: 'registry',
    to: `0x${'cc'.repeat(20)}` as Hex,
    publicKeys: [`0x${'01'.repeat(48)}`, `0x${'02'.repeat(48)}`] as Hex[],
    startIndex: 2_000_000,
    registryRoot: `0x${'11'.repeat(32)}` as Hex,
    deadline: 1_900_000_000n,
  })
  const attempt = (number: number) => ({
    hash: `0x${number.toString(16).padStart(64, '0')}` as Hex,
    raw: '0x02f8' as Hex,
    fees: { maxFeePerGas: 2n ** 70n, maxPriorityFeePerGas: 0n },
    createdAt: 1_800_000_000,
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-operator-store-'))
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.destroy()))
    rmSync(folder, { recursive: true })
  })

  it('keeps a registration and its attempts as they were, for other processes too', async () => {
    const store = await open()
    const added = await store.add(facts(3), attempt(9))
    await store.addAttempt(added.id, attempt(1))
    expect(added).to.deep.include({
      ...facts(3),
      state: 'sent',
      createdAt: 1_800_000_000,
      indexChecked: false,
    })
    const [read] = await (await open()).registrations()
    expect(read).to.deep.equal({ ...added, attempts: [attempt(9), attempt(1)] })
  })

  it('takes no second nonce while the first is in flight, and writes nothing of it', async () => {
    const store = await open()
    await store.add(facts(3), attempt(1))
    expect((await failureOf(store.add(facts(4), attempt(2)))).code).to.equal('ANOTHER_NONCE_IN_FLIGHT')
    expect(await store.registrations()).to.have.length(1)
    await store.add(facts(3), attempt(2))
    expect((await store.registrations(1))[0]?.attempts).to.deep.equal([attempt(2)])
  })

  it('writes a registration and its attempt both or neither', async () => {
    const store = await open()
    await store.add(facts(3), attempt(1))
    let refused = false
    await store.add(facts(3), attempt(1)).catch(() => {
      refused = true
    })
    expect([refused, (await store.registrations()).length]).to.deep.equal([true, 1])
  })

  it('keeps notes for another process, without rounding, until they are taken back', async () => {
    const [store, other] = [await open(), await open()]
    await store.setNote('waiting', { for: 'assets', wei: 32n * 10n ** 18n })
    await store.setNote('waiting', { for: 'relayer', wei: 2n ** 80n })
    expect(await other.note('waiting')).to.deep.equal({ for: 'relayer', wei: 2n ** 80n })
    await store.setNote('waiting', undefined)
    expect(await other.note('waiting')).to.equal(undefined)
  })

  it('takes over the registrations of an older database', async () => {
    const file = join(folder, 'old.db')
    const old = await openDatabase<Record<string, never>>(file, 'operator', { '001-registrations': OLD })
    await sql`INSERT INTO registrations (id, sender, nonce, vault, way, to_address, public_keys, start_index,
      registry_root, deadline, created_at, state, index_checked) VALUES (7, '0xaa', 3, '0xba', 'registry', '0xcc',
      '["0x01"]', 2000, '0x11', 1900000000, 1800000000, 'sent', 0)`.execute(old)
    for (const hash of ['0xf2', '0xf1']) {
      await sql`INSERT INTO attempts VALUES (${hash}, 7, '0x02', '5', '1', 1800000000)`.execute(old)
    }
    await old.destroy()

    const database = await openOperatorDatabase(file)
    opened.push(database)
    const store = new OperatorStore(database)
    const [registration] = await store.registrations()
    expect(registration).to.deep.include({
      kind: 'registration',
      id: 7,
      nonce: 3,
      startIndex: 2000,
      deadline: 1_900_000_000n,
      state: 'sent',
    })
    expect(registration?.attempts.map(({ hash }) => hash)).to.deep.equal(['0xf2', '0xf1'])
    const funding = { kind: 'funding' as const, managerNonce: 2n ** 200n, publicKeys: [] }
    const { vault, way, to, sender } = facts(4)
    const added = await store.add({ ...funding, vault, way, to, sender, nonce: 3 }, attempt(9))
    expect(added).to.deep.include({ kind: 'funding', managerNonce: 2n ** 200n })
    expect((await store.inFlight()).map(({ id }) => id)).to.deep.equal([7, added.id])
    expect(await store.registrations()).to.have.length(1)
  })
})
