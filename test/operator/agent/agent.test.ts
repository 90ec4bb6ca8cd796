import { expect } from 'chai'
import {
  ConfigurationError,
  ConfigurationErrors,
  DvtExitError,
  UnavailableError,
} from '../../../core/errors.js'
import { OperatorAgent, type Waiting } from '../../../operator/agent/agent.js'
import { NotNow } from '../../../operator/not-now.js'
import type { RoundOutcome } from '../../../operator/registration/round.js'
import { TestClock } from '../../doubles/clock.js'
import { failureOf } from '../../doubles/failure.js'
import { TestLog } from '../../doubles/log.js'
import { mined } from './registrations.js'

const INTERVAL = 12_000

const away = (what: string, how: string) =>
  new UnavailableError('ALL_ENDPOINTS_FAILED', `${what}: ${how}`, {
    cause: new AggregateError([], `${what}: no endpoint served it`),
  })
const poor = (assets: number) => new NotNow('TOO_FEW_ASSETS', `the vault has ${assets} ETH`)
const wrong = (message = 'the chain id is 1') => new ConfigurationError('WRONG_CHAIN', message)

/** An agent whose checks and rounds do one thing after the other, and which ends when there is no more. */
class Scene {
  checks: (Error | undefined)[] = []
  rounds: (Error | RoundOutcome)[] = []
  looks: (Error | undefined)[] = []
  checked = 0
  readonly clock = new TestClock()
  readonly log = new TestLog()
  readonly notes: (Waiting | undefined)[] = []
  /** What keeps notes from being kept, one after the other. */
  noteFailures: (Error | undefined)[] = []
  readonly #controller = new AbortController()

