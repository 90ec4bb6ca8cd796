import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Kysely } from 'kysely'
import type { Hex } from '../../../core/hex.js'
import { type OperatorSchema, openOperatorDatabase } from '../../../operator/transactions/store/schema.js'
import { OperatorStore } from '../../../operator/transactions/store/store.js'
import { failureOf } from '../../doubles/failure.js'

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
})
