import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')
const GWEI_PER_ETH = 1_000_000_000n
const OTHER = `0x${'77'.repeat(20)}` as const

describe('rounds with a relayer that chooses the validators', function () {
  this.timeout(120_000)
  let scene: Scene | undefined

  afterEach(async () => {
    await scene?.close()
    scene = undefined
  })

  const start = async (options: Partial<SceneOptions> = {}): Promise<Scene> => {
    scene = await Scene.start({
      kind: 'v5',
      manager: 'relayer',
      validators: validatorsOf(hoodi, { count: 3 }),
      assets: 64n * ETH,
      ...options,
    })
    return scene
  }

  it('register validators of type 0x01, from a wallet that is not the manager', async () => {
    const one = await start()

    const { publicKeys } = await one.registered()

    const expected = one.validators.slice(0, 2).map(({ deposit }) => deposit.publicKey)
    expect(publicKeys).to.deep.equal(expected)
    expect(await one.publicKeys()).to.deep.equal(expected)
    expect(await one.devnet.world.managerNonce()).to.equal(1n)
    expect((await one.notNow()).code).to.equal('TOO_FEW_ASSETS')
    expect(one.refusals).to.deep.equal([])
  })

  it('register two of type 0x02, the first with 2048 ETH and the second with the 64 ETH that are left', async () => {
    const one = await start({
      assets: 2112n * ETH,
      env: { VALIDATOR_TYPE: '0x02', MAX_VALIDATOR_BALANCE_GWEI: String(2048n * GWEI_PER_ETH) },
    })

    await one.registered()

    const [first, second] = one.validators.map(({ deposit }) => deposit.publicKey)
    const credentials = `0x02${'00'.repeat(11)}${one.env['VAULT']?.slice(2).toLowerCase()}`
    expect(await one.devnet.world.registered()).to.deep.equal([
      { publicKey: first, credentials, amount: 2048n * GWEI_PER_ETH },
      { publicKey: second, credentials, amount: 64n * GWEI_PER_ETH },
    ])
    expect(one.refusals).to.deep.equal([])
  })

  it('show in a dry run what would be sent', async () => {
    const one = await start({ env: { DRY_RUN: 'true' } })
    const outcome = await one.run()
    if (outcome.kind !== 'prepared') throw new Error(`it is ${outcome.kind}`)
    expect(outcome.transaction.kind).to.equal('registration')
    expect(outcome.transaction.publicKeys).to.have.length(2)
    expect(await one.publicKeys()).to.deep.equal([])
  })

  it('register one fewer where the relayer has just so many as no vault takes at once', async () => {
    const one = await start({
      validators: validatorsOf(hoodi, { count: 23 }),
      assets: 24n * 32n * ETH,
      approvalBatchLimit: 40,
    })
    expect((await one.registered()).publicKeys).to.have.length(22)
  })

  it('wait, and say for what, until the nodes have signed everything', async () => {
    const one = await start()
    const [first, second] = one.validators.map(({ deposit }) => deposit.publicKey)
    const relayer = one.managingRelayer
    relayer.withheld.add(first ?? '0x')
    relayer.withheldDeposits.add(first ?? '0x')
    relayer.withheldDeposits.add(second ?? '0x')
    const { code, message } = await one.notNow()
    expect(code).to.equal('WAITING_FOR_SIGNATURES')
    expect(message).to.match(
      /^0 of 2 validators ready; waiting for 0x\S+ \(deposit and exit signatures\); 0x\S+ \(deposit signature\)$/,
    )
    relayer.withheld.clear()
    relayer.withheldDeposits.clear()
    relayer.signatureGiven = () => null
    expect((await one.notNow()).message).to.match(/only the validators manager’s signature is missing/)
    relayer.signatureGiven = (signature) => signature
    expect((await one.registered()).publicKeys).to.deep.equal([first, second])
  })

  it('say that the relayer has no validators, and that it counts another index', async () => {
    const one = await start({ validators: validatorsOf(hoodi, { count: 1 }) })
    await one.registered()
    expect((await one.notNow()).message).to.match(/the relayer names no validators yet/)
    one.managingRelayer.counted = 7
    const { code, message } = await one.notNow()
    expect(code).to.equal('INDEX_DIFFERS')
    expect(message).to.match(/HTTP 409 validators_start_index is 1250001, this relayer counts 7/)
  })

  describe('refuse, in one line, and register nothing', () => {
    const refused = async (one: Scene, code: string, message: RegExp) => {
      const reason = await one.notNow()
      expect(reason.code).to.equal(code)
      expect(reason.message).to.match(message).and.to.not.include('\n')
      expect(await one.publicKeys()).to.deep.equal([])
      expect(one.refusals).to.deep.equal([])
    }

    it('a deposit signature over another amount', async () => {
      const one = await start()
      const relayer = one.managingRelayer
      relayer.beforeSigning = ([, second]) => {
        if (second === undefined) throw new Error('it offers two')
        second.deposit_signature = relayer.depositSignature(second.public_key, 31n * GWEI_PER_ETH, '0x01')
      }
      await refused(
        one,
        'WRONG_DEPOSIT_SIGNATURE',
        /the deposit signature of 0x\S+ is not over 32000000000 Gwei/,
      )
    })

    it('a deposit signature of the other type', async () => {
      const one = await start()
      const relayer = one.managingRelayer
      relayer.beforeSigning = ([first]) => {
        if (first === undefined) throw new Error('it offers two')
        first.deposit_signature = relayer.depositSignature(first.public_key, first.amount, '0x02')
      }
      await refused(one, 'WRONG_DEPOSIT_SIGNATURE', /the deposit signature of 0x/)
    })

    it('the manager’s signature of another key, or over something else', async () => {
      const one = await start()
      one.managingRelayer.signatureGiven = (signature) =>
        `${signature.slice(0, -2) as `0x${string}`}${signature.endsWith('1b') ? '1c' : '1b'}`
      await refused(
        one,
        'WRONG_MANAGER_SIGNATURE',
        /is by 0x\S+ over these validators, the vault’s validators manager is 0x/,
      )
      one.managingRelayer.signatureGiven = () => `0x${'ff'.repeat(65)}`
      await refused(one, 'WRONG_MANAGER_SIGNATURE', /validators manager signature is malformed/)
    })

    for (const [type, amount] of [
      ['0x01', 64n],
      ['0x02', 65n],
      ['0x02', 31n],
    ] as const) {
      it(`${amount} ETH for a validator of type ${type}`, async () => {
        const one = await start({ env: { VALIDATOR_TYPE: type } })
        const relayer = one.managingRelayer
        relayer.beforeSigning = ([first]) => {
          if (first === undefined) throw new Error('it offers one')
          first.amount = amount * GWEI_PER_ETH
          first.deposit_signature = relayer.depositSignature(first.public_key, first.amount, type)
        }
        await refused(one, 'WRONG_AMOUNT', /it offers 0x\S+ with \d+ Gwei, expected 32000000000/)
      })
    }

    it('a key twice, and more keys than were asked for', async () => {
      const one = await start()
      one.managingRelayer.beforeSigning = (offered) => {
        const [first] = offered
        if (first !== undefined) offered.splice(1, 1, first)
      }
      await refused(one, 'WRONG_OFFER', /it offers the key 0x\S+ twice/)
      one.managingRelayer.beforeSigning = (offered) => offered.push(...offered)
      await refused(one, 'WRONG_OFFER', /it offers 4 validators, 2 were asked for/)
    })

    it('a key that PUBLIC_KEYS_FILE or the deposit data does not list', async () => {
      const [first, second] = validatorsOf(hoodi, { count: 2 })
      const one = await start()
      const list = join(one.devnet.folder, 'keys.csv')
      writeFileSync(list, `public_key\n${second?.deposit.publicKey}\n`)
      one.setEnv({ PUBLIC_KEYS_FILE: list })
      await refused(one, 'FOREIGN_KEY', /it offers the key 0x\S+, which is not in \S+keys\.csv/)
      writeFileSync(list, `${first?.deposit.publicKey}\n${second?.deposit.publicKey}\n`)
      await one.restart()
      await one.registered()
      await one.close()

      const other = await start()
      await other.accept(validatorsOf(hoodi, { count: 2, prefix: 'other' }))
      other.setEnv({ DEPOSIT_DATA_FILE: other.depositDataFile })
      await refused(other, 'FOREIGN_KEY', /which is not in \S+deposit_data\.json/)
    })

    it('a key that is deposited already', async () => {
      const one = await start()
      const [first] = one.validators
      if (first === undefined) throw new Error('there are three')
      await one.devnet.world.deposit(first.deposit)
      one.managingRelayer.overlooked.add(first.deposit.publicKey)
      const { code, message } = await one.notNow()
      expect(code).to.equal('KEY_DEPOSITED')
      expect(message).to.include(first.deposit.publicKey.slice(0, 12))
      expect(await one.publicKeys()).to.have.length(1)
      expect(one.refusals).to.deep.equal([])
    })
  })

  describe('are in dialect', () => {
    const requestsOf = (one: Scene, kind: string) => one.relayer.requests.get(kind) ?? 0

    it('1 where the relayer’s manager is another than the vault’s', async () => {
      const one = await start()
      one.setEnv({ DEPOSIT_DATA_FILE: one.depositDataFile })
      one.managingRelayer.named = OTHER
      expect((await one.notNow()).code).to.equal('NOT_THE_MANAGER')
      expect(requestsOf(one, 'POST /register')).to.equal(0)
      expect(one.log.lines.join('\n')).to.match(/signs as the validators manager 0x7777.*in dialect 1/)
    })

    it('1 where that is wanted, whatever the relayer can', async () => {
      const one = await start({ env: { RELAYER_DIALECT: '1' } })
      one.setEnv({ DEPOSIT_DATA_FILE: one.depositDataFile })
      await one.devnet.world.setManager(one.keys.wallet.address)
      expect((await one.registered()).publicKeys).to.have.length(2)
      expect(requestsOf(one, 'POST /register')).to.equal(0)
      expect(requestsOf(one, 'POST /validators')).to.be.above(0)
    })

    it('1, and without deposit data say what is missing', async () => {
      const one = await start()
      one.managingRelayer.named = null
      expect(await one.failure()).to.match(/--deposit-data is missing: the relayer http:\S+ does not choose/)
    })

    it('4 where that is wanted, unless the relayer names another manager', async () => {
      const one = await start({ env: { RELAYER_DIALECT: '4' } })
      one.managingRelayer.named = OTHER
      expect(await one.failure()).to.match(
        /signs as the validators manager 0x7777.*, the vault registers by the validators manager 0x/,
      )
      one.managingRelayer.named = null
      expect((await one.registered()).publicKeys).to.have.length(2)
      expect(one.log.lines.join('\n')).to.match(/names no validators manager/)
    })
  })
})
