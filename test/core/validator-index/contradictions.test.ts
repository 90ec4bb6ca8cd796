import { expect } from 'chai'
import { ConfigurationError, UnavailableError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { signedDeposit } from '../../devnet/deposits.js'
import type { DoubleAnswer } from '../../devnet/http-double.js'
import { failureOf } from '../../doubles/failure.js'
import { network, World } from './world.js'

const deposit = (name: string) => signedDeposit(network, name)

/** An answer with one field changed, which is named by its path. */
function withField(answer: DoubleAnswer, path: string, value: unknown): DoubleAnswer {
  const body = structuredClone(answer.body) as Record<string, unknown>
  const names = path.split('.')
  const last = names.pop() ?? ''
  const parent = names.reduce((node, name) => node[name] as Record<string, unknown>, body)
  parent[last] = value
  return { ...answer, body }
}

function withoutSecond(answer: DoubleAnswer): DoubleAnswer {
  const { data } = answer.body as { data: unknown[] }
  return data.length < 3 ? answer : withField(answer, 'data', data.toSpliced(1, 1))
}

describe('nodes that fail or contradict each other', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().listen()
    world.chain.landAt(800, deposit('queued'))
    world.chain.landAt(950, deposit('later 1'), deposit('later 2'))
  })
  afterEach(() => world.close())

  /** Refused by one node; answered rightly where a second node is there. */
  const refusedThenServed = async (code: RegExp) => {
    const error = await failureOf(world.predictor().next())
    expect(error).to.be.instanceOf(UnavailableError)
    const causes = (error.cause as AggregateError).errors as { code: string }[]
    expect(causes[0]?.code).to.match(code)
    expect((await world.predictor({ nodes: 2 }).next()).index).to.equal(503)
  }

  it('an execution node that leaves an event out is found out, whichever it is', async () => {
    for (const dropped of [0, 1]) {
      world.execution.leavesOut = (log) => log.blockNumber === 950 && log.logIndex === dropped
      await refusedThenServed(/LOGS_MISSING/)
    }
  })

  it('an execution node that leaves all events out is found out', async () => {
    world.execution.leavesOut = () => true
    await refusedThenServed(/LOGS_MISSING/)
  })

  it('an execution node that is behind the finalized block is not believed', async () => {
    world.execution.behind = 150
    await refusedThenServed(/EXECUTION_NODE_BEHIND/)
  })

  it('an execution node on another chain than the beacon node is not believed', async () => {
    const other = await new World().listen()
    other.chain.landAt(800, deposit('queued'))
    other.chain.reorganise(150)
    other.chain.landAt(950, deposit('later 1'), deposit('later 2'))
    try {
      const executionUrls = [other.execution.url, world.execution.url]
      expect((await world.predictor({ executionUrls }).next()).index).to.equal(503)
      const error = await failureOf(world.predictor({ executionUrls: executionUrls.slice(0, 1) }).next())
      expect(error.message).to.include('is not in the chain')
    } finally {
      await other.close()
    }
  })

  it('an execution node that has no old state is passed over', async () => {
    world.execution.stateHistory = 10
    await refusedThenServed(/ENDPOINT_REFUSED/)
  })

  it('an execution node that refuses long ranges is asked for short ones', async () => {
    world.execution.maxRange = 7
    expect((await world.predictor().next()).index).to.equal(503)
  })

  it('an optimistic beacon node is not believed', async () => {
    world.beacon.optimistic = true
    await refusedThenServed(/BEACON_NODE_OPTIMISTIC/)
  })

  it('a state that vanishes while it is read is a failure, never a lower number', async () => {
    for (let known = 0; known < 20; known++) {
      const fresh = await new World().listen()
      fresh.chain.landAt(800, deposit('queued'))
      fresh.chain.landAt(950, deposit('later 1'), deposit('later 2'))
      fresh.beacon.forgetStatesAfter = known
      try {
        const { index } = await fresh.predictor().next()
        expect(index).to.equal(503)
        expect(known).to.be.greaterThan(4)
        return
      } catch (error) {
        expect(error).to.be.instanceOf(UnavailableError)
        expect(String(error)).to.include('state not found')
      } finally {
        await fresh.close()
      }
    }
    throw new Error('never served')
  })

  it('a beacon node that fails in the middle is left for the other, from the start', async () => {
    world.beacon.forgetStatesAfter = 4
    expect((await world.predictor({ nodes: 2 }).next()).index).to.equal(503)
    expect(world.beacon2.requests.get('GET headers')).to.equal(2)
    expect(world.beacon2.requests.get('GET validators')).to.be.greaterThan(1)
  })

  it('a beacon node that lags behind what was final already is not believed, after a restart neither', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.chain.finalized = 890
    expect((await failureOf(predictor.next())).message).to.include('slot 900 was before')
    expect((await failureOf(world.predictor().next())).message).to.include('slot 900 was before')
  })

  it('finality that moves on meanwhile means starting anew', async () => {
    const predictor = world.predictor()
    const answer = predictor.next()
    while ((world.beacon.requests.get('POST validators') ?? 0) === 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    world.chain.process(1)
    world.chain.advance(5)
    world.chain.finalize()
    expect((await answer).index).to.equal(503)
    expect(world.beacon.requests.get('GET blocks')).to.equal(2)
  })

  for (const status of [404, 500] as const) {
    it(`a beacon node that knows finalized states by their slot only is asked so: ${status} by the root`, async () => {
      world.beacon.finalizedByRoot = status
      const predictor = world.predictor()
      expect((await predictor.next()).index).to.equal(503)
      world.chain.process(1)
      world.chain.finalize(world.chain.head)
      expect((await predictor.next()).index).to.equal(503)
      expect(await predictor.knownKeys([deposit('queued').publicKey])).to.have.length(1)
    })
  }

  it('a state by its slot that is not finalized where it comes from is not believed', async () => {
    world.beacon.finalizedByRoot = 404
    world.beacon.alter = ({ path }, answer) =>
      path.endsWith('/validators') ? withField(answer, 'finalized', false) : answer
    await refusedThenServed(/STATE_NOT_FINALIZED/)
  })

  it('a state by its slot that vanishes while it is read is a failure', async () => {
    world.beacon.finalizedByRoot = 404
    world.beacon.forgetStatesAfter = 3
    await refusedThenServed(/UNKNOWN_STATE/)
  })

  it('a finalized header that is not canonical is not believed', async () => {
    world.beacon.alter = ({ path }, answer) =>
      path.endsWith('/headers/finalized') ? withField(answer, 'data.canonical', false) : answer
    await refusedThenServed(/UNEXPECTED_ANSWER/)
  })

  it('a block of another state than the finalized header’s is not believed', async () => {
    world.beacon.alter = ({ path }, answer) =>
      path.includes('/blocks/')
        ? withField(answer, 'data.message.state_root', `0x${'12'.repeat(32)}`)
        : answer
    await refusedThenServed(/UNEXPECTED_ANSWER/)
  })

  it('a queue of a fork in which it means something else is refused', async () => {
    world.beacon.alter = ({ path }, answer) =>
      path.endsWith('/pending_deposits') ? withField(answer, 'version', 'gloas') : answer
    expect((await failureOf(world.predictor().next())).code).to.equal('UNSUPPORTED_FORK')
  })

  it('a beacon node that leaves out validators before others that exist is not believed', async () => {
    world.beacon.alter = ({ method, path }, answer) =>
      method === 'GET' && path.endsWith('/validators') ? withoutSecond(answer) : answer
    await refusedThenServed(/UNEXPECTED_ANSWER/)
  })

  it('a beacon node that does not understand several ids and answers with none is not believed', async () => {
    world.beacon.alter = ({ path }, answer) =>
      path.endsWith('/validators') ? withField(answer, 'data', []) : answer
    await refusedThenServed(/UNEXPECTED_ANSWER/)
  })

  it('a registry that got shorter is not believed', async () => {
    const predictor = world.predictor()
    await predictor.next()
    world.chain.advance(1)
    world.chain.finalize(world.chain.head)
    world.beacon.alter = ({ method, path }, answer) =>
      method === 'GET' && path.endsWith('/validators') ? withField(answer, 'data', []) : answer
    expect((await failureOf(predictor.next())).message).to.include('there were 500 before')
  })

  it('a reorganisation while events are read is a failure, and the next answer is right', async () => {
    const { alter } = world.execution
    world.execution.alter = ({ body }, answer) => {
      if (body.includes('eth_getLogs')) {
        world.chain.reorganise(3)
        world.execution.alter = alter
      }
      return answer
    }
    const predictor = world.predictor()
    expect((await failureOf(predictor.next())).message).to.include('is not in the chain')
    expect((await predictor.next()).index).to.equal(503)
  })

  it('a checkpoint whose block is not in the chain is not counted on from', async () => {
    await world.predictor().next()
    const saved = (await world.store.load()) as { block: object }
    await world.store.save({ ...saved, block: { ...saved.block, hash: `0x${'12'.repeat(32)}` } })
    world.chain.finalize(world.chain.head)
    expect((await failureOf(world.predictor().next())).message).to.include('is not in the chain')
  })

  it('what one beacon node said is not asked on at another’s, nor waited for when it is down', async () => {
    const predictor = world.predictor({ nodes: 2 })
    await predictor.next()
    world.beacon.faults.down = true
    expect(await predictor.knownKeys([deposit('queued').publicKey, deposit('x').publicKey])).to.have.length(1)
    expect((await predictor.next()).index).to.equal(503)
  })

  it('events numbered twice are not believed, although there are as many as the contract counts', async () => {
    world.execution.alter = ({ body }, answer) => {
      if (!body.includes('eth_getLogs')) return answer
      const { result } = answer.body as { result: unknown[] }
      return withField(answer, 'result', [result[0], result[0]])
    }
    await refusedThenServed(/LOGS_MISSING/)
  })

  it('nodes of another network are a configuration error', async () => {
    Object.assign(world.chain, { network: loadNetwork('mainnet') })
    const error = await failureOf(world.predictor().next())
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.code).to.equal('WRONG_NETWORK')
  })
})
