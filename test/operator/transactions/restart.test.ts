import { expect } from 'chai'
import { privateKeyToAccount } from 'viem/accounts'
import { ExecutionClient } from '../../../core/clients/execution.js'
import type { TransactionChain, TransactionEndpoint } from '../../../operator/transactions/chain.js'
import { failureOf } from '../../doubles/failure.js'
import { CHAIN_ID, SenderWorld } from './world.js'

/** What a test throws where a process is killed: nothing after it happens. */
class Killed extends Error {}

/** Nodes beside which the process dies when it sends: before or after they have the transaction. */
function dyingChain(world: SenderWorld, moment: 'before' | 'after'): TransactionChain {
  const { client } = world
  const endpoints = client.endpoints.map(
    (endpoint): TransactionEndpoint => ({
      shown: endpoint.shown,
      block: (id) => endpoint.block(id),
      transactionCount: (address, block) => endpoint.transactionCount(address, block),
      transactionReceipt: (hash) => endpoint.transactionReceipt(hash),
      transactionByHash: (hash) => endpoint.transactionByHash(hash),
      sendRawTransaction: async (raw) => {
        if (moment === 'after') await endpoint.sendRawTransaction(raw)
        throw new Killed()
      },
    }),
  )
  return {
    endpoints,
    retry: client.retry,
    transactionCount: (address, block) => client.transactionCount(address, block),
    feeHistory: (blocks, percentile) => client.feeHistory(blocks, percentile),
    simulate: (request, block) => client.simulate(request, block),
  }
}

async function killed(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (error instanceof Killed) return
    throw error
  }
  throw new Error('the process went on')
}

describe('after kill -9, a registration', () => {
  let world: SenderWorld
  beforeEach(async () => {
    world = await SenderWorld.create()
  })
  afterEach(() => world.close())

  it('that was not written down was not sent either', async () => {
    const signTransaction = () => Promise.reject(new Killed())
    const { sender } = await world.sender({ account: { ...world.account, signTransaction } })
    await killed(sender.send(await world.registration()))
    const { sender: restarted } = await world.sender()
    expect(await restarted.settle()).to.deep.equal({ state: 'idle' })
    expect(await world.nonce('pending')).to.equal(0)
  })

  it('that was written down and not sent is sent, once', async () => {
    const { sender } = await world.sender({ chain: dyingChain(world, 'before') })
    await killed(sender.send(await world.registration()))
    expect(await world.nonce('pending')).to.equal(0)
    const { sender: restarted } = await world.sender()
    const found = await restarted.settle()
    if (found.state !== 'pending') throw new Error(`it is ${found.state}`)
    expect(found.transaction).to.deep.include({ nonce: 0, startIndex: 2000 })
    expect(await restarted.keepAlive(true)).to.equal('sent again')
    await world.anvil.mine()
    expect(await restarted.settle()).to.have.nested.property('transaction.minedHash', found.hash)
    expect(await world.calls()).to.equal(1)
  })

  it('that was written down, not sent, and is no longer good, leaves its nonce to the next', async () => {
    const { sender } = await world.sender({ chain: dyingChain(world, 'before') })
    await killed(sender.send(await world.registration()))
    const { sender: restarted } = await world.sender()
    expect(await restarted.keepAlive(false)).to.equal('nothing')
    const next = await restarted.send(await world.registration({ data: '0x5678' }))
    expect(next.nonce).to.equal(0)
    await world.anvil.mine()
    expect(await restarted.settle()).to.have.nested.property('transaction.id', next.id)
    expect(await world.calls()).to.equal(1)
  })

  it('that was sent is waited for', async () => {
    const { sender } = await world.sender({ chain: dyingChain(world, 'after') })
    await killed(sender.send(await world.registration()))
    const { sender: restarted } = await world.sender()
    expect(await restarted.settle()).to.have.property('state', 'pending')
    expect(await restarted.keepAlive(true)).to.equal('nothing')
    await world.anvil.mine()
    expect(await restarted.settle()).to.have.property('state', 'mined')
    expect(await world.calls()).to.equal(1)
  })

  it('that was mined meanwhile is found, and its index is still to be compared', async () => {
    const { sender } = await world.sender({ chain: dyingChain(world, 'after') })
    await killed(sender.send(await world.registration()))
    await world.anvil.mine()
    const { sender: restarted } = await world.sender()
    const mined = await restarted.settle()
    if (mined.state !== 'mined') throw new Error(`it is ${mined.state}`)
    const { sender: again, store } = await world.sender()
    expect(await again.settle()).to.deep.equal({ state: 'idle' })
    expect((await store.withUncheckedIndexes()).map(({ id }) => id)).to.deep.equal([mined.transaction.id])
  })

  it('whose replacement was written down and not sent goes on with the replacement', async () => {
    const { sender } = await world.sender()
    const { attempts } = await sender.send(await world.registration())
    world.clock.advance(60_000)
    const { sender: dying } = await world.sender({ chain: dyingChain(world, 'before') })
    await killed(dying.keepAlive(true))
    const { sender: restarted } = await world.sender()
    const pending = await restarted.settle()
    if (pending.state !== 'pending') throw new Error(`it is ${pending.state}`)
    expect(pending.hash).not.to.equal(attempts[0].hash)
    expect(await restarted.keepAlive(true)).to.equal('sent again')
    await world.anvil.mine(2)
    expect(await restarted.settle()).to.have.nested.property('transaction.minedHash', pending.hash)
    expect([await world.calls(), await world.nonce()]).to.deep.equal([1, 1])
  })

  it('that replaces another and was not sent leaves both to be looked for', async () => {
    const { sender } = await world.sender()
    const doomed = await sender.send(await world.registration())
    const { sender: dying } = await world.sender({ chain: dyingChain(world, 'before') })
    await killed(dying.send(await world.registration({ data: '0x5678' })))
    await world.anvil.mine()
    const { sender: restarted, store } = await world.sender()
    expect(await restarted.settle()).to.have.nested.property('transaction.id', doomed.id)
    expect((await store.registrations()).map(({ state }) => state)).to.deep.equal(['superseded', 'mined'])
  })
})

