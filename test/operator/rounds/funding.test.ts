import { expect } from 'chai'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import type { VaultTransaction } from '../../../operator/transactions/store/transaction.js'
import { updateRewards } from './rewards.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')
const GWEI_PER_ETH = 1_000_000_000n
/** Blocks after which one is final on the devnet. */
const FINALITY = 70

describe('rounds that top compounding validators up', function () {
  this.timeout(120_000)
  let scene: Scene | undefined

  afterEach(async () => {
    await scene?.close()
    scene = undefined
  })

  const start = async (options: Partial<SceneOptions> = {}): Promise<Scene> => {
    const { env, ...rest } = options
    scene = await Scene.start({
      kind: 'v5',
      manager: 'relayer',
      validators: validatorsOf(hoodi, { count: 3, type: '0x02', amount: 64n * GWEI_PER_ETH }),
      assets: 64n * ETH,
      env: { VALIDATOR_TYPE: '0x02', MAX_VALIDATOR_BALANCE_GWEI: String(96n * GWEI_PER_ETH), ...env },
      ...rest,
    })
    return scene
  }

  /** The beacon chain takes the queue's deposits, and that becomes final. */
  const finalize = async ({ devnet }: Scene, entries: number) => {
    await devnet.anvil.mine()
    await devnet.beacon.activate(entries)
    await devnet.anvil.mine(FINALITY)
  }

  /** Runs rounds until a top-up is mined. */
  const funded = async (one: Scene): Promise<VaultTransaction> => {
    for (let rounds = 0; rounds < 5; rounds++) {
      const outcome = await one.run()
      if (outcome.kind === 'mined') {
        expect(outcome.transaction.kind).to.equal('funding')
        return outcome.transaction
      }
    }
    throw new Error('nothing was topped up')
  }

  const given = async (one: Scene): Promise<[Hex, bigint][]> =>
    (await one.devnet.world.registered()).map(({ publicKey, amount }) => [publicKey, amount / GWEI_PER_ETH])

  for (const manager of ['relayer', 'another', 'wallet'] as const) {
    it(`by the validators manager, ${manager}, before new ones are registered`, async () => {
      const one = await start({ manager })
      const [first] = (await one.registered()).publicKeys
      await finalize(one, 1)
      const nonce = await one.devnet.world.managerNonce()
      await one.devnet.world.fund(100n * ETH)

      const { publicKeys } = await funded(one)

      expect(publicKeys).to.deep.equal([first])
      expect(await given(one)).to.deep.equal([
        [first, 64n],
        [first, 32n],
      ])
      const signed = manager === 'wallet' ? 0n : 1n
      expect(await one.devnet.world.managerNonce()).to.equal(nonce + signed)
      // What is left makes a new one, though the top-up is neither in the queue of a final state nor old enough.
      const { publicKeys: next } = await one.registered()
      expect(next).to.deep.equal([one.validators[1]?.deposit.publicKey])
      expect(one.refusals).to.deep.equal([])
    })
  }

  it('not before the delay is over, and then wait with registrations too', async () => {
    const one = await start({
      assets: 128n * ETH,
      env: { MAX_VALIDATOR_BALANCE_GWEI: String(64n * GWEI_PER_ETH) },
    })
    await one.registered()
    await finalize(one, 2)
    await one.restart()
    one.setEnv({ MAX_VALIDATOR_BALANCE_GWEI: String(96n * GWEI_PER_ETH) })
    await one.devnet.world.fund(10n * ETH)
    expect((await funded(one)).publicKeys).to.have.length(1)
    await one.devnet.world.fund(90n * ETH)

    const { code, message } = await one.notNow()
    expect(code).to.equal('FUNDING_NOT_DUE')
    expect(message).to.match(
      /^2 validators can be topped up \(0x\S+ first\), \d+ s from now: .*MIN_DEPOSIT_DELAY is 3600 s$/,
    )

    await one.devnet.anvil.rpc('evm_increaseTime', ['0xe10'])
    await one.devnet.anvil.mine()
    const { publicKeys } = await funded(one)
    expect(publicKeys).to.have.length(2)
    expect((await given(one)).slice(-2).map(([, eth]) => eth)).to.deep.equal([22n, 32n])
  })

  it('ten at a time, the rest at once', async () => {
    const validators = validatorsOf(hoodi, { count: 12, type: '0x02', amount: 32n * GWEI_PER_ETH })
    const one = await start({
      validators,
      assets: 12n * 32n * ETH,
      env: { MAX_VALIDATOR_BALANCE_GWEI: String(32n * GWEI_PER_ETH) },
    })
    expect((await one.registered()).publicKeys).to.have.length(12)
    await finalize(one, 12)
    await one.restart()
    one.setEnv({ MAX_VALIDATOR_BALANCE_GWEI: String(42n * GWEI_PER_ETH) })
    await one.devnet.world.fund(120n * ETH)

    expect((await funded(one)).publicKeys).to.have.length(10)
    expect((await funded(one)).publicKeys).to.have.length(2)

    expect((await one.notNow()).code).to.equal('TOO_FEW_ASSETS')
  })

  it('but none that leaves, and none where that is not wanted', async () => {
    const one = await start()
    const [first] = (await one.registered()).publicKeys
    await finalize(one, 1)
    one.devnet.beacon.statuses.set(first ?? '0x', 'active_exiting')
    await one.devnet.world.fund(20n * ETH)
    expect((await one.notNow()).code).to.equal('TOO_FEW_ASSETS')

    one.devnet.beacon.statuses.clear()
    one.setEnv({ DISABLE_VALIDATORS_FUNDING: 'true' })
    await one.restart()
    expect((await one.notNow()).code).to.equal('TOO_FEW_ASSETS')
  })

  it('not with a signature that is not the manager’s, nor without any', async () => {
    const one = await start()
    await one.registered()
    await finalize(one, 1)
    await one.devnet.world.fund(20n * ETH)
    const relayer = one.managingRelayer
    relayer.signatureGiven = (signature) =>
      `${signature.slice(0, -2) as Hex}${signature.endsWith('1b') ? '1c' : '1b'}`
    const wrong = await one.notNow()
    expect(wrong.code).to.equal('WRONG_MANAGER_SIGNATURE')
    expect(wrong.message)
      .to.match(/manager signature for the funding is by 0x/)
      .and.to.not.include('\n')
    relayer.signatureGiven = () => null
    expect((await one.notNow()).message).to.match(/gives no validators manager signature for the funding/)
    relayer.signatureGiven = (signature) => signature
    await funded(one)
  })

  it('with the harvest that the vault demands, in one transaction', async () => {
    const one = await start()
    const [first] = (await one.registered()).publicKeys
    await finalize(one, 1)
    for (const consensus of [ETH, 2n * ETH]) {
      await updateRewards(one, { consensus, locked: 0n, unlocked: 0n }, false)
    }
    await one.devnet.world.fundEscrow(2n * ETH)
    await one.devnet.world.fund(18n * ETH)

    await funded(one)

    expect((await given(one)).at(-1)).to.deep.equal([first, 20n])
  })
})
