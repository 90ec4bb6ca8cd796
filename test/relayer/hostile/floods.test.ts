import { expect } from 'chai'
import type { ExitCrypto } from '../../../relayer/crypto/exit-crypto.js'
import { until } from '../../doubles/poll.js'
import { Random } from '../../soak/kills/random.js'
import { exitRoot, fourNodeValidators, garbage, type TestValidator } from '../clusters.js'
import { inThisThread, type TestRelayer, type TestRelayerOptions, TestWorld } from '../relayer.js'
import { SeededCluster } from './cluster.js'

const [first, second] = fourNodeValidators as [TestValidator, TestValidator]
const keyOf = ({ validator }: TestValidator) => validator.publicKey

describe('floods of wrong shares, without public shares', () => {
  let world: TestWorld
  let relayer: TestRelayer
  let crypto: ReturnType<typeof inThisThread>

  const open = async (options: TestRelayerOptions = {}) => {
    crypto = inThisThread()
    relayer = await world.open({ crypto, ...options })
  }
  beforeEach(() => {
    world = new TestWorld()
  })
  afterEach(() => relayer.close())

  const indexOf = (validator: TestValidator) => world.nextIndex + (validator === second ? 1 : 0)
  const ask = () => relayer.service.requestExits([keyOf(first), keyOf(second)])
  const post = (validator: TestValidator, shareIndex: number, caller: string, wrong?: number) => {
    const signature =
      wrong === undefined ? validator.sign(BigInt(shareIndex), indexOf(validator)) : garbage(wrong)
    const shares = [{ publicKey: keyOf(validator), signature }]
    return relayer.service.postShares(BigInt(shareIndex), shares, caller)
  }
  const listed = async (validator: TestValidator) => {
    const exits = await relayer.service.listExits()
    const exit = exits.find((own) => own.publicKey === keyOf(validator))
    return { ready: exit?.isExitSignatureReady, listed: exit?.shareIndexesReady.map(Number) }
  }
  const isReady = async (validator: TestValidator) => (await listed(validator)).ready === true

  it('of one caller cost no more trials than its budget, at however many exits', async () => {
    await open({ limits: { maxTrials: 20 } })
    await ask()
    for (const validator of [first, second]) {
      await post(validator, 1, 'node 1')
      await post(validator, 2, 'node 2')
    }
    for (let i = 0; i < 80; i++) {
      await post(i % 2 === 0 ? first : second, 4, 'the liar', i)
      if (i % 8 === 0) await relayer.service.idle()
    }
    await relayer.service.idle()
    expect(crypto.work.trials).to.equal(20)
    world.now += 60
    for (let i = 200; i < 240; i++) {
      await post(first, 4, 'the liar', i)
      if (i % 5 === 0) await relayer.service.idle()
    }
    await relayer.service.idle()
    expect(crypto.work.trials, 'as many again after a minute').to.equal(40)
  })

  it('leave the honest shares of others what they need', async () => {
    await open({ limits: { maxTrials: 50 } })
    await ask()
    for (const validator of [first, second]) {
      for (const node of [1, 2]) await post(validator, node, `node ${node}`)
    }
    for (let i = 0; i < 40; i++) await post(first, 4, 'the liar', i)
    await relayer.service.idle()
    const before = crypto.work.trials
    for (const validator of [first, second]) await post(validator, 3, 'node 3')
    await relayer.service.idle()
    expect(await isReady(first)).to.equal(true)
    expect(await isReady(second)).to.equal(true)
    // The flooded exit: at most one subset with each of the few shares of the liar that are kept; the other: one.
    expect(crypto.work.trials - before).to.be.at.most(10)
  })

  it('of many callers cost an exit four times the budget of one', async () => {
    await open({ limits: { maxTrials: 10 } })
    await ask()
    for (let i = 0; i < 20; i++) {
      for (const node of [1, 2, 3, 4]) await post(first, node, `liar ${i}`, 10 * i + node)
    }
    await relayer.service.idle()
    expect(crypto.work.trials).to.be.at.most(40)
    expect(crypto.work.trials).to.be.greaterThan(20)
  })

  it('do not use up what honest nodes may cost: they get back what the liar caused', async () => {
    await open({ limits: { maxTrials: 6, maxExits: 100 } })
    const validators = fourNodeValidators.slice(0, 12)
    await relayer.service.requestExits(validators.map(keyOf))
    for (const [i, validator] of validators.entries()) {
      const right = (node: number) => validator.sign(BigInt(node), world.nextIndex + i)
      const posts = [
        { node: 4, signature: garbage(i) },
        { node: 1, signature: right(1) },
        { node: 2, signature: right(2) },
        { node: 3, signature: right(3) },
      ]
      for (const { node, signature } of posts) {
        await relayer.service.postShares(
          BigInt(node),
          [{ publicKey: keyOf(validator), signature }],
          `node ${node}`,
        )
        await relayer.service.idle()
      }
      expect(await isReady(validator), `exit ${i}`).to.equal(true)
    }
  })

  it('keep what waits for a budget, and go on by themselves when it is there', async () => {
    await open({ limits: { maxTrials: 1 } })
    await ask()
    // All behind one address: the first trial fails, and the budget is spent.
    await post(first, 1, '10.0.0.1', 1)
    for (const node of [2, 3]) await post(first, node, '10.0.0.1')
    await relayer.service.idle()
    await post(first, 4, '10.0.0.1')
    await relayer.service.idle()
    expect(await listed(first)).to.deep.equal({ ready: false, listed: [] })
    expect(crypto.work.trials).to.equal(1)
    await until(async () => {
      world.now += 1
      return isReady(first)
    }, 'the exit gets ready')
  })

  it('at many indexes of a large cluster do not make the search for the right subset too long', async () => {
    const nodes = Array.from({ length: 16 }, (_, i) => BigInt(i + 1))
    const cluster = new SeededCluster(new Random(1, 'a large cluster'), nodes, 11)
    await open({ signatureThreshold: 11, limits: { maxTrials: 150 } })
    await relayer.service.requestExits([cluster.publicKey])
    const postTo = async (node: bigint, caller: string, signature: Uint8Array) => {
      await relayer.service.postShares(node, [{ publicKey: cluster.publicKey, signature }], caller)
      await relayer.service.idle()
    }
    const honest = nodes.slice(0, 11)
    for (const node of nodes.slice(2)) await postTo(node, 'the liar', garbage(Number(node)))
    for (const node of honest) {
      await postTo(node, `node ${node}`, cluster.signerOf(node)(exitRoot(world.nextIndex)))
      await postTo(node, 'the liar', garbage(100 + Number(node)))
    }
    const [exit] = await relayer.service.listExits()
    expect(exit?.isExitSignatureReady).to.equal(true)
  })

  it('push out nothing that another caller sent', async () => {
    await open()
    await ask()
    await post(first, 1, '10.0.0.1')
    await post(first, 2, '10.0.0.2')
    for (let i = 0; i < 60; i++) await post(first, 1 + (i % 4), '10.6.6.6', i)
    await relayer.service.idle()
    const shares = await relayer.store.sharesOf([keyOf(first)])
    const callers = shares.map(({ caller }) => caller)
    expect(callers).to.include.members(['10.0.0.1', '10.0.0.2'])
    expect(shares.length).to.be.at.most(2 + 16)
    // Nobody posts again: the shares are still there.
    await post(first, 3, '10.0.0.3')
    await relayer.service.idle()
    expect(await isReady(first)).to.equal(true)
  })

  it('are refused by name when strangers fill all slots, and a token has room all the same', async () => {
    await open({ limits: { maxTrials: 1 } })
    await ask()
    for (let caller = 0; caller < 8; caller++) {
      for (let i = 0; i < 32; i++) await post(first, 100 + i, `10.0.0.${caller}`, 100 * caller + i)
    }
    expect(await post(first, 1, '10.0.0.9')).to.deep.equal([
      { publicKey: keyOf(first), reason: 'too-many-shares' },
    ])
    for (const node of [1, 2, 3]) expect(await post(first, node, `token node-${node}`)).to.deep.equal([])
    await relayer.service.idle()
    expect(await isReady(first)).to.equal(true)
  })

  it('never hold up what is asked and posted while their subsets are tried', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let started = 0
    const real = inThisThread()
    const slow: ExitCrypto = {
      ...real,
      trySubsets: async (wanted) => {
        started++
        await held
        return real.trySubsets(wanted)
      },
    }
    await open({ crypto: slow })
    await ask()
    for (const validator of [first, second]) {
      for (const node of [1, 2, 3]) await post(validator, node, 'the liar', node)
    }
    await until(() => started === 2, 'every thread has a trial')
    expect(await listed(first)).to.deep.equal({ ready: false, listed: [1, 2, 3] })
    for (const node of [1, 2, 3]) expect(await post(first, node, `node ${node}`)).to.deep.equal([])
    world.sharings = [second.validator]
    expect(await post(second, 1, 'node 1', 77)).to.deep.equal([
      { publicKey: keyOf(second), reason: 'wrong-signature' },
    ])
    expect((await ask()).map(({ oracleShares }) => oracleShares)).to.deep.equal([null, null])
    release()
    await relayer.service.idle()
    expect(await isReady(first)).to.equal(true)
  })
})
