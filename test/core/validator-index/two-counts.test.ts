import { expect } from 'chai'
import { ConfigurationError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { loadCheckpoint } from '../../../core/validator-index/checkpoint.js'
import { signedDeposit, wronglySigned } from '../../devnet/deposits.js'
import { failureOf } from '../../doubles/failure.js'
import { network, World } from './world.js'

const deposit = (name: string) => signedDeposit(network, name)

describe('the two ways of counting', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().listen()
    world.chain.landAt(800, deposit('a'))
  })
  afterEach(() => world.close())

  const finalizeHead = () => {
    world.chain.advance(1)
    world.chain.finalize(world.chain.head)
  }

  it('are compared at each later finalized state, and agree while all deposits are seen', async () => {
    const predictor = world.predictor()
    await predictor.next()
    for (const name of ['b', 'c', 'a', 'b']) {
      world.chain.land(deposit(name), wronglySigned(network, `${name}, badly`))
      world.chain.process(2)
      finalizeHead()
      await predictor.next()
    }
    expect((await predictor.next()).index).to.equal(503)
    expect(await loadCheckpoint(world.store, network)).to.include({
      counted: 503,
      slot: world.chain.finalized,
    })
  })

  it('differ where a validator came by no deposit: no index is given, both numbers are named', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.chain.land(deposit('b'))
    world.chain.addValidator(deposit('from nowhere').publicKey)
    finalizeHead()
    const error = await failureOf(predictor.next())
    expect(error.code).to.equal('INDEX_MISMATCH')
    expect(error.message).to.include('503').and.to.include('502')
    expect((await failureOf(predictor.next())).code).to.equal('INDEX_MISMATCH')
    expect(await predictor.knownKeys([deposit('b').publicKey])).to.have.length(1)
  })

  it('differ still after a restart and at later states', async () => {
    await world.predictor().next()
    world.chain.addValidator(deposit('from nowhere').publicKey)
    finalizeHead()
    expect((await failureOf(world.predictor().next())).code).to.equal('INDEX_MISMATCH')
    world.chain.land(deposit('b'))
    finalizeHead()
    const error = await failureOf(world.predictor().next())
    expect(error.message).to.include('503').and.to.include('502')
  })

  it('differ where a valid deposit never reached the queue', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.chain.land({ ...deposit('b'), valid: true })
    world.chain.process(2)
    world.chain.land(deposit('lost'))
    world.chain.process(0)
    // Taken off the queue without becoming a validator.
    for (const { deposit: entry } of world.chain.pendingDeposits(world.chain.head))
      Object.assign(entry, { valid: false })
    world.chain.process(5)
    finalizeHead()
    expect((await failureOf(predictor.next())).code).to.equal('INDEX_MISMATCH')
  })

  it('are compared over a restart, with the events that came meanwhile', async () => {
    await world.predictor().next()
    for (let i = 0; i < 5; i++) {
      world.chain.land(deposit(`while away ${i}`))
      world.chain.process(1)
    }
    finalizeHead()
    // State of the checkpoint's block is not needed: its count was kept.
    world.execution.stateHistory = 2
    expect((await world.predictor().next()).index).to.equal(506)
    expect(await loadCheckpoint(world.store, network)).to.include({ counted: 506 })
  })

  it('refuse a database of another network', async () => {
    await world.predictor().next()
    const error = await failureOf(loadCheckpoint(world.store, loadNetwork('mainnet')))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.code).to.equal('FOREIGN_CHECKPOINT')
  })
})
