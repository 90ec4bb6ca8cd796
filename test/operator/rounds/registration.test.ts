import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')
const ETH_64 = 64_000_000_000n

describe('an agent’s rounds', function () {
  this.timeout(120_000)
  let scene: Scene | undefined

  afterEach(async () => {
    await scene?.close()
    scene = undefined
  })

  const ways: readonly [string, Pick<SceneOptions, 'kind' | 'manager'>, readonly number[]][] = [
    ['the deposit data registry', { kind: 'v5', manager: 'registry' }, [1, 2, 3, 22]],
    ['the validators manager, who sends', { kind: 'v5', manager: 'wallet' }, [1, 2, 3, 22]],
    [
      'the validators manager’s signature, from another wallet',
      { kind: 'v5', manager: 'another' },
      [1, 2, 3, 22],
    ],
    ['the registry of a vault of version 2', { kind: 'v2', manager: 'registry' }, [1, 3]],
    ['the manager of a vault of version 2', { kind: 'v2', manager: 'wallet' }, [2]],
    ['a vault of version 1 itself', { kind: 'v1' }, [1, 3]],
  ]
  for (const [way, options, counts] of ways) {
    for (const count of counts) {
      it(`register ${count} of type 0x01 through ${way}`, async () => {
        const validators = validatorsOf(hoodi, { count: count + 1 })
        scene = await Scene.start({
          ...options,
          validators,
          assets: BigInt(count) * 32n * ETH,
          approvalBatchLimit: 50,
        })
        const expected = validators.slice(0, count).map(({ deposit }) => deposit.publicKey)

        const registration = await scene.registered()

        expect(registration.publicKeys).to.deep.equal(expected)
        expect(await scene.publicKeys()).to.deep.equal(expected)
        expect(await scene.devnet.world.withdrawableAssets()).to.equal(0n)
        expect((await scene.notNow()).code).to.equal('TOO_FEW_ASSETS')
        expect(scene.refusals).to.deep.equal([])
      })
    }
  }

  for (const count of [1, 2, 3, 21]) {
    it(`register ${count} of type 0x02 with 64 ETH by the manager`, async () => {
      const validators = validatorsOf(hoodi, { count, type: '0x02', amount: ETH_64 })
      const assets = BigInt(count) * 64n * ETH
      scene = await Scene.start({ kind: 'v5', manager: 'wallet', validators, assets, approvalBatchLimit: 50 })

      await scene.registered()

      expect(await scene.devnet.world.registered()).to.deep.equal(
        validators.map(({ deposit: { publicKey, withdrawalCredentials } }) => ({
          publicKey,
          credentials: withdrawalCredentials,
          amount: ETH_64,
        })),
      )
      expect((await scene.notNow()).code).to.equal('NO_KEYS_LEFT')
    })
  }

  for (const [type, amount, wanted] of [
    ['0x01', 32n, 23],
    ['0x02', 64n, 22],
  ] as const) {
    it(`split ${wanted} of type ${type}, whose length no vault takes at once`, async () => {
      const validators = validatorsOf(hoodi, { count: wanted, type, amount: amount * 1_000_000_000n })
      scene = await Scene.start({
        kind: 'v5',
        manager: 'wallet',
        validators,
        assets: BigInt(wanted) * amount * ETH,
        approvalBatchLimit: 50,
      })

      expect((await scene.registered()).publicKeys).to.have.length(wanted - 1)
      expect((await scene.registered()).publicKeys).to.have.length(1)

      expect(await scene.publicKeys()).to.deep.equal(validators.map(({ deposit }) => deposit.publicKey))
    })
  }

  it('take validators of both types by turns, and no more than the oracles approve at once', async () => {
    const both = [
      ...validatorsOf(hoodi, { count: 3, prefix: 'first' }),
      ...validatorsOf(hoodi, { count: 1, type: '0x02', amount: ETH_64, prefix: 'second' }),
      ...validatorsOf(hoodi, { count: 1, prefix: 'third' }),
    ]
    scene = await Scene.start({
      kind: 'v5',
      manager: 'another',
      validators: both,
      assets: 192n * ETH,
      approvalBatchLimit: 2,
    })
    const counts = []
    for (let i = 0; i < 4; i++) counts.push((await scene.registered()).publicKeys.length)

    expect(counts).to.deep.equal([2, 1, 1, 1])
    expect(await scene.publicKeys()).to.deep.equal(both.map(({ deposit }) => deposit.publicKey))
    expect(await scene.devnet.world.managerNonce()).to.equal(4n)
  })

  it('say which way the vault registers, and that a vault of vaults registers nothing', async () => {
    const validators = validatorsOf(hoodi, { count: 1 })
    scene = await Scene.start({ kind: 'meta', validators, assets: 32n * ETH })
    const { code, message } = await scene.notNow()
    expect(code).to.equal('VAULT_REGISTERS_NOTHING')
    expect(message).to.match(/vault of vaults|meta/i)
  })

  it('register the next entries of the file when the vault has assets again', async () => {
    const validators = validatorsOf(hoodi, { count: 3 })
    scene = await Scene.start({ kind: 'v5', validators, assets: 40n * ETH })
    await scene.registered()
    expect((await scene.notNow()).message).to.match(/8 ETH .*entry 1/)
    await scene.devnet.world.fund(56n * ETH)
    await scene.registered()
    expect(await scene.publicKeys()).to.deep.equal(validators.map(({ deposit }) => deposit.publicKey))
    expect((await scene.notNow()).code).to.equal('NO_KEYS_LEFT')
  })
})
