import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import type { App } from '../../../relayer/http/fastify.js'
import { MemoryService } from './memory-service.js'
import { testApp } from './test-app.js'

const KEY = `0x${'ab'.repeat(48)}`
const HEAD = 'POST /validators HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

describe('relayer on a real socket', () => {
  let app: App
  let port: number
  const service = new MemoryService()
  const sockets: Socket[] = []

  before(async () => {
    app = await testApp(service, { limits: { bodyBytes: 10_000 } })
    port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await app.close()
  })

  /** Writes bytes and reads until the server closes, or `enough` of the answer has come. */
  const exchange = (parts: readonly (string | Buffer)[], enough?: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      let answer = ''
      const finish = () => {
        socket.destroy()
        resolve(answer)
      }
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        answer += chunk
        if (enough?.test(answer)) finish()
      })
      socket.on('close', finish).on('error', () => undefined)
      for (const part of parts) socket.write(part)
    })
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  const withBody = (body: string, connection = 'close') =>
    `${HEAD}Connection: ${connection}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

  it('answers a request', async () => {
    const answer = await exchange([withBody(JSON.stringify({ public_keys: [KEY] }))])
    expect(statusOf(answer)).to.equal(200)
    expect(answer).to.contain(`"public_key":"${KEY}"`)
  })

  for (const [name, bytes, status] of [
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['binary noise', Buffer.from('16030100a5010000a10303', 'hex'), 400],
    ['a head without end', `GET /info HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}`, 431],
    ['an empty Host', 'GET /info HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 421],
    ['HTTP/1.0 without Host', 'GET /info HTTP/1.0\r\n\r\n', 421],
    ['two lengths', `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400],
    ['a length and chunks', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a chunk that is none', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    [
      'QUERY, which nothing here takes, without a type',
      'QUERY /info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      405,
    ],
    ['an unknown method', 'BREW /info HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
  ] as const) {
    it(`answers ${status} to ${name}`, async () => {
      const answer = await exchange([bytes])
      expect(statusOf(answer)).to.equal(status)
      expect(answer).to.contain('{"detail":')
    })
  }

  it('answers 400 to a request without Host, and 417 to one that expects anything but 100', async () => {
    const hostless = await exchange(['GET /info HTTP/1.1\r\nConnection: close\r\n\r\n'])
    expect(statusOf(hostless)).to.equal(400)
    const expecting = await exchange(['GET /info HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n'])
    expect(statusOf(expecting)).to.equal(417)
    for (const answer of [hostless, expecting]) expect(answer).to.contain('{"detail":')
  })

  it('HTTP/1.0, as a proxy without headers speaks it, is not local', async () => {
    const answer = await exchange([
      'POST /validators HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n',
    ])
    expect(statusOf(answer)).to.equal(401)
  })

  it('stops reading a body beyond the limit, announced or not', async () => {
    const announced = `${HEAD}Content-Length: 100000000\r\n\r\n`
    expect(statusOf(await exchange([announced], /\r\n\r\n.*}/s))).to.equal(413)
    const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`
    const chunked = [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, chunk, chunk, chunk, chunk]
    expect(statusOf(await exchange(chunked, /\r\n\r\n.*}/s))).to.equal(413)
  })

  it('goes on after all of that', async () => {
    const two = withBody('{}', 'keep-alive') + withBody(JSON.stringify({ public_keys: [KEY] }))
    const answer = await exchange([two])
    expect(answer.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 422', 'HTTP/1.1 200'])
  })
})
