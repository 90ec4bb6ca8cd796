import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { toHex } from '../../../core/hex.js'
import { depositSigningRoot } from '../../../core/messages/deposit.js'
import { compactRegistry } from '../../devnet/chain.js'
import { type ChainDeposit, secretKeyOf, signedDeposit, wronglySigned } from '../../devnet/deposits.js'
import { keyOutsideSubgroup, signatureOutsideSubgroup } from './outside-subgroup.js'
import { network, World } from './world.js'

const deposit = (name: string, amount?: bigint) => signedDeposit(network, name, amount)
const G1_INFINITY = `0x${'c0'.padEnd(96, '0')}` as const
const G2_INFINITY = `0x${'c0'.padEnd(192, '0')}` as const
/** Deposits that give no validator, whatever the queue does with them. */
const WORTHLESS: Readonly<Record<string, () => ChainDeposit>> = {
  'a wrong signature': () => wronglySigned(network, 'w'),
  'a signature at infinity': () => ({ ...deposit('w'), signature: G2_INFINITY, valid: false }),
  'a key at infinity under a signature at infinity': () => ({
    ...deposit('w'),
    publicKey: G1_INFINITY,
    signature: G2_INFINITY,
    valid: false,
  }),
  'a key outside the subgroup that the pairing would take': () => keyOutsideSubgroup('w'),
  'a signature outside the subgroup': () => signatureOutsideSubgroup('w'),
  'a signature that is no point': () => ({
    ...deposit('w'),
    signature: `0x${'ff'.repeat(96)}`,
    valid: false,
  }),
  'another amount than signed': () => ({ ...deposit('w'), amount: 31_000_000_000n, valid: false }),
  'other credentials than signed': () => ({
    ...deposit('w'),
    withdrawalCredentials: `0x01${'00'.repeat(11)}${'d1'.repeat(20)}`,
    valid: false,
  }),
  'a signature for another network': () => {
    const message = { ...deposit('w') }
    const root = depositSigningRoot({ ...network, genesisForkVersion: '0x00000000' }, message)
    return {
      ...message,
      signature: toHex(bls.encodeSignature(bls.sign(secretKeyOf('w'), root))),
      valid: false,
    }
  },
}

