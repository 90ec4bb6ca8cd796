import { expect } from 'chai'
import { compactRegistry } from '../../devnet/chain.js'
import { signedDeposit, wronglySigned } from '../../devnet/deposits.js'
import { failureOf } from '../../doubles/failure.js'
import { network, World } from './world.js'

const deposit = (name: string) => signedDeposit(network, name)
const genesis = [deposit('genesis 1'), deposit('genesis 2')].map(({ publicKey }) => publicKey)

describe('the next index in forks whose state does not tell it', () => {
  let world: World
  const start = async (fork: string) => {
    // Every deposit has its event here, but for those of the genesis validators.
    world = await new World({ registry: compactRegistry(0), fork, depositsBefore: 0 }).listen()
    world.beacon.genesisKeys = genesis
    world.chain.landAt(10, deposit('a'), wronglySigned(network, 'bad'))
    world.chain.landAt(700, deposit('b'), deposit('a'), deposit('genesis 2'))
    world.chain.landAt(950, deposit('c'), deposit('b'), wronglySigned(network, 'bad too'))
  }
  afterEach(() => world.close())

  for (const fork of ['deneb', 'gloas', 'a fork to come']) {
    it(`counts the genesis validators and every new key with a valid deposit: ${fork}`, async () => {
      await start(fork)
      const predictor = world.predictor({ scan: true })
      expect((await predictor.next()).index).to.equal(5)
      world.chain.land(deposit('d'))
      const { index, depositRoot } = await predictor.next()
      expect(index).to.equal(6)
      expect(depositRoot).to.equal(world.chain.depositRoot(world.chain.head))
    })

    it(`refuses where nothing keeps the scan: ${fork}`, async () => {
      await start(fork)
      const error = await failureOf(world.predictor().next())
      expect(error.code).to.equal('UNSUPPORTED_FORK')
      expect(error.message).to.include(world.beacon.url)
    })
  }

  it('never scans in Electra', async () => {
    await start('electra')
    for (const publicKey of genesis) world.chain.addValidator(publicKey)
    world.chain.finalize(world.chain.head)
    expect((await world.predictor({ scan: true }).next()).index).to.equal(5)
    expect(await world.scanStore.load()).to.equal(undefined)
  })

  it('names known keys', async () => {
    await start('deneb')
    const asked = ['a', 'c', 'genesis 1', 'bad too', 'stranger'].map((name) => deposit(name).publicKey)
    expect(await world.predictor({ scan: true }).knownKeys(asked)).to.deep.equal(asked.slice(0, 4))
  })

  it('goes on after a restart where it stopped, without the genesis state', async () => {
    await start('deneb')
    await world.predictor({ scan: true }).next()
    world.beacon.genesisKeys = undefined
    world.chain.land(deposit('d'))
    world.chain.finalize(world.chain.head)
    const read: number[] = []
    world.execution.leavesOut = (log) => {
      read.push(log.blockNumber)
      return false
    }
    expect((await world.predictor({ scan: true }).next()).index).to.equal(6)
    expect(Math.min(...read)).to.be.greaterThan(900)
  })

  it('takes many ranges bit by bit, saying how far it is, and keeps what it has', async () => {
    await start('deneb')
    world.execution.maxRange = 10
    let asks = 0
    for (;;) {
      asks += 1
      try {
        expect((await world.predictor({ scan: true }).next()).index).to.equal(5)
        break
      } catch (error) {
        if (asks > 20) throw error
        expect(String(error)).to.match(/up to block \d+ of 900/)
      }
    }
    expect(asks).to.be.greaterThan(2)
  })

  it('does not go on from a block that is no longer in the chain', async () => {
    await start('deneb')
    const predictor = world.predictor({ scan: true })
    await predictor.next()
    world.chain.reorganise(200)
    world.chain.advance(1)
    world.chain.finalize(world.chain.head)
    expect((await failureOf(predictor.next())).message).to.include('is not in the chain')
  })

  it('refuses without the genesis validators', async () => {
    await start('deneb')
    world.beacon.genesisKeys = undefined
    const error = await failureOf(world.predictor({ scan: true }).next())
    expect(error.code).to.equal('GENESIS_STATE_UNAVAILABLE')
  })

  it('finds out an endpoint that leaves events out, and reads them once they are there', async () => {
    await start('deneb')
    for (const [block, logIndex] of [
      [10, 1],
      [700, 1],
      [700, 2],
    ]) {
      world.execution.maxRange = 100
      world.execution.leavesOut = (log) => log.blockNumber === block && log.logIndex === logIndex
      const predictor = world.predictor({ scan: true })
      expect((await failureOf(predictor.next())).message).to.include('DepositEvents')
      world.execution.leavesOut = () => false
      expect((await predictor.next()).index).to.equal(5)
      await world.scanStore.save(undefined)
    }
  })

  it('is the same as from the state, once the fork comes in which both are possible', async () => {
    await start('deneb')
    const predictor = world.predictor({ scan: true })
    expect((await predictor.next()).index).to.equal(5)
    for (const publicKey of genesis) world.chain.addValidator(publicKey)
    world.chain.process(100)
    world.chain.fork = 'electra'
    world.chain.advance()
    world.chain.finalize(world.chain.head)
    expect((await predictor.next()).index).to.equal(5)
    expect(world.beacon.requests.get('GET pending_deposits')).to.equal(1)
  })
})