  /** @param pauses after which the agent is stopped */
  async run(pauses: number): Promise<void> {
    this.clock.onPause = (count) => {
      if (count >= pauses) this.#controller.abort()
    }
    const agent = new OperatorAgent({
      check: async () => {
        this.checked++
        const failure = this.checks.shift()
        if (failure !== undefined) throw failure
      },
      round: {
        run: async () => {
          const next = this.rounds.shift() ?? poor(0)
          if (next instanceof Error) throw next
          return next
        },
      },
      indexCheck: {
        look: async () => {
          const failure = this.looks.shift()
          if (failure !== undefined) throw failure
        },
      },
      note: async (waiting) => {
        const failure = this.noteFailures.shift()
        if (failure !== undefined) throw failure
        this.notes.push(waiting)
      },
      clock: this.clock,
      logger: this.log.logger,
      interval: INTERVAL,
      random: () => 0.5,
    })
    await agent.run(this.#controller.signal)
  }
}

describe('the agent', () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene()
  })

  it('ends at the start where the configuration does not fit', async () => {
    scene.checks = [wrong()]
    expect(await failureOf(scene.run(3))).to.have.property('code', 'WRONG_CHAIN')
    expect(scene.clock.pauses).to.deep.equal([])
  })

  it('ends at the start where several things do not fit', async () => {
    scene.checks = [new ConfigurationErrors([wrong(), wrong('the deposit data is no JSON')])]
    expect(await failureOf(scene.run(3))).to.have.property('code', 'SEVERAL_ERRORS')
    expect(scene.clock.pauses).to.deep.equal([])
  })

  it('waits at the start for what is away, and still ends where the configuration does not fit', async () => {
    scene.checks = [away('eth_chainId', 'down'), away('eth_chainId', 'down'), wrong()]
    expect(await failureOf(scene.run(9))).to.have.property('code', 'WRONG_CHAIN')
    expect(scene.clock.pauses).to.have.length(2)
  })

  it('checks until that succeeds, and not again', async () => {
    scene.checks = [away('beacon', 'down'), undefined]
    await scene.run(6)
    expect(scene.checked).to.equal(2)
  })

  it('does not end for a configuration error once it has worked', async () => {
    scene.rounds = [poor(1), wrong(), new ConfigurationErrors([wrong(), wrong()]), poor(2)]
    await scene.run(4)
    expect(scene.log.messages('warn')).to.deep.equal([
      'the chain id is 1',
      'the chain id is 1\nthe chain id is 1',
    ])
  })

  it('ends for what no part expects', async () => {
    scene.rounds = [new TypeError('a mistake of ours')]
    const thrown = await scene.run(3).catch((error: unknown) => error)
    expect(thrown).to.be.instanceOf(TypeError)
  })

  it('says why nothing is registered once, and something else when it changes', async () => {
    scene.rounds = [poor(1), poor(1), poor(1), poor(2), poor(2)]
    await scene.run(5)
    expect(scene.log.messages('info')).to.deep.equal(['the vault has 1 ETH', 'the vault has 2 ETH'])
    expect(scene.clock.pauses).to.deep.equal(Array.from({ length: 5 }, () => INTERVAL))
  })

  it('does not take another number for another reason where the detail stays', async () => {
    const fees = (gwei: number) => new NotNow('FEES_TOO_HIGH', `gas costs ${gwei}`, { detail: '' })
    scene.rounds = [fees(11), fees(12), fees(13)]
    await scene.run(3)
    expect(scene.log.messages('info')).to.deep.equal(['gas costs 11'])
    expect(scene.notes.map((note) => note?.text)).to.deep.equal([
      'gas costs 11',
      'gas costs 12',
      'gas costs 13',
    ])
  })

  it('says what is away once, whatever each try ends with, and what is away next', async () => {
    scene.rounds = [
      away('IPFS file Qm', 'ECONNREFUSED'),
      away('IPFS file Qm', 'no answer in time'),
      away('eth_call', 'ECONNREFUSED'),
      away('eth_call', 'HTTP 500'),
    ]
    await scene.run(4)
    expect(scene.log.messages('warn')).to.deep.equal(['IPFS file Qm: ECONNREFUSED', 'eth_call: ECONNREFUSED'])
  })

  it('keeps what it waits for and since when, and forgets it when something happens', async () => {
    const start = Math.floor(scene.clock.now() / 1000)
    scene.rounds = [poor(1), poor(2), { kind: 'mined', transaction: mined() }]
    await scene.run(3)
    expect(scene.notes).to.deep.equal([
      { code: 'TOO_FEW_ASSETS', text: 'the vault has 1 ETH', since: start },
      { code: 'TOO_FEW_ASSETS', text: 'the vault has 2 ETH', since: start },
      undefined,
    ])
  })

  it('waits longer and longer for what is away, and the usual time after that', async () => {
    const down = away('eth_call', 'down')
    scene.rounds = [down, down, down, down, down, poor(1), down]
    await scene.run(7)
    expect(scene.clock.pauses).to.deep.equal([12_000, 24_000, 48_000, 60_000, 60_000, 12_000, 12_000])
  })

  it('tries again soon where that makes sense', async () => {
    scene.rounds = [new NotNow('REGISTRY_MOVED', 'starting over', { soon: true }), poor(1)]
    await scene.run(2)
    expect(scene.clock.pauses).to.deep.equal([1_000, INTERVAL])
  })

  it('looks soon at what it sent, and goes on at once when it is mined', async () => {
    scene.rounds = [
      { kind: 'sent', transaction: mined({ state: 'sent', block: undefined, minedHash: undefined }) },
      { kind: 'mined', transaction: mined() },
      { kind: 'superseded', transaction: mined({ state: 'superseded' }) },
    ]
    await scene.run(3)
    expect(scene.clock.pauses).to.deep.equal([1_000, 0, 0])
    expect(scene.log.messages('info')).to.deep.equal([
      `registered 2 validators (0xaaaaaaaaaa…aaaaaa, 0xbbbbbbbbbb…bbbbbb), indexes 2000 to 2001, by transaction 0x${'cc'.repeat(32)} in block 77`,
    ])
  })

  it('says the same reason again after a registration', async () => {
    scene.rounds = [poor(1), { kind: 'mined', transaction: mined() }, poor(1)]
    await scene.run(3)
    expect(scene.log.messages('info').filter((line) => line === 'the vault has 1 ETH')).to.have.length(2)
  })

  it('warns where a person may have to look', async () => {
    scene.rounds = [
      new NotNow('NOT_THE_MANAGER', 'another manager', { level: 'warn', hint: 'Give its key' }),
      new DvtExitError('HARVEST_REVERTS', 'InvalidProof'),
    ]
    await scene.run(2)
    expect(scene.log.messages('warn')).to.deep.equal(['another manager. Give its key', 'InvalidProof'])
  })

  it('waits where the indexes of what was registered cannot be looked at', async () => {
    scene.looks = [away('beacon', 'down')]
    await scene.run(2)
    expect(scene.log.messages('warn')).to.deep.equal(['beacon: down'])
    expect(scene.log.messages('info')).to.deep.equal(['the vault has 0 ETH'])
  })

  it('goes on while its database cannot be written, and says so', async () => {
    const full = new UnavailableError('DATABASE_FULL', 'the operator’s database cannot grow')
    scene.rounds = [full, full, poor(1)]
    scene.noteFailures = [full, full, undefined]
    await scene.run(3)
    expect(scene.log.messages('warn')).to.deep.equal(['the operator’s database cannot grow'])
    expect(scene.notes.map((note) => note?.code)).to.deep.equal(['TOO_FEW_ASSETS'])
  })

  it('does nothing where it is stopped before it began', async () => {
    const controller = new AbortController()
    controller.abort()
    const never = async () => {
      throw new Error('asked')
    }
    const agent = new OperatorAgent({
      check: never,
      round: { run: never },
      indexCheck: { look: never },
      note: never,
      clock: scene.clock,
      logger: scene.log.logger,
      interval: INTERVAL,
    })
    await agent.run(controller.signal)
    expect(scene.clock.pauses).to.deep.equal([])
  })

  it('says nothing of a round that failed because it is stopped', async () => {
    const controller = new AbortController()
    const agent = new OperatorAgent({
      check: async () => undefined,
      round: {
        run: async () => {
          controller.abort()
          throw poor(1)
        },
      },
      indexCheck: { look: async () => undefined },
      note: async (waiting) => void scene.notes.push(waiting),
      clock: scene.clock,
      logger: scene.log.logger,
      interval: INTERVAL,
    })
    await agent.run(controller.signal)
    expect(scene.log.lines).to.deep.equal([])
    expect(scene.notes).to.deep.equal([])
  })
})
