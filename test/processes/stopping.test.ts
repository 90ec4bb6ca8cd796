import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { toHex } from '../../core/hex.js'
import { parseJson, stringifyJson } from '../../core/json.js'
import { exitsAnswer, validatorsAnswer } from '../../core/wire/dialect1.js'
import { type Devnet, startDevnet } from '../devnet/devnet.js'
import { startRelayer } from '../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../devnet/processes.js'
import { until } from '../doubles/poll.js'
import { RawClient } from '../doubles/raw-client.js'
import { silentServer } from '../doubles/silent-server.js'
import { createCluster, garbage, type TestValidator } from '../relayer/clusters.js'

/** Milliseconds. */
const LONGEST_WAIT = 60_000
const GRACEFUL = { code: 0, signal: null }

describe('a relayer that is told to stop', function () {
  this.timeout(90_000)
  let devnet: Devnet
  let folder: string
  const running: DvtExitProcess[] = []
  const closing: (() => unknown)[] = []

  before(async () => {
    devnet = await startDevnet({ oracles: 4, threshold: 3 })
  })

  after(() => devnet.close())

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-stopping-'))
  })

  afterEach(async function () {
    for (const child of running.splice(0)) {
      await child.kill()
      if (this.currentTest?.state === 'failed')
        process.stderr.write(`--- ${child.name}\n${child.output.slice(-3_000)}\n`)
    }
    for (const close of closing.splice(0)) await close()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = async (port: number, env: Readonly<Record<string, string>> = {}) => {
    const relayer = await startRelayer(devnet, folder, port, env)
    running.push(relayer.process)
    const post = async (path: string, body: unknown): Promise<unknown> => {
      const answer = await fetch(relayer.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: stringifyJson(body),
      })
      if (answer.status === 503) return undefined
      expect(answer.status).to.equal(200)
      return parseJson(await answer.text())
    }
    const ask = async (validators: readonly TestValidator[]) => {
      let answer: unknown
      const public_keys = validators.map(({ validator }) => validator.publicKey)
      const isThere = async () => {
        answer = await post('/validators', { public_keys })
        return answer !== undefined
      }
      await until(isThere, 'the relayer knows chain and oracles', LONGEST_WAIT)
      return validatorsAnswer.parse(answer)
    }
    const exits = async () => {
      const answer = await fetch(`${relayer.url}/exits`, { headers: { connection: 'close' } })
      return exitsAnswer.parse(parseJson(await answer.text())).exits
    }
    return { process: relayer.process, post, ask, exits }
  }

  const rawClient = (port: number) => {
    const client = new RawClient(port)
    closing.push(() => client.close())
    return client
  }

  const postOf = (body: string) =>
    `POST /exit-signature HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`

  const shareOf = (validator: TestValidator, node: bigint, i = 0) => ({
    public_key: validator.validator.publicKey,
    exit_signature: toHex(validator.sign(node, devnet.nextIndex + i)),
  })

  it('answers the request whose body is still being sent, leaves recoveries and trials, and loses nothing', async () => {
    const port = await freePort()
    const env = { SIGNATURE_THRESHOLD: '5' }
    const nodes = Array.from({ length: 10 }, (_, i) => BigInt(i + 1))
    const [incomplete, ...others] = Array.from({ length: 30 }, () => createCluster(nodes, 5))
    if (incomplete === undefined) throw new Error('there are none')
    const [complete, disturbed] = [others.slice(0, 20), others.slice(20)]
    const validators = [incomplete, ...complete, ...disturbed]
    const first = await start(port, env)
    await first.ask(validators)
    const idle = new Agent({ keepAlive: true })
    closing.push(() => idle.destroy())
    await new Promise((resolve, reject) => {
      const request = { port, host: '127.0.0.1', path: '/info', agent: idle }
      get(request, (answer) => answer.resume().on('end', resolve)).on('error', reject)
    })
    const body = stringifyJson({ share_index: 2, shares: [shareOf(incomplete, 2n)] })
    const client = rawClient(port)
    await client.send(postOf(body) + body.slice(0, 100))
    await first.post('/exit-signature', { share_index: 1, shares: [shareOf(incomplete, 1n)] })
    for (const node of nodes) {
      const wrong = disturbed.map(({ validator }, i) => ({
        public_key: validator.publicKey,
        exit_signature: toHex(garbage(100 * Number(node) + i)),
      }))
      const right = complete.map((validator, i) => shareOf(validator, node, 1 + i))
      await first.post('/exit-signature', {
        share_index: node,
        shares: node > 5n ? wrong : [...right, ...wrong],
      })
    }
    const stopped = first.process.stop()
    await first.process.waitFor(/stopping/)
    await client.send(body.slice(100))
    await until(() => client.received.endsWith('{}') || client.ended, 'the answer is there', LONGEST_WAIT)
    expect(client.received).to.match(/^HTTP\/1\.1 200 /)
    await stopped
    expect(await first.process.exited).to.deep.equal(GRACEFUL)
    expect(first.process.output).to.not.include('left as it is')

    const second = await start(port, env)
    const listed = (await second.exits()).find((exit) => exit.public_key === incomplete.validator.publicKey)
    expect(listed?.share_indexes_ready).to.deep.equal([1n, 2n])
    const ready = async () => {
      const answer = await second.ask(validators)
      return answer.validators.slice(1, 1 + complete.length).every((one) => one.oracles_exit_signature_shares)
    }
    await until(ready, 'all exits with enough shares are ready', LONGEST_WAIT)
  })

  it('cuts off clients that never finish their requests, and waits for no node that never answers', async () => {
    const port = await freePort()
    const silent = await silentServer()
    closing.push(silent.close)
    const relayer = await start(port, { EXECUTION_ENDPOINT: silent.url })
    const clients = ['GET /info HTTP/1.1\r\nHost: 127.0', `${postOf('x'.repeat(1_000))}{"share_`, '']
    for (const text of clients) await rawClient(port).send(text)
    await relayer.process.stop()
    expect(await relayer.process.exited).to.deep.equal(GRACEFUL)
    expect(relayer.process.output).to.not.include('did not stop')
  })

  it('twice ends at once', async () => {
    const port = await freePort()
    const relayer = await start(port)
    await rawClient(port).send(`${postOf('x'.repeat(1_000))}{"share_`)
    const stops = [relayer.process.stop()]
    await relayer.process.waitFor(/stopping/)
    stops.push(relayer.process.stop())
    expect(await relayer.process.exited).to.deep.equal({ code: 130, signal: null })
    await Promise.all(stops)
  })
})
