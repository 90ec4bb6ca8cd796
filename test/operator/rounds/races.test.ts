import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import { signedDeposit } from '../../devnet/deposits.js'
import { ETH, Scene, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')
const stranger = signedDeposit(hoodi, 'stranger')

/** Does something the first time that it is called. */
function once(work: () => Promise<unknown>): () => Promise<unknown> {
  let done: Promise<unknown> | undefined
  return () => {
    done ??= work()
    return done
  }
}

describe('an agent whose vault is not alone', function () {
  this.timeout(120_000)
  const validators = validatorsOf(hoodi, { count: 3 })
  const keys = validators.map(({ deposit }) => deposit.publicKey)
  let scene: Scene

  beforeEach(async () => {
    scene = await Scene.start({ kind: 'v5', validators, assets: 64n * ETH })
  })

  afterEach(() => scene.close())

  it('starts over when a deposit lands between approval and sending, with the next index', async () => {
    const { oracleServers, world } = scene.devnet
    const land = once(() => world.deposit(stranger))
    oracleServers.first(5, (oracle) => {
      oracle.beforeAnswer = land
    })
    expect((await scene.notNow()).code).to.equal('REGISTRY_MOVED')
    const { startIndex } = await scene.registered()
    expect(startIndex).to.equal(1_250_001)
    expect(await scene.publicKeys()).to.deep.equal(keys.slice(0, 2))
  })

  it('starts over when a deposit lands between reading the index and approval, with the next index', async () => {
    const { oracleServers, world } = scene.devnet
    const land = once(() => world.deposit(stranger))
    oracleServers.first(5, (oracle) => {
      oracle.beforeCheck = land
    })
    expect((await scene.notNow()).code).to.equal('REGISTRY_MOVED')
    const { startIndex } = await scene.registered()
    expect(startIndex).to.equal(1_250_001)
  })

  it('starts over when a deposit moves the root and not the index', async () => {
    const { oracleServers, world } = scene.devnet
    await world.deposit(stranger)
    const land = once(() => world.deposit(stranger))
    oracleServers.first(5, (oracle) => {
      oracle.beforeAnswer = land
    })
    expect((await scene.notNow()).code).to.equal('REGISTRY_MOVED')
    expect((await scene.registered()).startIndex).to.equal(1_250_001)
  })

  it('starts over when the transaction reverts because a deposit was mined before it', async () => {
    const { anvil, world } = scene.devnet
    await anvil.rpc('evm_setAutomine', [false])
    expect((await scene.run()).kind).to.equal('sent')
    // It is in the pool; the stranger's deposit pays more and goes first.
    await world.deposit(stranger, { gasPrice: 500_000_000_000n })
    await anvil.rpc('evm_setAutomine', [true])
    // Its price leaves the history of fees.
    await anvil.mine(10)
    const outcome = await scene.run()
    if (outcome.kind !== 'reverted') throw new Error(`it is ${outcome.kind}`)
    expect(outcome.transaction.failure).to.include('InvalidValidatorsRegistryRoot')
    expect((await scene.registered()).startIndex).to.equal(1_250_001)
    expect(await scene.publicKeys()).to.deep.equal(keys.slice(0, 2))
  })

  it('does not register a key twice that somebody deposits meanwhile: the registry waits for a person', async () => {
    const { oracleServers, world } = scene.devnet
    const [first] = validators
    const land = once(async () => first && world.deposit(first.deposit))
    oracleServers.first(5, (oracle) => {
      oracle.beforeAnswer = land
    })
    expect((await scene.notNow()).code).to.equal('KEY_DEPOSITED')
    const { code, message } = await scene.notNow()
    expect(code).to.equal('ENTRY_UNUSABLE')
    expect(message).to.include('entry 0')
    expect(await scene.publicKeys()).to.deep.equal([keys[0]])
  })

  it('does not register a key twice that somebody deposits meanwhile: a manager goes on with the next', async () => {
    await scene.close()
    scene = await Scene.start({ kind: 'v5', manager: 'another', validators, assets: 64n * ETH })
    const { oracleServers, world } = scene.devnet
    const [first] = validators
    const land = once(async () => first && world.deposit(first.deposit))
    oracleServers.first(5, (oracle) => {
      oracle.beforeAnswer = land
    })
    expect((await scene.notNow()).code).to.equal('KEY_DEPOSITED')
    await scene.registered()
    expect(await scene.publicKeys()).to.deep.equal(keys)
  })

  it('has registered the validators with the indexes that their exits are for', async () => {
    const { startIndex, publicKeys } = await scene.registered()
    const { beacon } = scene.devnet
    await beacon.activate(2)
    const statuses = await scene.parts.beacon.validatorStatuses(publicKeys)
    expect(statuses.map(({ index }) => index)).to.deep.equal([startIndex, startIndex + 1])
  })
})
