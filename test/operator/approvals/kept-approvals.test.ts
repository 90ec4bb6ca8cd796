import { expect } from 'chai'
import { Approvals } from '../../../operator/approvals/approvals.js'
import { approvalsScene, approvedOf, missingOf, never } from './approvals-scene.js'
import { configOf, NETWORK, OTHER_CID, PERIOD, SUBJECT } from './oracle-double.js'

describe('the oracles’ approvals, when asked for again,', () => {
  const { clock, now, serve, ofOne, expected } = approvalsScene()

  it('are kept: only the oracles without one are asked', async () => {
    const oracles = await serve(1, 2, 3)
    const [, , away] = oracles
    if (away === undefined) throw new Error('no oracles')
    away.faults.down = true
    const asked = ofOne(oracles)
    missingOf(await asked.collect(3, never))
    const deadline = now() + PERIOD
    away.faults.down = false
    clock.current.advance(60_000)
    expect(approvedOf(await asked.collect(3, never))).to.deep.equal(await expected(oracles, deadline))
    expect(oracles.map(({ total }) => total)).to.deep.equal([1, 1, 2])
    expect(away.bodies.map((body) => body.deadline)).to.deep.equal([deadline])
    expect(approvedOf(await asked.collect(3, never))).to.deep.equal(await expected(oracles, deadline))
    expect(oracles.map(({ total }) => total)).to.deep.equal([1, 1, 2])
  })

  it('are asked for again of an oracle that said something else than most', async () => {
    const oracles = await serve(1, 2, 3)
    const [, , other] = oracles
    if (other === undefined) throw new Error('no oracles')
    const right = other.reply
    other.reply = async (deadline) => ({
      status: 200,
      body: await other.signed({ deadline, ipfsHash: OTHER_CID }),
    })
    const asked = ofOne(oracles)
    missingOf(await asked.collect(3, never))
    other.reply = right
    approvedOf(await asked.collect(3, never))
    expect(oracles.map(({ total }) => total)).to.deep.equal([1, 1, 2])
  })

  it('are asked for anew of all, for a new deadline, when less than 300 seconds are left', async () => {
    const oracles = await serve(1, 2)
    const asked = ofOne(oracles)
    const first = approvedOf(await asked.collect(2, never))
    clock.current.advance((PERIOD - 300) * 1000)
    expect(approvedOf(await asked.collect(2, never))).to.deep.equal(first)
    clock.current.advance(1000)
    expect(approvedOf(await asked.collect(2, never))).to.deep.equal(await expected(oracles, now() + PERIOD))
    expect(oracles.map(({ total }) => total)).to.deep.equal([2, 2])
  })

  it('are asked for anew when less than a quarter of a short period is left', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    const config = configOf([{ account: oracle.account, endpoints: [oracle.url] }], 60)
    const asked = new Approvals(SUBJECT, config, { network: NETWORK, clock: clock.current })
    await asked.collect(1, never)
    clock.current.advance(45_000)
    await asked.collect(1, never)
    expect(oracle.total).to.equal(1)
    clock.current.advance(1000)
    const approved = approvedOf(await asked.collect(1, never))
    expect(approved.deadline).to.equal(BigInt(now() + 60))
    expect(oracle.total).to.equal(2)
  })

  it('are dropped when the earlier deadline that an oracle signed has passed', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    oracle.reply = async (deadline) => ({
      status: 200,
      body: await oracle.signed({ deadline: deadline - PERIOD + 60 }),
    })
    const asked = ofOne([oracle])
    approvedOf(await asked.collect(1, never))
    clock.current.advance(60_000)
    expect(missingOf(await asked.collect(1, never)).missing).to.contain('has passed')
    expect(oracle.total).to.equal(2)
  })
})
