import { expect } from 'chai'
import { parseProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { Approvals } from '../../../operator/approvals/approvals.js'
import type { ApprovalSubject } from '../../../operator/approvals/request.js'
import { protocolConfigOf } from '../oracles.js'
import {
  bodyOf,
  COMPOUNDING,
  ENTRIES,
  HOODI,
  MANAGER,
  NEXT_INDEX,
  NOW,
  ORACLES,
  PERIOD,
  POSITION,
  post,
  REGISTRY,
  type SeenChain,
  Subjects,
  startOracles,
} from './oracle-scene.js'
import type { OracleFault, OracleServers } from './oracle-servers.js'

const never = new AbortController().signal

describe('the devnet’s oracles', () => {
  let subjects: Subjects
  let byProof: ApprovalSubject
  let byManager: ApprovalSubject
  let ofCompounding: ApprovalSubject
  let chain: SeenChain
  let servers: OracleServers

  before(async () => {
    subjects = await Subjects.start()
    byProof = await subjects.byProof(POSITION, 2)
    byManager = await subjects.byManager(ENTRIES.slice(0, 2))
    ofCompounding = await subjects.byManager(COMPOUNDING)
  })

  after(() => subjects.close())

  beforeEach(async () => {
    chain = { manager: async () => REGISTRY, nextIndex: NEXT_INDEX, known: new Set() }
    servers = await startOracles(chain)
  })

  afterEach(() => servers.close())

  /** The agent's part that asks the oracles. */
  const approvalsOf = (subject: ApprovalSubject) => {
    const text = protocolConfigOf(ORACLES, { endpoints: servers.endpoints, validityPeriod: PERIOD })
    const clock = { now: () => NOW * 1000, sleep: async () => undefined }
    return new Approvals(subject, parseProtocolConfig(JSON.parse(text), 'test'), { network: HOODI, clock })
  }

  for (const [what, subject, manager] of [
    ['entries of the deposit data', () => byProof, async () => REGISTRY],
    ['entries of a vault of version 1', () => byProof, () => Promise.reject(new Error('execution reverted'))],
    ['validators that the manager signed', () => byManager, async () => MANAGER.address],
    ['compounding validators that the manager signed', () => ofCompounding, async () => MANAGER.address],
  ] as const) {
    it(`approve ${what}, all of them the same, and can make the exits then`, async () => {
      chain.manager = manager
      expect(servers.recoverableExits()).to.deep.equal([])
      const outcome = await approvalsOf(subject()).collect(4, never)
      expect(outcome).to.have.property('approved')
      expect(servers.refusals).to.deep.equal([])
      expect(servers.recoverableExits()).to.deep.equal(
        subject().publicKeys.map((publicKey, i) => ({
          publicKey,
          validatorIndex: NEXT_INDEX + i,
          holders: 4,
        })),
      )
    })
  }

  it('cannot make an exit from the parts of fewer than the threshold', async () => {
    for (const oracle of [0, 3]) expect(await post(servers, bodyOf(byProof), oracle)).to.equal(200)
    expect(servers.recoverableExits()).to.deep.equal([])
    expect(await post(servers, bodyOf(byProof), 1)).to.equal(200)
    expect(servers.recoverableExits()).to.have.length(2)
  })

  it('have several replicas each, any of which answers for its oracle', async () => {
    expect(servers.endpoints.map(({ length }) => length)).to.deep.equal([2, 2, 2, 2])
    for (const server of servers.all.filter((_, i) => i % 2 === 0)) server.faults.down = true
    expect(await approvalsOf(byProof).collect(4, never)).to.have.property('approved')
  })

  it('look at a clock that can be ahead', async () => {
    servers.first(1, (server) => Object.assign(server, { ahead: (PERIOD - 1) * 1000 }))
    expect(await post(servers, bodyOf(byProof))).to.equal(200)
    servers.first(1, (server) => Object.assign(server, { ahead: PERIOD * 1000 }))
    expect(await post(servers, bodyOf(byProof))).to.equal(400)
    expect(servers.refusals).to.deep.equal(['the deadline has passed'])
  })

  for (const fault of ['bad-signature', 'other-cid', 'other-deadline'] as const satisfies OracleFault[]) {
    it(`with the fault ${fault} do not count`, async () => {
      servers.first(1, (server) => Object.assign(server, { wrong: fault }))
      expect(await approvalsOf(byProof).collect(4, never)).to.have.property('missing')
      expect(await approvalsOf(byProof).collect(3, never)).to.have.property('approved')
    })
  }
})
