import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { concatHex } from 'viem'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { verifyDepositSignatures } from '../../../core/deposits/deposit-data.js'
import { fromHex, type Hex, type PublicKeyHex } from '../../../core/hex.js'
import { type ValidatorType, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { type ChosenValidator, planChoice } from '../../../relayer/registrations/choices.js'
import { exitRoot, fourNodeValidators, hoodi } from '../clusters.js'
import { combineParts } from '../relayer.js'
import { OperatorSide, type OperatorSideOptions, OTHER_VAULT, ROOT, VAULT } from './operator-side.js'

const GWEI_32 = 32_000_000_000
const validators = fourNodeValidators.slice(0, 4)
const keys = validators.map(({ validator }) => validator.publicKey)

interface Item {
  readonly public_key: PublicKeyHex
  readonly amount: number
  readonly deposit_signature: Hex | null
  readonly exit_signature: null
  readonly oracles_exit_signature_shares: {
    readonly public_keys: PublicKeyHex[]
    readonly encrypted_exit_signatures: Hex[]
  } | null
}

describe('POST /register', () => {
  let side: OperatorSide
  const start = async (options: Partial<OperatorSideOptions> = {}) => {
    side = new OperatorSide({ validators, ...options })
    await side.start()
  }
  afterEach(() => side.stop())

  const request = (amounts: readonly number[], type: ValidatorType = '0x02', more = {}) => ({
    vault: VAULT,
    validators_start_index: side.world.nextIndex,
    amounts,
    validator_type: type,
    ...more,
  })
  const register = async (amounts: readonly number[], type?: ValidatorType, more = {}) => {
    const { status, text, body } = await side.ask('/register', request(amounts, type, more))
    expect(status, text).to.equal(200)
    return body as { validators: Item[]; validators_manager_signature: Hex | null; detail?: string }
  }
  const chosen = async (...args: Parameters<typeof register>) =>
    (await register(...args)).validators.map(({ public_key, amount }) => [public_key, amount])
  const bytesOf = (items: readonly Item[], type: ValidatorType): Hex =>
    concatHex(
      items.map(({ public_key, amount, deposit_signature }) =>
        validatorBytes(type, {
          publicKey: public_key,
          amount: BigInt(amount),
          withdrawalCredentials: withdrawalCredentials(type, VAULT),
          signature: deposit_signature ?? '0x',
        }),
      ),
    )

  for (const [type, amounts] of [
    ['0x01', [GWEI_32, GWEI_32]],
    ['0x02', [2 * GWEI_32, 64 * GWEI_32]],
  ] as const) {
    it(`collects deposits, exits and the manager’s signature of ${type}`, async () => {
      await start()
      const before = await register(amounts, type)
      expect(before.validators).to.deep.equal(
        amounts.map((amount, i) => ({
          public_key: keys[i],
          amount,
          deposit_signature: null,
          exit_signature: null,
          oracles_exit_signature_shares: null,
        })),
      )
      expect(before.validators_manager_signature).to.equal(null)
      await side.sign([1n, 2n])
      expect((await register(amounts, type)).validators_manager_signature).to.equal(null)
      await side.sign([4n])

      const { validators: items, validators_manager_signature: signature } = await register(amounts, type)
      const deposits = items.map(({ public_key, amount, deposit_signature }) => ({
        publicKey: public_key,
        amount: BigInt(amount),
        withdrawalCredentials: withdrawalCredentials(type, VAULT),
        signature: deposit_signature ?? '0x',
      }))
      expect(verifyDepositSignatures(hoodi, deposits)).to.deep.equal([true, true])
      for (const [i, { public_key, oracles_exit_signature_shares: parts }] of items.entries()) {
        const shares = {
          publicKeys: parts?.public_keys ?? [],
          encryptedExitSignatures: parts?.encrypted_exit_signatures ?? [],
        }
        const exit = parseSignature(fromHex(combineParts(side.world.oracles, shares, public_key, 1000 + i)))
        const set = { message: exitRoot(1000 + i), publicKey: parsePublicKey(public_key), signature: exit }
        expect(bls.verify(set)).to.equal(true)
      }
      expect(await side.signer(signature ?? '0x', ROOT, bytesOf(items, type))).to.equal(side.manager.address)
    })
  }

  it('keeps its choice over a restart, until the keys have their deposit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-register-'))
    try {
      await start({ file: join(folder, 'relayer.db') })
      const first = await chosen([GWEI_32, GWEI_32], '0x01')
      await side.stop()
      side.pool.reverse()
      await side.start()
      expect(await chosen([GWEI_32, GWEI_32], '0x01')).to.deep.equal(first)
      side.world.known = keys.slice(0, 1)
      expect((await chosen([GWEI_32, GWEI_32], '0x01')).map(([key]) => key)).to.deep.equal([keys[1], keys[3]])
      await side.stop()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('keeps an amount while it is not above the one asked for, and forgets it with another type', async () => {
    await start()
    await register([64 * GWEI_32, 3 * GWEI_32])
    expect(await chosen([64 * GWEI_32, 5 * GWEI_32, 2 * GWEI_32])).to.deep.equal([
      [keys[0], 64 * GWEI_32],
      [keys[1], 3 * GWEI_32],
      [keys[2], 2 * GWEI_32],
    ])
    expect(await chosen([64 * GWEI_32, 2 * GWEI_32])).to.deep.equal([
      [keys[0], 64 * GWEI_32],
      [keys[1], 2 * GWEI_32],
    ])
    expect(await chosen([GWEI_32], '0x01')).to.deep.equal([[keys[0], GWEI_32]])
    expect(await chosen([64 * GWEI_32])).to.deep.equal([[keys[0], 64 * GWEI_32]])
  })

  it('gives what there is of a pool that is smaller, and says so', async () => {
    await start()
    const { validators: items, detail } = await register(Array(6).fill(GWEI_32), '0x01')
    expect(items.map(({ public_key }) => public_key)).to.deep.equal(keys)
    expect(detail).to.match(/no more keys/)
    side.world.known = keys
    expect(await register([GWEI_32], '0x01')).to.deep.include({
      validators: [],
      validators_manager_signature: null,
    })
  })

  it('gives no more than the oracles approve at once', async () => {
    await start({ batchLimit: 2 })
    expect(await chosen(Array(4).fill(GWEI_32), '0x01')).to.have.length(2)
  })

  it('no longer gives a key that was taken out of the pool', async () => {
    await start()
    await register([GWEI_32], '0x01')
    side.pool.shift()
    expect((await chosen([GWEI_32], '0x01')).map(([key]) => key)).to.deep.equal([keys[1]])
  })

  it('gives a key of no particular vault to the one that asked first', async () => {
    await start()
    const other = { vault: OTHER_VAULT }
    const [first, second] = await Promise.all([
      chosen([GWEI_32, GWEI_32], '0x01'),
      chosen([GWEI_32, GWEI_32, GWEI_32], '0x01', other),
    ])
    expect(new Set([...first, ...second].map(([key]) => key)).size).to.equal(4)
    expect(await chosen([GWEI_32, GWEI_32], '0x01')).to.deep.equal(first)
    expect(await chosen([GWEI_32, GWEI_32, GWEI_32], '0x01', other)).to.deep.equal(second)
  })

  it('asks for new exits where the start index moved, and keeps what was signed for the old one', async () => {
    await start()
    await register([GWEI_32], '0x01')
    await side.sign()
    side.world.nextIndex = 1003
    side.depositRoot = `0x${'22'.repeat(32)}`
    const { validators: moved, validators_manager_signature: early } = await register([GWEI_32], '0x01')
    expect(moved[0]?.deposit_signature).to.be.a('string')
    expect([moved[0]?.oracles_exit_signature_shares, early]).to.deep.equal([null, null])

    const old = await register([GWEI_32], '0x01', { validators_start_index: 1000 })
    expect(old.validators[0]?.oracles_exit_signature_shares).to.be.an('object')
    expect(old.validators_manager_signature, 'no signature for an index that is taken').to.equal(null)

    await register([GWEI_32], '0x01')
    await side.sign()
    const ready = await register([GWEI_32], '0x01')
    const signature = ready.validators_manager_signature ?? '0x'
    const bytes = bytesOf(ready.validators, '0x01')
    expect(await side.signer(signature, side.depositRoot, bytes)).to.equal(side.manager.address)
  })

  it('answers 409 with both numbers for an index that it has not computed within 32 slots', async () => {
    await start()
    const { status, body } = await side.ask(
      '/register',
      request([GWEI_32], '0x01', { validators_start_index: 1001 }),
    )
    expect(status).to.equal(409)
    expect(body.detail).to.include('1001').and.include('1000')
    await register([GWEI_32], '0x01')
    side.world.nextIndex = 1001
    side.world.now += 32 * hoodi.secondsPerSlot + 1
    const late = await side.ask('/register', request([GWEI_32], '0x01', { validators_start_index: 1000 }))
    expect(late.status).to.equal(409)
    expect(late.body.detail).to.include('1001').and.include('1000')
  })

  for (const [type, amount] of [
    ['0x01', GWEI_32 - 1],
    ['0x01', GWEI_32 + 1],
    ['0x02', GWEI_32 - 1],
    ['0x02', 64 * GWEI_32 + 1],
  ] as const) {
    it(`answers 422 for ${amount} Gwei of type ${type}, and chooses nothing`, async () => {
      await start()
      const { status, body } = await side.ask('/register', request([GWEI_32, amount], type))
      expect(status).to.equal(422)
      expect(body.detail[0].msg).to.include(String(amount))
      expect(await side.relayer.service.listValidators()).to.deep.equal([])
    })
  }

  it('answers 403 with the reason for a vault that is not configured', async () => {
    await start({ vaults: [OTHER_VAULT] })
    const other = await side.ask('/register', request([GWEI_32], '0x01'))
    expect(other.status).to.equal(403)
    expect(other.body.detail).to.include(VAULT).and.include(OTHER_VAULT)
    await side.stop()
    await start({ vaults: [] })
    for (const [path, body] of [
      ['/register', request([GWEI_32], '0x01')],
      ['/fund', { vault: VAULT, public_keys: [keys[0]], amounts: [GWEI_32] }],
      ['/withdraw', { vault: VAULT, public_keys: [keys[0]], amounts: [0] }],
      ['/consolidate', { vault: VAULT, source_public_keys: [keys[0]], target_public_keys: [keys[0]] }],
    ] as const) {
      const { status, body: answer } = await side.ask(path, body)
      expect([status, /VAULTS/.test(answer.detail)], path).to.deep.equal([403, true])
    }
  })

  it('signs nothing where another is the vault’s manager, and says what is missing without a key', async () => {
    await start()
    side.storedManager = `0x${'77'.repeat(20)}`
    await register([GWEI_32], '0x01')
    await side.sign()
    const { status, body } = await side.ask('/register', request([GWEI_32], '0x01'))
    expect(status).to.equal(409)
    expect(body.detail.toLowerCase()).to.include('0x7777').and.include(side.manager.address.toLowerCase())
    await side.stop()
    side = new OperatorSide({ validators })
    side.hasKey = false
    await side.start()
    await register([GWEI_32], '0x01')
    await side.sign()
    const answer = await register([GWEI_32], '0x01')
    expect(answer.validators[0]?.deposit_signature).to.be.a('string')
    expect(answer.validators_manager_signature).to.equal(null)
    expect(answer.detail).to.include('VALIDATORS_MANAGER_KEY_FILE')
    expect(await side.get('/info')).to.deep.equal({ network: 'hoodi' })
  })

  it('says when the cluster’s sidecars sign exits and no deposits, once in the log', async () => {
    await start()
    await register([GWEI_32], '0x01')
    const [first] = validators
    const signature = first?.sign(1n, 1000) ?? new Uint8Array()
    await side.relayer.service.postShares(1n, [{ publicKey: keys[0] ?? '0x', signature }], '10.0.0.1')
    expect((await register([GWEI_32], '0x01')).detail).to.equal(undefined)
    side.world.now += 300
    for (let i = 0; i < 3; i++) {
      expect((await register([GWEI_32], '0x01')).detail).to.match(/no sidecar of the cluster/)
    }
    expect(side.log.messages('warn').filter((line) => /no sidecar/.test(line))).to.have.length(1)
    await side.sign([2n])
    expect((await register([GWEI_32], '0x01')).detail).to.equal(undefined)
  })

  it('leaves one row for each thing that was asked, signed or refused, with who asked', async () => {
    await start()
    for (let i = 0; i < 3; i++) await register([GWEI_32], '0x01')
    await side.sign()
    for (let i = 0; i < 3; i++) await register([GWEI_32], '0x01')
    await side.ask('/register', request([GWEI_32], '0x01', { vault: `0x${'dd'.repeat(20)}` }))
    const rows = await side.audited()
    expect(rows.map(({ call, caller, outcome }) => [call, caller, outcome])).to.deep.equal([
      ['register', 'vault-operator', 'asked'],
      ['register', 'vault-operator', 'signed'],
      ['register', 'vault-operator', 'UNKNOWN_VAULT'],
    ])
    expect(rows[1]).to.include({
      vault: VAULT,
      items: `[{"publicKey":"${keys[0]}","amount":${GWEI_32}}]`,
      noted_at: side.world.now,
    })
    expect(side.log.lines.filter((line) => line.includes('"audit":true'))).to.have.length(3)
  })
})

describe('a choice of as many validators as no vault takes at once', () => {
  const key = (n: number): PublicKeyHex => `0x${n.toString(16).padStart(96, '0')}`
  const some = (count: number) => Array.from({ length: count }, (_, i) => key(i))
  const plan = (type: ValidatorType, before: ChosenValidator[], free: number, asked: number) =>
    planChoice(before, some(free), {
      vault: VAULT,
      type,
      amounts: Array(asked).fill(BigInt(GWEI_32)),
    }).length

  it('is one fewer, whether so many were asked for or the pool has no more', () => {
    expect(plan('0x01', [], 30, 23)).to.equal(22)
    expect(plan('0x01', [], 23, 30)).to.equal(22)
    expect(plan('0x01', [], 46, 46)).to.equal(45)
    expect(plan('0x01', [], 30, 22)).to.equal(22)
    expect(plan('0x02', [], 30, 22)).to.equal(21)
    expect(plan('0x02', [], 30, 23)).to.equal(23)
  })
})
