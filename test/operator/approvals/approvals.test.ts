import { expect } from 'chai'
import { concatHex, type Hex, slice } from 'viem'
import type { ApprovalOutcome } from '../../../operator/approvals/approvals.js'
import { Approvals } from '../../../operator/approvals/approvals.js'
import { TestClock } from '../../doubles/clock.js'
import {
  CID,
  configOf,
  NETWORK,
  OracleReplica,
  OTHER_CID,
  oracleAccount,
  PERIOD,
  SUBJECT,
  signApproval,
} from './oracle-double.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const never = new AbortController().signal

function approvedOf(outcome: ApprovalOutcome) {
  if ('approved' in outcome) return outcome.approved
  throw new Error(`not approved: ${outcome.missing}`)
}

function missingOf(outcome: ApprovalOutcome) {
  if ('missing' in outcome) return outcome
  throw new Error('approved')
}

describe('the oracles’ approvals', () => {
  const replicas: OracleReplica[] = []
  const clock = { current: new TestClock() }
  const now = () => Math.floor(clock.current.now() / 1000)

  /** One replica for each number, which is the oracle's. */
  const serve = async (...numbers: number[]): Promise<OracleReplica[]> => {
    const made = await Promise.all(numbers.map((number) => new OracleReplica(oracleAccount(number)).listen()))
    replicas.push(...made)
    return made
  }
  const approvals = (
    oracles: readonly (readonly OracleReplica[])[],
    options: { timeout?: number; random?: () => number } = {},
  ) =>
    new Approvals(
      SUBJECT,
      configOf(
        oracles.map((group) => ({
          account: group[0]?.account ?? oracleAccount(0),
          endpoints: group.map(({ url }) => url),
        })),
      ),
      { network: NETWORK, clock: clock.current, timeout: 5000, ...options },
    )
  const ofOne = (oracles: readonly OracleReplica[], options = {}) =>
    approvals(
      oracles.map((oracle) => [oracle]),
      options,
    )
  /** What the Keeper gets of these oracles: their own signatures in the order of their addresses. */
  const expected = async (oracles: readonly OracleReplica[], deadline: number, ipfsHash = CID) => {
    const inOrder = [...oracles].sort((a, b) =>
      BigInt(a.account.address) < BigInt(b.account.address) ? -1 : 1,
    )
    const signatures = inOrder.map(({ account }) => signApproval(account, { ipfsHash, deadline }))
    return {
      ipfsHash,
      deadline: BigInt(deadline),
      signatures: concatHex(await Promise.all(signatures)),
      oracles: inOrder.map(({ account }) => account.address),
    }
  }

  beforeEach(() => {
    clock.current = new TestClock()
  })
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.close()))
  })

  it('are concatenated in ascending order of the addresses', async () => {
    const oracles = await serve(1, 2, 3, 4, 5)
    const approved = approvedOf(await ofOne(oracles).collect(5, never))
    expect(approved).to.deep.equal(await expected(oracles, now() + PERIOD))
    const addresses = approved.oracles.map(BigInt)
    expect(addresses).to.deep.equal(addresses.toSorted((a, b) => (a < b ? -1 : 1)))
  })

  it('are asked for with the subject and a deadline of the validity period from now', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    await ofOne([oracle]).collect(1, never)
    expect(oracle.bodies).to.have.length(1)
    expect(oracle.bodies[0]).to.include({
      validator_index: SUBJECT.validatorIndex,
      validators_root: SUBJECT.validatorsRoot,
      deadline: now() + PERIOD,
    })
  })

  it('are asked for at the URL as it was given, with path, query and a slash at its end', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    for (const path of ['', '/', '/v1', '/v1/', '/v1/?key=k']) {
      const config = configOf([{ account: oracle.account, endpoints: [`${oracle.url}${path}`] }])
      approvedOf(
        await new Approvals(SUBJECT, config, { network: NETWORK, clock: clock.current }).collect(1, never),
      )
    }
    expect(oracle.paths).to.deep.equal(['/', '/', '/v1', '/v1/', '/v1/'])
  })

  it('suffice at exactly the number that the Keeper wants, with the others down', async () => {
    const [first, second, third] = await serve(1, 2, 3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no oracles')
    second.faults.down = true
    const approved = approvedOf(await ofOne([first, second, third]).collect(2, never))
    expect(approved).to.deep.equal(await expected([first, third], now() + PERIOD))
  })

  it('are missing at one less, and the line says what each other oracle did', async () => {
    const oracles = await serve(1, 2, 3, 4, 5)
    const [, down, refusing, failing, html] = oracles
    if (down === undefined || refusing === undefined || failing === undefined || html === undefined) {
      throw new Error('no oracles')
    }
    down.faults.down = true
    refusing.reply = async () => ({ status: 400, body: { error: 'invalid\nvalidator index' } })
    failing.faults.status = 500
    html.faults.garbage = true
    const { missing, refusals } = missingOf(await ofOne(oracles).collect(2, never))
    expect(missing).to.match(/^1 of 2 approvals wanted: /)
    expect(missing).to.match(
      new RegExp(`${down.account.address.slice(0, 12)}\\S+ ${down.url} POST.*ECONNRESET`),
    )
    expect(missing).to.contain(`${refusing.url} answered HTTP 400: {"error":"invalid\\nvalidator index"}`)
    expect(missing).to.match(new RegExp(`${failing.url} POST.*HTTP 500 out of order`))
    expect(missing).to.contain(`${html.url} gave an answer that is not JSON`)
    expect(missing).not.to.contain(oracles[0]?.url)
    expect(missing).not.to.contain('\n')
    expect(refusals).to.equal(1)
  })

  it('do not let the text of a refusal be long or move the cursor', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    oracle.reply = async () => ({ status: 400, body: `\u001b[2Jno\r\n${'x'.repeat(1000)}` })
    const { missing } = missingOf(await ofOne([oracle]).collect(1, never))
    const [, text = ''] = missing.split('HTTP 400: ')
    expect(text).to.match(/^\[2Jno x+…$/)
    expect(text.length).to.equal(200)
  })

  it('are not waited for once there are enough', async () => {
    const [fast, faster, slow] = await serve(1, 2, 3)
    if (fast === undefined || faster === undefined || slow === undefined) throw new Error('no oracles')
    let asked = () => {}
    const slowIsAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    let answered = false
    slow.reply = (deadline) => {
      asked()
      return new Promise((resolve) => {
        setTimeout(async () => {
          answered = true
          resolve({ status: 200, body: await slow.signed({ deadline }) })
        }, 60_000).unref()
      })
    }
    for (const replica of [fast, faster]) {
      const reply = replica.reply
      replica.reply = async (deadline) => {
        await slowIsAsked
        return reply(deadline)
      }
    }
    const approved = approvedOf(await ofOne([fast, faster, slow], { timeout: 60_000 }).collect(2, never))
    expect(approved).to.deep.equal(await expected([fast, faster], now() + PERIOD))
    expect(answered).to.equal(false)
  })

  it('name an oracle that did not answer in time', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    oracle.faults.delay = 60_000
    const { missing } = missingOf(await ofOne([oracle], { timeout: 50 }).collect(1, never))
    expect(missing).to.contain('no answer in time')
  })

  it('end when the caller stops', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    const stop = new AbortController()
    oracle.reply = () => {
      stop.abort()
      return new Promise(() => {})
    }
    const { missing } = missingOf(await ofOne([oracle], { timeout: 60_000 }).collect(1, stop.signal))
    expect(missing).to.contain('was not waited for')
  })

  describe('do not count', () => {
    const highS = (signature: Hex): Hex => {
      const s = ORDER - BigInt(slice(signature, 32, 64))
      const v = slice(signature, 64) === '0x1b' ? '1c' : '1b'
      return `${slice(signature, 0, 32)}${s.toString(16).padStart(64, '0')}${v}`
    }
    const wrong: Record<string, [(oracle: OracleReplica, deadline: number) => Promise<unknown>, string]> = {
      'over other validators': [
        (oracle, deadline) => oracle.signed({ deadline, validators: '0x1234' }),
        'its signature is not its own',
      ],
      'signed by somebody else': [
        async (oracle, deadline) => ({
          ...(await oracle.signed({ deadline })),
          signature: await signApproval(oracleAccount(77), { deadline }),
        }),
        'its signature is not its own',
      ],
      'with another content than was signed': [
        async (oracle, deadline) => ({ ...(await oracle.signed({ deadline })), ipfs_hash: OTHER_CID }),
        'its signature is not its own',
      ],
      'with another deadline than was signed': [
        async (oracle, deadline) => ({ ...(await oracle.signed({ deadline })), deadline: deadline - 1 }),
        'its signature is not its own',
      ],
      'with a later deadline than was asked for': [
        (oracle, deadline) => oracle.signed({ deadline: deadline + 1 }),
        'later than',
      ],
      'with a deadline that has passed': [
        (oracle, deadline) => oracle.signed({ deadline: deadline - PERIOD }),
        'has passed',
      ],
      'with s in the upper half': [
        async (oracle, deadline) => {
          const answer = await oracle.signed({ deadline })
          return { ...answer, signature: highS(answer.signature as Hex) }
        },
        'upper half',
      ],
      'with r on no point of the curve': [
        async (oracle, deadline) => ({
          ...(await oracle.signed({ deadline })),
          signature: `0x${'00'.repeat(31)}05${'00'.repeat(31)}011b`,
        }),
        'on no point',
      ],
      'with a signature of 64 bytes': [
        async (oracle, deadline) => ({
          ...(await oracle.signed({ deadline })),
          signature: `0x${'11'.repeat(64)}`,
        }),
        'expected 65 bytes',
      ],
      'with a text as deadline': [
        async (oracle, deadline) => ({ ...(await oracle.signed({ deadline })), deadline: `${deadline}` }),
        'deadline',
      ],
      'with a content that is no CID': [
        async (oracle, deadline) => oracle.signed({ deadline, ipfsHash: 'Qm\nforged line' }),
        'expected a CID',
      ],
      'that are an array': [async () => [], 'gave a wrong answer'],
    }
    for (const [what, [reply, said]] of Object.entries(wrong)) {
      it(what, async () => {
        const [good, bad] = await serve(1, 2)
        if (good === undefined || bad === undefined) throw new Error('no oracles')
        bad.reply = async (deadline) => ({ status: 200, body: await reply(bad, deadline) })
        const { missing, refusals } = missingOf(await ofOne([good, bad]).collect(2, never))
        expect(missing).to.match(/^1 of 2 approvals wanted: /)
        expect(missing).to.contain(said)
        expect(missing).not.to.contain('\n')
        expect(refusals).to.equal(0)
      })
    }
  })

  it('count with a signature without 0x whose v is 0 or 1', async () => {
    const [oracle] = await serve(1)
    if (oracle === undefined) throw new Error('no oracle')
    oracle.reply = async (deadline) => {
      const answer = await oracle.signed({ deadline })
      const parity = Number.parseInt(answer.signature.slice(-2), 16) - 27
      return { status: 200, body: { ...answer, signature: `${answer.signature.slice(2, -2)}0${parity}` } }
    }
    const approved = approvedOf(await ofOne([oracle]).collect(1, never))
    expect(approved).to.deep.equal(await expected([oracle], now() + PERIOD))
  })

  it('of different content are never mixed', async () => {
    const oracles = await serve(1, 2, 3, 4)
    const [, , third, fourth] = oracles
    if (third === undefined || fourth === undefined) throw new Error('no oracles')
    for (const other of [third, fourth]) {
      other.reply = async (deadline) => ({
        status: 200,
        body: await other.signed({ deadline, ipfsHash: OTHER_CID }),
      })
    }
    const { missing } = missingOf(await ofOne(oracles).collect(3, never))
    expect(missing).to.match(/^2 of 3 approvals wanted: /)
    expect(missing).to.contain(`approved ${OTHER_CID} until`)
  })

  it('of an earlier deadline make a group of their own', async () => {
    const oracles = await serve(1, 2, 3)
    for (const oracle of oracles.slice(1)) {
      oracle.reply = async (deadline) => ({
        status: 200,
        body: await oracle.signed({ deadline: deadline - 60 }),
      })
    }
    const approved = approvedOf(await ofOne(oracles).collect(2, never))
    expect(approved).to.deep.equal(await expected(oracles.slice(1), now() + PERIOD - 60))
  })

  describe('with several replicas of an oracle', () => {
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

  describe('when asked for again', () => {
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

  it('cannot be asked for without a validity period', () => {
    const config = {
      ...configOf([{ account: oracleAccount(1), endpoints: [] }]),
      signatureValidityPeriod: undefined,
    }
    expect(() => new Approvals(SUBJECT, config, { network: NETWORK, clock: clock.current }))
      .to.throw()
      .with.property('code', 'INVALID_PROTOCOL_CONFIG')
  })
})
