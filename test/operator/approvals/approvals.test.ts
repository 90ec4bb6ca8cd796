import { expect } from 'chai'
import { Approvals } from '../../../operator/approvals/approvals.js'
import { approvalsScene, approvedOf, missingOf, never } from './approvals-scene.js'
import { configOf, NETWORK, OTHER_CID, oracleAccount, PERIOD, SUBJECT } from './oracle-double.js'

describe('the oracles’ approvals', () => {
  const { clock, now, serve, ofOne, expected } = approvalsScene()

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
