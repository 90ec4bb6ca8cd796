import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { type Kysely, type KyselyPlugin, sql } from 'kysely'
import { Secret } from '../../../core/secret.js'
import { exitMessage } from '../../../relayer/exits/message.js'
import type { ShareState } from '../../../relayer/exits/records.js'
import { Choices } from '../../../relayer/registrations/choices.js'
import { ExitStore } from '../../../relayer/store/exit-store.js'
import { openRelayerDatabase, type RelayerDatabase, type RelayerSchema } from '../../../relayer/store/open.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import { TokenStore } from '../../../relayer/store/tokens.js'
import { type ClaimedSharing, ClaimedSharings } from '../../../relayer/validators/claimed-sharings.js'

const cipher = new ShareCipher(new Secret(new Uint8Array(randomBytes(32))))
const keyOf = (n: number) => `0x${n.toString(16).padStart(96, '0')}` as const
const exits = [1, 2].map((n) => ({ publicKey: keyOf(n), message: exitMessage(n) }))
const [first, second] = exits as [(typeof exits)[0], (typeof exits)[0]]
const limits = { now: 100, touchAfter: 60, mostKeys: 2_000 }
const share = (exit: typeof first, shareIndex: bigint, state: ShareState, under: bigint | null = null) => {
  const signature = new Uint8Array(96).fill(Number(shareIndex))
  const digest = cipher.digest(exit.publicKey, shareIndex, signature)
  const verifiedUnder = under === null ? null : keyOf(Number(under))
  return { ...exit, shareIndex, signature, digest, state, listed: true, verifiedUnder, caller: 'node' }
}
const sharing = (caller: string, ...publicShares: number[]): ClaimedSharing => ({
  publicKey: first.publicKey,
  threshold: 2,
  shares: new Map(publicShares.map((n, i) => [BigInt(i + 1), keyOf(n)])),
  source: caller,
  caller,
  claimedAt: 100,
})
const choice = (n: number) => ({ publicKey: keyOf(n), vault: keyOf(0), type: '0x01' as const, amount: 1n })

const storeOf = (database: Kysely<RelayerSchema>) => ExitStore.open(database, cipher)

/** What is done to a database in which exits of two keys, shares, a claimed set, choices and a token are. */
const CHANGES: Readonly<Record<string, (database: Kysely<RelayerSchema>) => Promise<unknown>>> = {
  'a request for exits': async (database) =>
    (await storeOf(database)).request(
      [first, ...Array.from({ length: 600 }, (_, i) => ({ publicKey: keyOf(i + 10), message: 'exit/9' }))],
      { ...limits, now: 1_000 },
    ),
  'a post of shares': async (database) =>
    (await storeOf(database)).addShares([share(first, 3n, 'candidate'), share(second, 3n, 'candidate')]),
  'what a recovery found': async (database) => {
    const store = await storeOf(database)
    const [one, two] = await store.sharesOf([first.publicKey])
    if (one === undefined || two === undefined) throw new Error('no shares')
    await store.settle(first, {
      proven: [{ share: one, verifiedUnder: null }],
      wrong: [two],
      parts: { setHash: '0x01', publicKeys: ['0x02'], encryptedExitSignatures: ['0x03'] },
    })
  },
  'the end of keys': async (database) =>
    (await storeOf(database)).deleteKeys([
      ...Array.from({ length: 600 }, (_, i) => keyOf(i + 10)),
      ...exits.map((e) => e.publicKey),
    ]),
  'a claimed set in the place of another': async (database) => {
    const claimed = await ClaimedSharings.open(database)
    await claimed.replace([sharing('new', 201, 103)], claimed.sharingsOf(first.publicKey))
  },
  'a choice of validators': (database) => new Choices(database).keep([choice(3), choice(4), choice(5)]),
  'the end of choices': (database) => new Choices(database).forget([keyOf(1), keyOf(2)]),
  'a new token': (database) =>
    new TokenStore(database, () => 5).add('secret', { name: 'new', role: 'viewer', shareIndexes: [] }),
}

async function fill(database: RelayerDatabase): Promise<void> {
  const store = await storeOf(database)
  await store.request(exits, limits)
  await store.addShares([
    share(first, 1n, 'proven', 101n),
    share(first, 2n, 'proven', 102n),
    share(first, 4n, 'proven', 103n),
    share(second, 1n, 'candidate'),
  ])
  await (await ClaimedSharings.open(database)).replace([sharing('old', 101, 102, 150, 103)], [])
  await new Choices(database).keep([choice(1), choice(2)])
  await new TokenStore(database, () => 4).add('token', { name: 'old', role: 'operator', shareIndexes: [] })
}

/** Everything in the database, as text. */
async function dump(database: RelayerDatabase): Promise<string> {
  const tables = await sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`.execute(
    database,
  )
  const rows = tables.rows.map(async ({ name }) => [
    name,
    (await sql`SELECT * FROM ${sql.table(name)}`.execute(database)).rows,
  ])
  return JSON.stringify(await Promise.all(rows))
}

/** Fails at the n-th statement, as when the disk fills up or the process is killed there. */
function failingAt(n: number): KyselyPlugin {
  let count = 0
  return {
    transformQuery: ({ node }) => {
      if (++count === n) throw new Error('failed here')
      return node
    },
    transformResult: async ({ result }) => result,
  }
}

async function succeeds(change: Promise<unknown>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    if (error instanceof Error && error.message === 'failed here') return false
    throw error
  }
}

describe('a change that fails at any of its statements leaves nothing of itself:', () => {
  for (const [name, change] of Object.entries(CHANGES)) {
    it(name, async () => {
      const database = await openRelayerDatabase(':memory:')
      try {
        await fill(database)
        const before = await dump(database)
        let statement = 1
        while (!(await succeeds(change(database.withPlugin(failingAt(statement)))))) {
          expect(await dump(database), `failed at statement ${statement}`).to.equal(before)
          statement++
        }
        expect(statement, 'statements').to.be.greaterThan(2)
        expect(await dump(database)).not.to.equal(before)
      } finally {
        await database.destroy()
      }
    })
  }
})
