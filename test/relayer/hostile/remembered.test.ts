import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Secret } from '../../../core/secret.js'
import { openDatabase } from '../../../core/storage/database.js'
import { ExitStore } from '../../../relayer/store/exit-store.js'
import { exitMigrations } from '../../../relayer/store/migrations.js'
import type { ExitsSchema } from '../../../relayer/store/schema.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import { fourNodeValidators, garbage, type TestValidator } from '../clusters.js'
import { testApp } from '../http/test-app.js'
import { inThisThread, type TestRelayer, type TestRelayerOptions, TestWorld } from '../relayer.js'

const [validator] = fourNodeValidators as [TestValidator]
const { publicKey } = validator.validator

describe('what is known of shares', () => {
  let folder: string
  let world: TestWorld
  let relayer: TestRelayer
  let crypto: ReturnType<typeof inThisThread>

  const open = async (options: TestRelayerOptions = {}) => {
    crypto = inThisThread()
    relayer = await world.open({ file: join(folder, 'relayer.db'), crypto, ...options })
  }
  const reopen = async (options: TestRelayerOptions = {}) => {
    await relayer.close()
    await open(options)
  }
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-hostile-'))
    world = new TestWorld()
    await open()
    await relayer.service.requestExits([publicKey])
  })
  afterEach(async () => {
    await relayer.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const post = async (node: number, signature = validator.sign(BigInt(node), world.nextIndex)) => {
    const shares = [{ publicKey, signature }]
    const rejected = await relayer.service.postShares(BigInt(node), shares, `token node-${node}`)
    await relayer.service.idle()
    return rejected.map(({ reason }) => reason)
  }
  const shown = async () => {
    const [exit] = await relayer.service.listExits()
    return { ready: exit?.isExitSignatureReady, listed: exit?.shareIndexesReady.map(Number) }
  }

  it('is that the signature disproved them: they cost nothing and count for nothing, after a restart too', async () => {
    await post(4, garbage(4))
    for (const node of [1, 2, 3]) await post(node)
    expect(await shown()).to.deep.equal({ ready: true, listed: [1, 2, 3] })
    for (const again of [async () => undefined, reopen]) {
      await again()
      const before = { ...crypto.work }
      expect(await post(4, garbage(4))).to.deep.equal(['wrong-signature'])
      expect(crypto.work).to.deep.equal(before)
      expect(await shown()).to.deep.equal({ ready: true, listed: [1, 2, 3] })
    }
    expect(await post(4), 'the right one is welcome').to.deep.equal([])
    expect((await shown()).listed).to.deep.equal([1, 2, 3, 4])
  })

  it('is forgotten with their exit, and holds for no other', async () => {
    const early = validator.sign(4n, 1_001)
    await post(4, early)
    for (const node of [1, 2, 3]) await post(node)
    expect(await post(4, early)).to.deep.equal(['wrong-signature'])
    world.nextIndex = 1_001
    await relayer.service.requestExits([publicKey])
    expect(await post(4, early), 'it was the share of the next index').to.deep.equal([])
    for (const node of [1, 2]) await post(node)
    expect((await shown()).ready).to.equal(true)
    world.now += 3_601
    await relayer.service.sweep()
    expect(await relayer.database.selectFrom('disproven_shares').selectAll().execute()).to.deep.equal([])
  })

  it('is that they were tried: posted again they cost nothing, list nothing, and count with what comes later', async () => {
    await post(1, garbage(1))
    for (const node of [2, 3]) await post(node)
    expect(await shown()).to.deep.equal({ ready: false, listed: [] })
    const before = { ...crypto.work }
    for (let poll = 0; poll < 5; poll++) {
      for (const node of [2, 3]) expect(await post(node)).to.deep.equal([])
      expect(await post(1, garbage(1))).to.deep.equal([])
    }
    expect(crypto.work).to.deep.equal(before)
    expect(await shown(), 'a liar keeps no index listed').to.deep.equal({ ready: false, listed: [] })
    await reopen()
    await post(4)
    expect(await shown()).to.deep.equal({ ready: true, listed: [2, 3, 4] })
  })

  it('is found again where the process ended in the middle of their trials', async () => {
    const fail = async () => {
      throw new Error('the thread is gone')
    }
    await reopen({ crypto: { ...inThisThread(), trySubsets: fail } })
    await post(1, garbage(1))
    for (const node of [2, 3, 4]) await post(node)
    expect((await shown()).ready).to.equal(false)
    await reopen()
    await relayer.service.idle()
    expect(await shown()).to.deep.equal({ ready: true, listed: [2, 3, 4] })
  })

  it('is who posted them: a token’s name, else an address', async () => {
    const app = await testApp(relayer.service, {
      tokens: { secret: { name: 'node-2', role: 'sidecar', shareIndexes: [2n] } },
    })
    try {
      for (const [node, authorization] of [
        [1, undefined],
        [2, 'Bearer secret'],
      ] as const) {
        const share = Buffer.from(validator.sign(BigInt(node), 1_000)).toString('hex')
        const answer = await app.inject({
          method: 'POST',
          url: '/exit-signature',
          headers: { host: 'localhost', ...(authorization === undefined ? {} : { authorization }) },
          payload: { share_index: node, shares: [{ public_key: publicKey, exit_signature: `0x${share}` }] },
        })
        expect(answer.body).to.equal('{}')
      }
    } finally {
      await app.close()
    }
    const callers = (await relayer.store.sharesOf([publicKey])).map(({ caller }) => caller)
    expect(callers).to.have.members(['127.0.0.1', 'token node-2'])
  })

  it('is kept from a database that knew no callers', async () => {
    const file = join(folder, 'old.db')
    const cipher = new ShareCipher(new Secret(new Uint8Array(32).fill(7)))
    const { '006-share-callers': added, ...before } = exitMigrations
    expect(added).to.be.an('object')
    const old = await openDatabase<ExitsSchema>(file, 'relayer', before)
    const id = { public_key: publicKey, message: 'exit/1000' }
    await old
      .insertInto('messages')
      .values({ ...id, created_at: 1, asked_at: 1, asked_order: 1 })
      .execute()
    const signature = validator.sign(3n, 1_000)
    const sealed = cipher.seal({ publicKey, message: 'exit/1000', shareIndex: 3n }, signature)
    const row = {
      share_index: '3',
      digest: 'd',
      share_order: 1,
      state: 'tried',
      listed: 0,
      verified_under: null,
    }
    await old
      .insertInto('signature_shares')
      // @ts-expect-error the column of the caller was not there
      .values({ ...id, ...row, sealed })
      .execute()
    await old.destroy()
    const database = await openDatabase<ExitsSchema>(file, 'relayer', exitMigrations)
    const store = await ExitStore.open(database, cipher)
    const [share] = await store.openSharesOf({ publicKey, message: 'exit/1000' })
    expect(share).to.deep.include({ signature, state: 'tried', caller: '' })
    await database.destroy()
  })
})
