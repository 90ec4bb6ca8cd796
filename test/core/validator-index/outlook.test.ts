import { expect } from 'chai'
import { signedDeposit, wronglySigned } from '../../devnet/deposits.js'
import { failureOf } from '../../doubles/failure.js'
import { network, World } from './world.js'

const deposit = (name: string) => signedDeposit(network, name)
const keyOf = (name: string) => deposit(name).publicKey

describe('the outlook for some keys', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().listen()
    world.chain.landAt(700, deposit('registered'))
    world.chain.process(1)
    world.chain.landAt(800, deposit('queued'))
    world.chain.landAt(950, deposit('later'), wronglySigned(network, 'badly signed'))
    world.chain.advance(20)
    world.chain.finalize(920)
  })
  afterEach(() => world.close())

  it('has the index, the deposit root of the same block, and those that were deposited in any way', async () => {
    world.chain.finalize(world.chain.head)
    const keys = ['fresh', 'registered', 'queued', 'later', 'badly signed', 'other'].map(keyOf)
    const predictor = world.predictor()
    expect(await predictor.outlook(keys)).to.deep.equal({
      ...(await predictor.next()),
      known: ['registered', 'queued', 'later', 'badly signed'].map(keyOf),
    })
  })

  it('knows deposits that are not final, valid or not', async () => {
    const predictor = world.predictor()
    world.chain.land(deposit('new'), wronglySigned(network, 'badly signed and new'))
    const keys = ['new', 'fresh', 'badly signed and new'].map(keyOf)
    const { known, index, depositRoot } = await predictor.outlook(keys)
    expect(known).to.deep.equal(['new', 'badly signed and new'].map(keyOf))
    expect(depositRoot).to.equal(world.chain.depositRoot(world.chain.head))
    expect(index).to.equal((await predictor.next()).index)
  })

  it('has another root as soon as anything is deposited, and the key with it', async () => {
    const predictor = world.predictor()
    const before = await predictor.outlook([keyOf('ours')])
    expect(before.known).to.deep.equal([])
    world.chain.land(deposit('ours'))
    const after = await predictor.outlook([keyOf('ours')])
    expect(after.known).to.deep.equal([keyOf('ours')])
    expect(after.depositRoot).to.not.equal(before.depositRoot)
    expect(after.index).to.equal(before.index + 1)
  })

  it('has another root and the same index after a deposit that takes none', async () => {
    const predictor = world.predictor()
    const before = await predictor.outlook([])
    world.chain.land(wronglySigned(network, 'a stranger'), deposit('queued'))
    const after = await predictor.outlook([])
    expect(after.index).to.equal(before.index)
    expect(after.depositRoot).to.not.equal(before.depositRoot)
  })

  it('of no keys is the next index', async () => {
    const predictor = world.predictor()
    expect(await predictor.outlook([])).to.deep.equal({ ...(await predictor.next()), known: [] })
  })

  it('is the same by the scan of all events', async () => {
    const scanned = await new World({ fork: 'deneb', depositsBefore: 0 }).listen()
    try {
      for (const name of ['a', 'b']) scanned.chain.landAt(600, deposit(name))
      scanned.chain.landAt(950, deposit('later'), wronglySigned(network, 'badly signed'))
      const keys = ['a', 'fresh', 'later', 'badly signed'].map(keyOf)
      const predictor = scanned.predictor({ scan: true })
      const { known, index, depositRoot } = await predictor.outlook(keys)
      expect(known).to.deep.equal(['a', 'later', 'badly signed'].map(keyOf))
      expect({ index, depositRoot }).to.deep.equal(await predictor.next())
    } finally {
      await scanned.close()
    }
  })

  it('is none where the two ways of counting differ, although keys can be known', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.chain.addValidator(keyOf('from nowhere'))
    world.chain.advance(1)
    world.chain.finalize(world.chain.head)
    expect((await failureOf(predictor.outlook([keyOf('queued')]))).code).to.equal('INDEX_MISMATCH')
    expect(await predictor.knownKeys([keyOf('queued')])).to.deep.equal([keyOf('queued')])
  })
})
