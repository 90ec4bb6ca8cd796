import { expect } from 'chai'
import { parseTransaction } from 'viem'
import { newestAttempt } from '../../../operator/transactions/store/transaction.js'
import { failureOf } from '../../doubles/failure.js'
import { GWEI, REVERTING, SenderWorld } from './world.js'

describe('a registration', () => {
  let world: SenderWorld
  beforeEach(async () => {
    world = await SenderWorld.create()
  })
  afterEach(() => world.close())

  it('is sent, mined, and final after 64 blocks', async () => {
    const { sender, store } = await world.sender()
    expect(await sender.settle()).to.deep.equal({ state: 'idle' })
    const sent = await sender.send(await world.registration())
    const [attempt] = sent.attempts
    expect(sent).to.deep.include({ state: 'sent', nonce: 0, startIndex: 2000, indexChecked: false })
    expect(parseTransaction(attempt.raw)).to.deep.include({
      nonce: 0,
      chainId: 31337,
      data: '0x1234',
      gas: 100_000n,
    })
    const waiting = await sender.settle()
    expect(waiting).to.deep.include({ state: 'pending', hash: attempt.hash, since: sent.createdAt })

    await world.anvil.mine()
    const mined = await sender.settle()
    if (mined.state !== 'mined') throw new Error(`it is ${mined.state}`)
    expect(mined.transaction).to.deep.include({ id: sent.id, state: 'mined', minedHash: attempt.hash })
    expect(mined.transaction.block?.number).to.equal(1n)
    expect(Number(mined.transaction.gasUsed)).to.be.greaterThan(21_000)
    expect(await world.calls()).to.equal(1)
    expect(await sender.settle()).to.deep.equal({ state: 'idle' })

    await world.anvil.mine(63)
    await sender.settle()
    expect((await store.registrations())[0]?.state).to.equal('mined')
    await world.anvil.mine()
    await sender.settle()
    expect((await store.registrations())[0]?.state).to.equal('final')
    expect((await store.withUncheckedIndexes()).map(({ id }) => id)).to.deep.equal([sent.id])
    await store.markIndexChecked(sent.id)
    expect(await store.withUncheckedIndexes()).to.deep.equal([])
  })

  it('that is stuck is replaced with higher fees, and only one of both is mined', async () => {
    const { sender, store } = await world.sender()
    const { attempts } = await sender.send(await world.registration())
    world.clock.advance(59_000)
    expect(await sender.keepAlive(true)).to.equal('nothing')
    world.clock.advance(1000)
    expect(await sender.keepAlive(false)).to.equal('nothing')
    expect(await sender.keepAlive(true)).to.equal('replaced')
    const [registration] = await store.inFlight()
    if (registration === undefined) throw new Error('it is not in flight')
    const second = newestAttempt(registration)
    expect(second.fees).to.deep.equal({
      maxFeePerGas: (4n * GWEI * 9n) / 8n,
      maxPriorityFeePerGas: (GWEI * 9n) / 8n,
    })
    expect(parseTransaction(second.raw)).to.deep.include({ nonce: 0, data: '0x1234', gas: 100_000n })
    expect(await sender.keepAlive(true)).to.equal('nothing')

    await world.anvil.mine(2)
    const mined = await sender.settle()
    expect(mined).to.have.nested.property('transaction.minedHash', second.hash)
    expect(second.hash).not.to.equal(attempts[0].hash)
    expect([await world.calls(), await world.nonce()]).to.deep.equal([1, 1])
  })

  it('whose first attempt is mined after all is found by it', async () => {
    const { sender } = await world.sender()
    const first = (await sender.send(await world.registration())).attempts[0]
    world.clock.advance(60_000)
    expect(await sender.keepAlive(true)).to.equal('replaced')
    const pending = await sender.settle()
    if (pending.state !== 'pending') throw new Error(`it is ${pending.state}`)
    await world.drop(pending.hash)
    await world.anvil.rpc('eth_sendRawTransaction', [first.raw])
    await world.anvil.mine()
    expect(await sender.settle()).to.have.nested.property('transaction.minedHash', first.hash)
  })

  it('that the nodes have lost is sent again as it was', async () => {
    const { sender } = await world.sender()
    const { attempts } = await sender.send(await world.registration())
    await world.drop(attempts[0].hash)
    expect(await sender.keepAlive(false)).to.equal('nothing')
    expect(await world.nonce('pending')).to.equal(0)
    expect(await sender.keepAlive(true)).to.equal('sent again')
    expect(await sender.keepAlive(true)).to.equal('nothing')
    await world.anvil.mine()
    expect(await sender.settle()).to.have.nested.property('transaction.minedHash', attempts[0].hash)
    expect(await world.calls()).to.equal(1)
  })

  it('that is stuck waits while replacing it costs too much, which is said once', async () => {
    const { sender, store } = await world.sender({ limits: { maxFeePerGas: (44n * GWEI) / 10n } })
    await sender.send(await world.registration())
    world.clock.advance(60_000)
    expect((await sender.fees()).tooHigh).to.equal(false)
    for (let round = 0; round < 3; round++) expect(await sender.keepAlive(true)).to.equal('fees too high')
    expect(world.log.messages('warn')).to.have.length(1)
    expect((await store.inFlight())[0]?.attempts).to.have.length(1)
    await world.anvil.mine()
    expect(await sender.settle()).to.have.property('state', 'mined')
  })

  it('that no node takes any more, because the base fee rose, is replaced at what it costs now', async () => {
    const { sender } = await world.sender()
    await sender.send(await world.registration())
    await world.baseFee(16n * GWEI)
    await world.anvil.mine()
    for (let round = 0; round < 3; round++) expect(await sender.keepAlive(true)).to.equal('nothing')
    expect(world.log.messages('warn')).to.have.length(1)
    world.clock.advance(60_000)
    expect(await sender.keepAlive(true)).to.equal('replaced')
    await world.anvil.mine()
    expect(await sender.settle()).to.have.property('state', 'mined')
    expect(await world.calls()).to.equal(1)
  })

  it('that is no longer good is replaced by the next one, which shares its nonce', async () => {
    const { sender, store } = await world.sender()
    const doomed = await sender.send(await world.registration())
    const next = await sender.send(await world.registration({ data: '0x5678', startIndex: 2001 }))
    expect(next).to.deep.include({ nonce: doomed.nonce, state: 'sent' })
    expect(next.attempts[0].fees.maxFeePerGas).to.equal((4n * GWEI * 9n) / 8n)
    expect((await store.inFlight()).map(({ id }) => id)).to.deep.equal([doomed.id, next.id])
    expect(await sender.settle()).to.have.nested.property('transaction.id', next.id)
    await world.anvil.mine(2)
    expect(await sender.settle()).to.have.nested.property('transaction.id', next.id)
    const states = (await store.registrations()).map(({ id, state }) => [id, state])
    expect(states).to.deep.equal([
      [next.id, 'mined'],
      [doomed.id, 'superseded'],
    ])
    expect(await world.calls()).to.equal(1)
    expect((await sender.send(await world.registration())).nonce).to.equal(1)
  })

  it('that was lost is replaced without paying more for that', async () => {
    const { sender } = await world.sender({ limits: { maxFeePerGas: 10n * GWEI } })
    const fees = { maxFeePerGas: 9n * GWEI, maxPriorityFeePerGas: GWEI }
    const { attempts } = await sender.send(await world.registration({ fees }))
    const failure = await failureOf(sender.send(await world.registration()))
    expect(failure.code).to.equal('FEES_TOO_HIGH')
    await world.drop(attempts[0].hash)
    const next = await sender.send(await world.registration())
    expect(next.attempts[0].fees.maxFeePerGas).to.equal(4n * GWEI)
  })

  it('that was lost and is asked for again, byte for byte, is one registration', async () => {
    const { sender, store } = await world.sender()
    const first = await sender.send(await world.registration())
    await world.drop(first.attempts[0].hash)
    expect((await sender.send(await world.registration())).id).to.equal(first.id)
    expect(await store.registrations()).to.have.length(1)
    await world.anvil.mine()
    expect(await sender.settle()).to.have.nested.property('transaction.id', first.id)
  })

  it('whose nonce another transaction of the wallet takes is superseded', async () => {
    const { sender, store } = await world.sender()
    const { id } = await sender.send(await world.registration())
    await world.sendForeign(0)
    await world.anvil.mine()
    expect(await sender.settle()).to.deep.include({ state: 'superseded' })
    expect(await sender.settle()).to.deep.equal({ state: 'idle' })
    expect((await store.registrations())[0]).to.deep.include({ id, state: 'superseded' })
    expect(world.log.messages('warn').join()).to.include('another transaction of the wallet')
    expect((await sender.send(await world.registration())).nonce).to.equal(1)
  })

  it('goes behind a transaction of the wallet that waits', async () => {
    const { sender } = await world.sender()
    await world.sendForeign(0)
    expect((await sender.send(await world.registration())).nonce).to.equal(1)
    await world.anvil.mine()
    expect(await sender.settle()).to.have.property('state', 'mined')
  })

  it('behind a transaction of the wallet that is not mined is not raised, and goes on when that vanished', async () => {
    const { sender } = await world.sender()
    const foreign = await world.sendForeign(0)
    const behind = await sender.send(await world.registration())
    await world.drop(foreign)
    world.clock.advance(60_000)
    for (let round = 0; round < 3; round++) {
      await sender.keepAlive(true)
      expect(await sender.keepAlive(true)).to.equal('blocked')
    }
    expect(world.log.messages('warn').join()).to.match(/^[^,]*with nonce 0$/)
    const next = await sender.send(await world.registration({ data: '0x5678' }))
    expect([behind.nonce, next.nonce]).to.deep.equal([1, 0])
    await world.drop(behind.attempts[0].hash)
    await world.anvil.mine()
    expect(await sender.settle()).to.have.nested.property('transaction.id', next.id)
    expect(await sender.settle()).to.have.nested.property('transaction.id', behind.id)
    expect((await sender.send(await world.registration({ data: '0x9a' }))).nonce).to.equal(1)
    await world.anvil.mine()
    expect(await sender.settle()).to.have.property('state', 'mined')
    expect(await sender.settle()).to.deep.equal({ state: 'idle' })
    expect(await world.calls()).to.equal(2)
  })

  it('that reverts has failed, by the name of the contract’s error', async () => {
    const { sender, store } = await world.sender()
    await sender.send(await world.registration({ to: REVERTING }))
    await world.anvil.mine()
    const outcome = await sender.settle()
    expect(outcome).to.have.nested.property('transaction.state', 'failed')
    expect(outcome)
      .to.have.nested.property('transaction.failure')
      .match(/^InvalidValidatorsRegistryRoot: another deposit/)
    expect(await sender.settle()).to.deep.equal({ state: 'idle' })
    expect(await store.inFlight()).to.deep.equal([])
  })

  it('that runs out of gas has failed for that', async () => {
    const { sender } = await world.sender()
    await sender.send(await world.registration({ gas: 22_000n }))
    await world.anvil.mine()
    const outcome = await sender.settle()
    expect(outcome).to.have.property('state', 'reverted')
    expect(outcome).to.have.nested.property('transaction.failure').include('out of gas')
  })

  it('that a reorganisation undoes is waited for, sent again and mined again', async () => {
    const { sender, store } = await world.sender()
    const before = await world.anvil.rpc('evm_snapshot')
    const { attempts } = await sender.send(await world.registration())
    await world.anvil.mine()
    const first = await sender.settle()
    if (first.state !== 'mined') throw new Error(`it is ${first.state}`)
    await store.markIndexChecked(first.transaction.id)

    await world.anvil.rpc('evm_revert', [before])
    expect(await sender.settle(), 'a node that lags behind').to.deep.equal({ state: 'idle' })
    await world.anvil.mine()
    expect(await sender.settle()).to.deep.include({ state: 'pending', hash: attempts[0].hash })
    expect(world.log.messages('warn').join()).to.include('reorganisation')
    expect(await sender.keepAlive(true)).to.equal('sent again')
    await world.anvil.mine()
    const again = await sender.settle()
    if (again.state !== 'mined') throw new Error(`it is ${again.state}`)
    expect(again.transaction.block?.hash).not.to.equal(first.transaction.block?.hash)
    expect(again.transaction.indexChecked).to.equal(false)
    expect(await world.calls()).to.equal(1)
  })

  it('that a reorganisation gives back to the one it replaced belongs to that', async () => {
    const { sender, store } = await world.sender()
    const before = await world.anvil.rpc('evm_snapshot')
    const doomed = await sender.send(await world.registration())
    const next = await sender.send(await world.registration({ data: '0x5678' }))
    await world.anvil.mine()
    expect(await sender.settle()).to.have.nested.property('transaction.id', next.id)
    await world.anvil.rpc('evm_revert', [before])
    await world.anvil.rpc('eth_sendRawTransaction', [doomed.attempts[0].raw])
    await world.anvil.mine(2)
    expect(await sender.settle()).to.have.nested.property('transaction.id', doomed.id)
    expect((await store.registrations()).map(({ state }) => state)).to.deep.equal(['superseded', 'mined'])
  })

  it('of a wallet without balance is kept and named, and sent once there is some', async () => {
    const { sender, store } = await world.sender()
    await world.anvil.rpc('anvil_setBalance', [world.account.address, '0x0'])
    const failure = await failureOf(sender.send(await world.registration()))
    expect(failure.code).to.equal('INSUFFICIENT_FUNDS')
    expect(failure.hint).to.include('wallet')
    expect(await store.inFlight()).to.have.length(1)
    for (let round = 0; round < 3; round++) {
      world.clock.advance(60_000)
      expect(await sender.keepAlive(true)).to.equal('refused')
    }
    expect(world.log.messages('warn')).to.have.length(1)
    expect((await store.inFlight())[0]?.attempts).to.have.length(1)
    await world.anvil.rpc('anvil_setBalance', [world.account.address, '0xde0b6b3a7640000'])
    expect(await sender.keepAlive(true)).to.equal('sent again')
    await world.anvil.mine()
    expect(await sender.settle()).to.have.property('state', 'mined')
  })

  it('never shows in the log what was signed', async () => {
    const { sender } = await world.sender()
    const { attempts } = await sender.send(await world.registration())
    world.clock.advance(60_000)
    await sender.keepAlive(true)
    expect(world.log.lines.join()).to.include(attempts[0].hash).and.not.include(attempts[0].raw.slice(0, 100))
  })
})
