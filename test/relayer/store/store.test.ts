import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Kysely } from 'kysely'
import type { PublicKeyHex } from '../../../core/hex.js'
import { Secret } from '../../../core/secret.js'
import { openDatabase } from '../../../core/storage/database.js'
import { exitMessage } from '../../../relayer/exits/message.js'
import type { ShareState } from '../../../relayer/exits/records.js'
import { Checkpoint } from '../../../relayer/store/checkpoints.js'
import { ExitStore } from '../../../relayer/store/exit-store.js'
import { defaultKeyFile, loadOrCreateKey } from '../../../relayer/store/key-file.js'
import { exitMigrations } from '../../../relayer/store/migrations.js'
import type { ExitsSchema } from '../../../relayer/store/schema.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'

const publicKey: PublicKeyHex = `0x${'ab'.repeat(48)}`
const row = { publicKey, message: exitMessage(5), shareIndex: 2n ** 64n - 1n }
const newCipher = () => new ShareCipher(new Secret(new Uint8Array(randomBytes(32))))
const codeOf = async (action: () => unknown): Promise<unknown> => {
  try {
    await action()
    return 'no error'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('the key of the shares', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'relayer-key-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is made once, for its owner alone', () => {
    const file = defaultKeyFile(folder)
    const key = loadOrCreateKey(file)
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(key.reveal()).to.have.length(32)
    expect(loadOrCreateKey(file).reveal()).to.deep.equal(key.reveal())
    expect(loadOrCreateKey(join(folder, 'other', 'key')).reveal()).not.to.deep.equal(key.reveal())
  })

  it('is refused when others can read it, or when it is no key', async () => {
    const file = join(folder, 'key')
    loadOrCreateKey(file)
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(file, mode)
      expect(await codeOf(() => loadOrCreateKey(file))).to.equal('KEY_FILE_READABLE_BY_OTHERS')
    }
    chmodSync(file, 0o600)
    for (const content of ['', 'zz', readFileSync(file, 'utf8').slice(2)]) {
      writeFileSync(file, content)
      expect(await codeOf(() => loadOrCreateKey(file))).to.equal('KEY_FILE_INVALID')
    }
    expect(await codeOf(() => loadOrCreateKey(folder))).to.equal('KEY_FILE_UNREADABLE')
  })
})

describe('a sealed share', () => {
  const cipher = newCipher()
  const signature = new Uint8Array(randomBytes(96))
  const sealed = cipher.seal(row, signature)

  it('opens in its own row with its own key only', async () => {
    expect(cipher.open(row, sealed)).to.deep.equal(signature)
    for (const other of [
      { ...row, message: exitMessage(6) },
      { ...row, shareIndex: 1n },
      { ...row, publicKey: `0x${'ac'.repeat(48)}` as const },
    ]) {
      expect(await codeOf(() => cipher.open(other, sealed))).to.equal('SHARE_UNREADABLE')
    }
    expect(await codeOf(() => newCipher().open(row, sealed))).to.equal('SHARE_UNREADABLE')
    for (const place of [0, 12, 28, sealed.length - 1]) {
      const altered = Uint8Array.from(sealed)
      altered[place] = (altered[place] ?? 0) ^ 1
      expect(await codeOf(() => cipher.open(row, altered))).to.equal('SHARE_UNREADABLE')
    }
  })

  it('shows equal shares to whoever has the key only', () => {
    const digest = cipher.digest(publicKey, 1n, signature)
    expect(cipher.digest(publicKey, 1n, signature)).to.equal(digest)
    expect(cipher.digest(publicKey, 2n, signature)).not.to.equal(digest)
    expect(newCipher().digest(publicKey, 1n, signature)).not.to.equal(digest)
  })
})

