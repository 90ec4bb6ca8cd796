import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { type ChosenValidator, planChoice } from '../../../relayer/registrations/choices.js'
import { loadPoolLists, PublicKeyPool } from '../../../relayer/registrations/pool.js'
import { depositDataOf, makeValidators } from '../../devnet/evm/relayer-with-keys.js'
import { failureOf } from '../../doubles/failure.js'

const hoodi = loadNetwork('hoodi')
const VAULT: Hex = `0x${'ba'.repeat(20)}`
const OTHER: Hex = `0x${'cc'.repeat(20)}`
const key = (n: number): PublicKeyHex => `0x${n.toString(16).padStart(96, '0')}`
const ETH = 1_000_000_000n

describe('a choice of validators', () => {
  const chosen = (n: number, eth: bigint): ChosenValidator => ({
    publicKey: key(n),
    vault: VAULT,
    type: '0x02',
    amount: eth * ETH,
  })
  const asked = (...eth: bigint[]) => ({
    vault: VAULT,
    type: '0x02' as const,
    amounts: eth.map((e) => e * ETH),
  })

  it('takes the first free keys, one an amount, and those that there are', () => {
    expect(planChoice([], [key(1), key(2), key(3)], asked(64n, 2048n))).to.deep.equal([
      chosen(1, 64n),
      chosen(2, 2048n),
    ])
    expect(planChoice([], [key(1)], asked(64n, 2048n))).to.deep.equal([chosen(1, 64n)])
    expect(planChoice([], [], asked(64n))).to.deep.equal([])
  })

  it('keeps what was chosen, with its amount while that is not above the one asked for', () => {
    const before = [chosen(1, 64n), chosen(2, 100n)]
    expect(planChoice(before, [key(3)], asked(64n, 120n, 33n))).to.deep.equal([
      chosen(1, 64n),
      chosen(2, 100n),
      chosen(3, 33n),
    ])
    expect(planChoice(before, [], asked(50n, 99n))).to.deep.equal([chosen(1, 50n), chosen(2, 99n)])
    expect(planChoice(before, [key(3)], asked(64n))).to.deep.equal([chosen(1, 64n)])
  })
})

describe('a pool of public keys', () => {
  const clusters = (...keys: [number, Hex | undefined][]) => {
    const pooled = keys.map(([n, vault]) => ({ publicKey: key(n), vault }))
    return {
      keys: () => pooled,
      key: (publicKey: PublicKeyHex) => pooled.find((one) => one.publicKey === publicKey),
    }
  }

  it('holds the clusters’ keys that are for the vault or for none in particular', () => {
    const pool = new PublicKeyPool([], clusters([1, VAULT], [2, OTHER], [3, undefined], [1, VAULT]), [
      VAULT,
      OTHER,
    ])
    expect(pool.keysOf(VAULT)).to.deep.equal([key(1), key(3)])
    expect(pool.keysOf(OTHER)).to.deep.equal([key(2), key(3)])
  })

  it('holds a person’s lists alone where there are any, in their order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-pool-'))
    try {
      const publicKeys = join(folder, 'keys.csv')
      const depositData = join(folder, 'deposit_data.json')
      const [a, b, c] = makeValidators({ network: hoodi, vault: VAULT, count: 3 }).map(
        ({ deposit }) => deposit.publicKey,
      )
      const foreign = makeValidators({ network: hoodi, vault: OTHER, count: 1, prefix: 'other' })
      writeFileSync(publicKeys, `public_key,note\n${b},x\n${a?.slice(2).toUpperCase()}\n`)
      const own = makeValidators({ network: hoodi, vault: VAULT, count: 3 }).slice(2)
      writeFileSync(depositData, depositDataOf([...foreign, ...own]))
      const lists = await loadPoolLists({ publicKeys, depositData }, hoodi)
      const pool = new PublicKeyPool(lists, clusters([9, VAULT]), [VAULT])
      expect(pool.keysOf(VAULT)).to.deep.equal([b, a, c])
      writeFileSync(publicKeys, `${a}\n0x1234\n`)
      const failing = loadPoolLists({ publicKeys, depositData: undefined }, hoodi)
      expect((await failureOf(failing)).code).to.equal('INVALID_PUBLIC_KEYS_FILE')
      writeFileSync(
        depositData,
        JSON.stringify([{ pubkey: key(5), amount: 32e9, signature: '00'.repeat(96) }]),
      )
      const { code, message } = await failureOf(loadPoolLists({ publicKeys: undefined, depositData }, hoodi))
      expect([code, /entry 0/.test(message)]).to.deep.equal(['INVALID_DEPOSIT_DATA', true])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('knows the deposit of a key of dialect 1 where its vault is sure', () => {
    const pool = new PublicKeyPool([], clusters([1, VAULT], [2, OTHER], [3, undefined]), [VAULT])
    const deposit = { vault: VAULT, type: '0x01', amount: 32n * ETH }
    expect([1, 2, 3, 4].map((n) => pool.depositOf(key(n)))).to.deep.equal([
      deposit,
      undefined,
      deposit,
      undefined,
    ])
    const two = new PublicKeyPool([], clusters([1, VAULT], [3, undefined]), [VAULT, OTHER])
    expect([1, 3].map((n) => two.depositOf(key(n)))).to.deep.equal([deposit, undefined])
    const none = new PublicKeyPool([], clusters([1, VAULT], [3, undefined]), [])
    expect([1, 3].map((n) => none.depositOf(key(n)))).to.deep.equal([deposit, undefined])
  })

  it('knows the deposit of a key of dialect 1 by its deposit data', () => {
    const deposit = { vault: VAULT, type: '0x02' as const, amount: 64n * ETH }
    const lists = [
      { publicKey: key(1), vault: undefined },
      { publicKey: key(1), vault: VAULT, deposit },
      { publicKey: key(2), vault: OTHER, deposit: { ...deposit, vault: OTHER } },
    ]
    const pool = new PublicKeyPool(lists, clusters([3, VAULT]), [VAULT])
    expect([1, 2].map((n) => pool.depositOf(key(n)))).to.deep.equal([deposit, undefined])
    expect(pool.depositOf(key(3))).to.deep.equal({ vault: VAULT, type: '0x01', amount: 32n * ETH })
  })
})
