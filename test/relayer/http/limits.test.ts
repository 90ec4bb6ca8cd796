import { EventEmitter } from 'node:events'
import { connect, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { readOptions } from '../../../core/options.js'
import { RateLimit } from '../../../relayer/access/rate-limit.js'
import { limitConnections } from '../../../relayer/http/connections.js'
import type { App } from '../../../relayer/http/fastify.js'
import { relayerOptions } from '../../../relayer/options.js'
import { until } from '../../doubles/poll.js'
import { MemoryService } from './memory-service.js'
import { testApp } from './test-app.js'

const hex = (byte: number, length: number) => `0x${byte.toString(16).padStart(2, '0').repeat(length)}`
const DEFAULTS = readOptions(relayerOptions, { flags: {}, env: {} })

describe('relayer’s limits', () => {
  let app: App | undefined
  const sockets: Socket[] = []
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await app?.close()
    app = undefined
  })
  const listening = async (limits: object): Promise<{ app: App; port: number }> => {
    app = await testApp(new MemoryService(), { limits })
    return { app, port: Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port) }
  }
  const open = (port: number): Socket => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    sockets.push(socket)
    return socket
  }

  it('on connections close those beyond them', async () => {
    const { port } = await listening({ connections: 2 })
    const closed = [0, 1, 2].map(() => {
      const state = { is: false }
      open(port)
        .resume()
        .on('close', () => {
          state.is = true
        })
      return state
    })
    await until(() => closed.filter(({ is }) => is).length === 1, 'one connection is closed')
  })

  it('on connections of one address spare others, and this machine, where there may be a proxy', () => {
    const server = Object.assign(new EventEmitter(), { maxConnections: 0 })
    limitConnections(server as unknown as Server, { connections: 10, connectionsPerAddress: 2 })
    const arrive = (remoteAddress: string) => {
      const socket = Object.assign(new EventEmitter(), {
        remoteAddress,
        destroyed: false,
        destroy: () => undefined,
      })
      socket.destroy = () => {
        socket.destroyed = true
        return undefined
      }
      server.emit('connection', socket)
      return socket
    }
    const first = arrive('10.0.0.1')
    expect([arrive('10.0.0.1'), arrive('10.0.0.1')].map(({ destroyed }) => destroyed)).to.deep.equal([
      false,
      true,
    ])
    expect(arrive('10.0.0.2').destroyed).to.equal(false)
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((one) => arrive(one).destroyed)).to.deep.equal([
      ...[false, false, true],
    ])
    expect(Array.from({ length: 5 }, () => arrive('127.0.0.1').destroyed)).to.not.include(true)
    first.emit('close')
    expect(arrive('10.0.0.1').destroyed).to.equal(false)
    expect(server.maxConnections).to.equal(10)
  })

  it('on time cut off who sends slowly and who does not read', async () => {
    const { app: started } = await listening({})
    const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = started.server
    for (const limit of [headersTimeout, requestTimeout, timeout, keepAliveTimeout]) {
      expect(limit).to.be.within(1_000, 120_000)
    }
    expect(headersTimeout).to.be.at.most(requestTimeout)
  })

  it('on bodies under way refuse what one caller announces beyond sixteen of the greatest', async () => {
    const { port } = await listening({ bodyBytes: 10_000 })
    const head = (length: number) =>
      `POST /validators HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
    const answers: string[] = []
    for (let i = 0; i < 17; i++) {
      open(port)
        .on('data', (chunk: Buffer) => answers.push(String(chunk)))
        .write(head(10_000))
    }
    await until(() => answers.length > 0, 'one is refused')
    expect(answers.join()).to.match(/^HTTP\/1\.1 429[\s\S]*TOO_MANY_REQUESTS/)
    for (const socket of sockets) socket.destroy()
    const again = async () => {
      const answer: string[] = []
      open(port)
        .on('data', (chunk: Buffer) => answer.push(String(chunk)))
        .write(`${head(2)}{}`)
      await until(() => answer.length > 0, 'an answer')
      return answer.join()
    }
    await until(async () => (await again()).startsWith('HTTP/1.1 422'), 'bodies are taken again')
  })

  it('count a long body as many requests, and one beyond a burst as a burst', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 10, clock: () => 0 })
    expect([4, 4, 4, 2, 1].map((weight) => limit.take('a', weight))).to.deep.equal([0, 0, 2, 0, 1])
    expect(limit.take('b', 1000)).to.equal(0)
  })

  describe('as they are unless told otherwise', () => {
    const NODES = 16
    const EXITS = 1000
    const keys = Array.from({ length: EXITS }, (_, i) => `0x${i.toString(16).padStart(96, 'a')}`)
    /** What Python sidecars of v1.0 post, again at every poll. */
    const exitShares = keys.map((public_key) => ({ public_key, exit_signature: hex(0x5e, 96) }))
    const publicShares = Array.from({ length: NODES }, (_, i) => ({
      share_index: i + 1,
      public_key_share: hex(i, 48),
    }))
    const bothShares = exitShares.map((share) => ({
      ...share,
      deposit_signature: hex(0x6f, 96),
      public_key_shares: publicShares,
    }))

    for (const [version, path, list, shares, rounds] of [
      ['v1.0', '/exit-signature', '/exits', exitShares, 3],
      ['v2.1', '/signatures', '/validators', bothShares, 2],
    ] as const) {
      it(`let sixteen Python sidecars ${version} behind one address post the shares of 1000 exits every ten seconds`, async () => {
        let now = 0
        const service = new MemoryService()
        app = await testApp(service, {
          settings: { boundToLoopback: false },
          limits: {
            bodyBytes: DEFAULTS.maxBodyBytes,
            keysPerRequest: DEFAULTS.maxKeysPerRequest,
            sharesPerRequest: DEFAULTS.maxSharesPerRequest,
          },
          rateLimit: new RateLimit({
            perSecond: DEFAULTS.maxRequestsPerSecond,
            burst: 4 * DEFAULTS.maxRequestsPerSecond,
            clock: () => now,
          }),
        })
        // Python writes spaces after commas and colons.
        const payload = JSON.stringify({ share_index: 1, shares }, null, 1).replace(/\n\s*/g, ' ')
        const headers = { host: 'relayer.example', 'content-type': 'application/json' }
        const statuses: number[] = []
        for (let second = 0; second < 10 * rounds; second += 2) {
          for (let node = 1; node <= NODES; node++) {
            const request = { remoteAddress: '10.0.0.9', headers }
            const answers = [await app.inject({ ...request, url: list })]
            if (second % 10 === 0) {
              answers.push(await app.inject({ ...request, method: 'POST', url: path, payload }))
            }
            statuses.push(...answers.map(({ statusCode }) => statusCode))
          }
          now += 2000
        }
        expect(statuses).to.have.length(NODES * rounds * 6)
        expect(new Set(statuses)).to.deep.equal(new Set([200]))
        expect(service.posts.length + service.signatures.length).to.equal(NODES * rounds)
      })
    }
  })
})