describe('the store', () => {
  const cipher = newCipher()
  let database: Kysely<ExitsSchema>
  let store: ExitStore
  beforeEach(async () => {
    database = await openDatabase<ExitsSchema>(':memory:', 'relayer', exitMigrations)
    store = await ExitStore.open(database, cipher)
  })
  afterEach(() => database.destroy())

  const limits = { now: 100, touchAfter: 60, mostKeys: 10 }
  const exit = { publicKey, message: exitMessage(5) }
  const newShare = (shareIndex: bigint, byte: number, state: ShareState = 'candidate') => {
    const signature = new Uint8Array(96).fill(byte)
    return {
      ...exit,
      shareIndex,
      signature,
      digest: cipher.digest(publicKey, shareIndex, signature),
      state,
      listed: true,
      verifiedUnder: null,
      caller: 'token a',
    }
  }

  it('is refused with another key', async () => {
    expect(await codeOf(() => ExitStore.open(database, newCipher()))).to.equal('FOREIGN_KEY_FILE')
    await ExitStore.open(database, cipher)
  })

  it('gives back shares of the largest index, byte for byte, in their order', async () => {
    await store.request([exit], limits)
    await store.addShares([newShare(2n ** 64n - 1n, 1), newShare(1n, 2)])
    const shares = await store.openSharesOf(exit)
    expect(shares.map((share) => [share.shareIndex, share.signature[0]])).to.deep.equal([
      [2n ** 64n - 1n, 1],
      [1n, 2],
    ])
  })

  it('leaves out shares that are there, and those whose exit is gone', async () => {
    await store.request([exit], limits)
    await store.addShares([newShare(1n, 1), newShare(1n, 1), { ...newShare(1n, 2), message: exitMessage(6) }])
    await store.addShares([newShare(1n, 1)])
    expect(await store.sharesOf([publicKey])).to.have.length(1)
  })

  it('keeps four unproven shares of an index', async () => {
    await store.request([exit], limits)
    for (let byte = 1; byte <= 6; byte++) await store.addShares([newShare(1n, byte)])
    await store.addShares(Array.from({ length: 7 }, (_, i) => newShare(2n, i + 1)))
    const shares = await store.openSharesOf(exit)
    expect(shares.map((share) => [Number(share.shareIndex), share.signature[0]])).to.deep.equal([
      ...[3, 4, 5, 6].map((byte) => [1, byte]),
      ...[4, 5, 6, 7].map((byte) => [2, byte]),
    ])
  })

  it('keeps the first parts of an exit and a set of oracles', async () => {
    await store.request([exit], limits)
    const parts = (byte: string) =>
      ({ setHash: '0x01', publicKeys: [`0x${byte}`], encryptedExitSignatures: [`0x${byte}`] }) as const
    await store.settle(exit, { parts: parts('aa') })
    await store.settle(exit, { parts: parts('bb') })
    expect([...(await store.partsOf([publicKey], '0x01')).values()]).to.deep.equal([
      { publicKeys: ['0xaa'], encryptedExitSignatures: ['0xaa'] },
    ])
    expect((await store.partsOf([publicKey], '0x02')).size).to.equal(0)
  })

  it('stores all of what a step found, or nothing', async () => {
    await store.request([exit], limits)
    await store.addShares([newShare(1n, 1), newShare(2n, 2)])
    const [right, wrong] = await store.sharesOf([publicKey])
    if (right === undefined || wrong === undefined) throw new Error('no shares')
    const broken = { setHash: '0x01', publicKeys: [1n], encryptedExitSignatures: [] } as never
    expect(
      await codeOf(() =>
        store.settle(exit, {
          wrong: [wrong],
          proven: [{ share: right, verifiedUnder: null }],
          parts: broken,
        }),
      ),
    ).not.to.equal('no error')
    expect((await store.sharesOf([publicKey])).map((share) => share.state)).to.deep.equal([
      'candidate',
      'candidate',
    ])
  })

  it('finds what is unfinished', async () => {
    const other = { publicKey, message: exitMessage(6) }
    await store.request([exit], limits)
    await store.request([other], limits)
    expect(await store.unfinished('0x01')).to.deep.equal([])
    await store.addShares([newShare(1n, 1), newShare(2n, 2), { ...newShare(1n, 3), message: exitMessage(6) }])
    await store.settle(exit, { parts: { setHash: '0x01', publicKeys: [], encryptedExitSignatures: [] } })
    expect(await store.unfinished('0x01')).to.deep.equal([other])
    expect(await store.unfinished('0x02')).to.have.deep.members([exit, other])
  })

  it('takes a thousand exits at once', async () => {
    const asked = Array.from({ length: 1_000 }, (_, i) => ({
      publicKey: `0x${i.toString(16).padStart(96, '0')}` as const,
      message: exitMessage(i),
    }))
    expect(await store.request(asked, { ...limits, mostKeys: 1_000 })).to.have.length(1_000)
    expect((await store.listed()).messages).to.have.length(1_000)
    expect(await codeOf(() => store.request([exit], { ...limits, mostKeys: 1_000 }))).to.equal(
      'TOO_MANY_EXITS',
    )
    expect(await store.deleteAskedBefore(101)).to.equal(1_000)
  })

  it('keeps checkpoints by name, with integers of any size', async () => {
    const [one, two] = [new Checkpoint(database, 'one'), new Checkpoint(database, 'two')]
    expect(await one.load()).to.equal(undefined)
    await one.save({ block: 2n ** 60n, list: ['a', null, 1] })
    await two.save('other')
    await one.save({ block: 2n ** 61n, list: [] })
    expect(await one.load()).to.deep.equal({ block: 2n ** 61n, list: [] })
    expect(await two.load()).to.equal('other')
  })
})
