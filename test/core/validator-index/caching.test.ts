import { expect } from 'chai'
import { signedDeposit } from '../../devnet/deposits.js'
import { network, World } from './world.js'

const deposit = (name: string) => signedDeposit(network, name)

describe('asking again for the next index', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().listen()
    world.chain.landAt(800, deposit('queued'))
    world.chain.landAt(950, deposit('later'))
  })
  afterEach(() => world.close())

  it('costs two requests while nothing changed', async () => {
    const predictor = world.predictor()
    await predictor.next()
    expect(await world.requestsOf(() => predictor.next())).to.equal(2)
  })

  it('is one computation for all who ask at the same time', async () => {
    const other = await new World().listen()
    other.chain.landAt(800, deposit('queued'))
    other.chain.landAt(950, deposit('later'))
    const alone = await other.requestsOf(() => other.predictor().next())
    await other.close()
    const predictor = world.predictor()
    const together = await world.requestsOf(async () => {
      const answers = await Promise.all([predictor.next(), predictor.next(), predictor.next()])
      expect(new Set(answers.map(({ index }) => index))).to.deep.equal(new Set([502]))
    })
    expect(together).to.equal(alone)
  })

  it('costs only the new logs when a block came', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.beacon.requests.clear()
    world.execution.requests.clear()
    world.chain.land(deposit('new'))
    const asked: unknown[] = []
    world.execution.leavesOut = (log) => {
      asked.push(log.blockNumber)
      return false
    }
    expect((await predictor.next()).index).to.equal(503)
    expect(asked).to.deep.equal([world.chain.head])
    expect(Object.fromEntries(world.beacon.requests)).to.deep.equal({
      'GET headers': 2,
      'POST validators': 1,
    })
    expect(world.execution.requests.get('eth_getLogs')).to.equal(1)
    expect(world.execution.total).to.be.at.most(6)
  })

  it('finds a registry that grew a little with one search request', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.chain.process(2)
    world.chain.finalize(world.chain.head)
    world.beacon.requests.clear()
    expect((await predictor.next()).index).to.equal(502)
    expect(world.beacon.requests.get('GET validators')).to.equal(1)
  })

  it('finds a registry that grew much', async () => {
    const predictor = world.predictor()
    await predictor.next()
    for (let i = 0; i < 300; i++) world.chain.land(deposit(`many ${i}`))
    world.chain.process(400)
    world.chain.finalize(world.chain.head)
    expect((await predictor.next()).index).to.equal(802)
  })

  it('forgets the events of blocks that were reorganised away, and takes those in their place', async () => {
    const predictor = world.predictor()
    world.chain.land(deposit('reorganised away'))
    expect((await predictor.next()).index).to.equal(503)
    world.chain.reorganise(3)
    expect((await predictor.next()).index).to.equal(502)
    const { publicKey } = deposit('reorganised away')
    expect(await predictor.knownKeys([publicKey])).to.deep.equal([])
    world.chain.land(deposit('in its place'), deposit('and another'))
    expect((await predictor.next()).index).to.equal(504)
  })

  it('goes on after both nodes were away', async () => {
    const predictor = world.predictor()
    await predictor.next()
    for (const double of [world.beacon, world.execution]) {
      double.faults.down = true
      const failed = await predictor.next().then(
        () => false,
        () => true,
      )
      expect(failed).to.equal(true)
      double.faults.down = false
      expect((await predictor.next()).index).to.equal(502)
    }
  })
})