describe('several nodes', () => {
  let world: SenderWorld
  const DEAD = 'http://127.0.0.1:1'
  const retry = { rounds: 1, delay: 0 }
  beforeEach(async () => {
    world = await SenderWorld.create()
  })
  afterEach(() => world.close())

  it('serve while one of them is away', async () => {
    const chain = new ExecutionClient([DEAD, world.anvil.url], { chainId: CHAIN_ID, retry })
    const { sender } = await world.sender({ chain })
    await sender.send(await world.registration())
    expect(await sender.keepAlive(true)).to.equal('nothing')
    await world.anvil.mine()
    expect(await sender.settle()).to.have.property('state', 'mined')
  })

  it('that are all away keep nothing from being found later', async () => {
    const chain = { ...dyingChain(world, 'before'), endpoints: new ExecutionClient([DEAD]).endpoints, retry }
    const { sender } = await world.sender({ chain })
    expect((await failureOf(sender.send(await world.registration()))).code).to.equal('NOT_SENT')
    expect((await failureOf(sender.settle())).code).to.equal('ALL_ENDPOINTS_FAILED')
    expect((await failureOf(sender.keepAlive(true))).code).to.equal('ALL_ENDPOINTS_FAILED')
    const { sender: later } = await world.sender()
    expect(await later.keepAlive(true)).to.equal('sent again')
  })
})

describe('a registration of another wallet over the same database', () => {
  let world: SenderWorld
  beforeEach(async () => {
    world = await SenderWorld.create()
  })
  afterEach(() => world.close())

  it('is looked for and kept alive, and neither replaced nor given up for this one’s nonce', async () => {
    const before = await world.sender()
    const { id, attempts } = await before.sender.send(await world.registration())
    const account = privateKeyToAccount(`0x${'42'.repeat(32)}`)
    await world.anvil.rpc('anvil_setBalance', [account.address, '0xde0b6b3a7640000'])
    await world.anvil.rpc('anvil_setNonce', [account.address, '0x7'])
    await world.drop(attempts[0].hash)
    const { sender } = await world.sender({ account })
    expect(await sender.settle()).to.have.nested.property('transaction.id', id)
    world.clock.advance(60_000)
    expect(await sender.keepAlive(true)).to.equal('sent again')
    expect(await sender.keepAlive(true)).to.equal('nothing')
    expect((await sender.send(await world.registration())).nonce).to.equal(7)
    await world.anvil.mine()
    expect(await sender.settle()).to.have.nested.property('transaction.id', id)
    expect(await sender.settle()).to.have.nested.property('transaction.nonce', 7)
    expect(await sender.settle()).to.deep.equal({ state: 'idle' })
  })
})
