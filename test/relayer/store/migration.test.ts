import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PublicKeyHex } from '../../../core/hex.js'
import { Secret } from '../../../core/secret.js'
import { openDatabase } from '../../../core/storage/database.js'
import { exitMessage } from '../../../relayer/exits/message.js'
import { ExitStore } from '../../../relayer/store/exit-store.js'
import { exitMigrations } from '../../../relayer/store/migrations.js'
import type { ExitsSchema } from '../../../relayer/store/schema.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'

/** The tables as they were before deposits. */
interface OldSchema {
  exits: {
    public_key: string
    validator_index: number
    created_at: number
    asked_at: number
    asked_order: number
  }
  shares: {
    public_key: string
    validator_index: number
    share_index: string
    digest: string
    share_order: number
    state: string
    listed: number
    verified_under: string | null
    sealed: Uint8Array
  }
  oracle_parts: {
    public_key: string
    validator_index: number
    set_hash: string
    public_key_shares: string
    encrypted_signatures: string
  }
}

const publicKey: PublicKeyHex = `0x${'aa'.repeat(48)}`

describe('a database of a relayer that knew exits alone', () => {
  it('keeps its exits, their shares and their parts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-migration-'))
    try {
      const file = join(folder, 'relayer.db')
      const cipher = new ShareCipher(new Secret(new Uint8Array(32).fill(7)))
      const first = { '001-exits': exitMigrations['001-exits'] }
      const old = await openDatabase<OldSchema>(file, 'relayer', first)
      const id = { public_key: publicKey, validator_index: 1_250_000 }
      const signature = new Uint8Array(96).fill(5)
      const row = { publicKey, message: exitMessage(1_250_000), shareIndex: 3n }
      await old
        .insertInto('exits')
        .values({ ...id, created_at: 10, asked_at: 20, asked_order: 1 })
        .execute()
      await old
        .insertInto('shares')
        .values({
          ...id,
          share_index: '3',
          digest: 'd',
          share_order: 1,
          state: 'candidate',
          listed: 1,
          verified_under: null,
          sealed: cipher.seal(row, signature),
        })
        .execute()
      await old
        .insertInto('oracle_parts')
        .values({ ...id, set_hash: '0x01', public_key_shares: '["0xbb"]', encrypted_signatures: '["0xcc"]' })
        .execute()
      await old.destroy()

      const database = await openDatabase<ExitsSchema>(file, 'relayer', exitMigrations)
      const store = await ExitStore.open(database, cipher)
      expect(await store.messagesOf([publicKey])).to.deep.equal([
        { publicKey, message: 'exit/1250000', createdAt: 10, askedAt: 20, askedOrder: 1 },
      ])
      const [share] = await store.openSharesOf({ publicKey, message: 'exit/1250000' })
      expect(share?.signature).to.deep.equal(signature)
      expect([...(await store.partsOf([publicKey], '0x01'))]).to.deep.equal([
        [`${publicKey}/exit/1250000`, { publicKeys: ['0xbb'], encryptedExitSignatures: ['0xcc'] }],
      ])
      await database.destroy()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
