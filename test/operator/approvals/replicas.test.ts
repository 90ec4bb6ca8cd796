import { expect } from 'chai'
import { Approvals } from '../../../operator/approvals/approvals.js'
import { approvalsScene, approvedOf, missingOf, never } from './approvals-scene.js'
import { configOf, NETWORK, oracleAccount, PERIOD, SUBJECT } from './oracle-double.js'

describe('the approvals of an oracle with several replicas', () => {
  const { clock, now, serve, approvals, expected } = approvalsScene()

  it('come from the next one where the first is down, failing or wrong', async () => {
    const oracle = await serve(1, 1, 1, 1)
    const [down, failing, refusing, good] = oracle
    if (down === undefined || failing === undefined || refusing === undefined || good === undefined) {
      throw new Error('no oracle')
    }
    down.faults.down = true
    failing.faults.status = 503
    refusing.reply = async () => ({ status: 400, body: 'behind' })
    // A random number just below 1 leaves the order as it is.
    const asked = approvals([oracle], { random: () => 0.999 })
    const approved = approvedOf(await asked.collect(1, never))
    expect(approved).to.deep.equal(await expected([good], now() + PERIOD))
    expect(oracle.map(({ total }) => total)).to.deep.equal([1, 1, 1, 1])
  })

  it('come from one only, whichever is first', async () => {
    const oracle = await serve(1, 1, 1)
    approvedOf(await approvals([oracle], { random: () => 0 }).collect(1, never))
    approvedOf(await approvals([oracle], { random: () => 0.999 }).collect(1, never))
    expect(oracle.map(({ total }) => total)).to.deep.equal([1, 1, 0])
  })

  it('count once, and a line about them does not depend on the order', async () => {
    const oracle = await serve(1, 1)
    for (const replica of oracle) replica.faults.status = 500
    const lines: string[] = []
    for (const random of [() => 0, () => 0.999]) {
      lines.push(missingOf(await approvals([oracle], { random }).collect(1, never)).missing)
    }
    expect(lines[0]).to.equal(lines[1])
    for (const { url } of oracle) expect(lines[0]).to.contain(url)
  })

  it('are missing where none is named or none is a URL', async () => {
    const config = configOf([
      { account: oracleAccount(1), endpoints: [] },
      { account: oracleAccount(2), endpoints: ['oracle.example.org', 'ftp://oracle.example.org'] },
    ])
    const asked = new Approvals(SUBJECT, config, { network: NETWORK, clock: clock.current })
    const { missing } = missingOf(await asked.collect(1, never))
    expect(missing).to.contain('has no endpoints')
    expect(missing).to.contain('its endpoint is no http or https URL')
  })
})