describe('the index of the next validator', () => {
  let world: World
  afterEach(() => world.close())
  const start = async (...args: ConstructorParameters<typeof World>) => {
    world = await new World(...args).listen()
    return world
  }
  const next = async () => (await world.predictor().next()).index

  for (const count of [1, 63, 64, 65, 4095, 4096, 4097, 262_144, 1_000_003, 16_777_217, 20_000_000]) {
    it(`is the registry’s length where no deposit waits: ${count}`, async () => {
      await start({ registry: compactRegistry(count) })
      expect(await next()).to.equal(count)
    })
  }

  it('counts new keys that wait in the queue', async () => {
    await start()
    world.chain.landAt(800, deposit('a'), deposit('b'))
    expect(await next()).to.equal(502)
  })

  it('counts new keys in later events', async () => {
    await start()
    world.chain.landAt(950, deposit('a'))
    world.chain.land(deposit('b'))
    expect(await next()).to.equal(502)
  })

  it('counts the event of the first block after the finalized state, and of the last one, once each', async () => {
    await start()
    world.chain.landAt(900, deposit('in the state'))
    world.chain.landAt(901, deposit('first'))
    world.chain.landAt(1000, deposit('last'))
    expect(await next()).to.equal(503)
  })

  it('counts a key once, however many deposits it has, in the queue and in events', async () => {
    await start()
    world.chain.landAt(800, deposit('a'), deposit('a', 1_000_000_000n))
    world.chain.landAt(950, deposit('a'), deposit('b'), deposit('b', 1_000_000_000n))
    world.chain.land(deposit('b'))
    expect(await next()).to.equal(502)
  })

  it('counts a key whose first deposit is worthless and whose second is right', async () => {
    await start()
    world.chain.landAt(800, wronglySigned(network, 'a'), deposit('a'), wronglySigned(network, 'c'))
    world.chain.landAt(950, wronglySigned(network, 'b'), deposit('b'), deposit('c'))
    expect(await next()).to.equal(503)
  })

  it('does not count a top-up of a validator', async () => {
    const key = deposit('a').publicKey
    await start({ registry: compactRegistry(500, new Map([[key, 123]])) })
    world.chain.landAt(800, deposit('a'))
    world.chain.landAt(950, deposit('a'))
    expect(await next()).to.equal(500)
  })

  for (const [what, worthless] of Object.entries(WORTHLESS)) {
    it(`does not count a deposit with ${what}, in the queue or in an event`, async () => {
      await start()
      world.chain.queue(worthless())
      world.chain.landAt(950, worthless(), deposit('right'))
      expect(await next()).to.equal(501)
    })
  }

  it('stays the same while the queue is worked off and finality moves', async () => {
    await start()
    world.chain.landAt(800, deposit('a'), wronglySigned(network, 'b'), deposit('c'))
    world.chain.landAt(950, deposit('d'), deposit('a'))
    const predictor = world.predictor()
    expect((await predictor.next()).index).to.equal(503)
    for (let step = 0; step < 6; step++) {
      world.chain.advance(10)
      world.chain.process(1)
      world.chain.finalize(world.chain.head - 5)
      expect((await predictor.next()).index).to.equal(503)
    }
    world.chain.advance(1)
    world.chain.finalize(world.chain.head)
    expect((await predictor.next()).index).to.equal(503)
    expect(world.chain.validatorCount(world.chain.finalized)).to.equal(503)
  })

  it('comes with the deposit root of the same block', async () => {
    await start()
    const block = world.chain.land(deposit('a'))
    expect((await world.predictor().next()).depositRoot).to.equal(world.chain.depositRoot(block))
  })

  it('takes under 30 requests among a million validators, with a short queue', async () => {
    await start({ registry: compactRegistry(1_048_575) })
    for (let i = 0; i < 20; i++) world.chain.landAt(800 + i, deposit(`queued ${i}`))
    for (let i = 0; i < 5; i++) world.chain.landAt(950 + i, deposit(`later ${i}`))
    const predictor = world.predictor()
    const requests = await world.requestsOf(async () => {
      expect((await predictor.next()).index).to.equal(1_048_575 + 25)
    })
    expect(requests).to.be.lessThan(30)
  })
})

describe('known keys', () => {
  let world: World
  afterEach(() => world.close())

  it('are those of validators, waiting deposits and later events, valid or not, and no others', async () => {
    const registered = deposit('registered').publicKey
    world = await new World({ registry: compactRegistry(500, new Map([[registered, 7]])) }).listen()
    const [queued, badQueued] = [deposit('queued'), wronglySigned(network, 'bad queued')]
    const [later, badLater] = [deposit('later'), wronglySigned(network, 'bad later')]
    world.chain.landAt(800, queued, badQueued)
    world.chain.landAt(950, later, badLater)
    const predictor = world.predictor()
    const all = [registered, queued, badQueued, later, badLater].map((one) =>
      typeof one === 'string' ? one : one.publicKey,
    )
    const strangers = [deposit('x').publicKey, deposit('y').publicKey]
    expect(await predictor.knownKeys([...all, ...strangers])).to.deep.equal(all)
    world.chain.land(deposit('x'))
    expect(await predictor.knownKeys(strangers)).to.deep.equal([deposit('x').publicKey])
  })

  it('cost no further request when asked again', async () => {
    world = await new World().listen()
    const predictor = world.predictor()
    const keys = [deposit('x').publicKey]
    await predictor.knownKeys(keys)
    expect(await world.requestsOf(() => predictor.knownKeys(keys))).to.equal(2)
    expect(await world.requestsOf(() => predictor.knownKeys([]))).to.equal(0)
  })
})
