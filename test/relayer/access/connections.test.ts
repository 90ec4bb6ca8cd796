import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Secret } from '../../../core/secret.js'
import type { AccessSettings } from '../../../relayer/access/decision.js'
import type { App } from '../../../relayer/http/fastify.js'
import { listen } from '../../../relayer/http/listen.js'
import { makeCertificate } from '../../doubles/certificates.js'
import { MemoryService } from '../http/memory-service.js'
import { type TestAppOptions, testApp } from '../http/test-app.js'
import {
  type Caller,
  ELSEWHERE,
  expectTable,
  LOCAL,
  makeTokens,
  OPERATOR,
  ROUTES,
  requestOf,
  type Situation,
  type Tokens,
} from './rights.js'

describe('relayer’s rights over real connections', () => {
  let app: App
  let tokens: Tokens
  let folder: string
  before(async () => {
    tokens = await makeTokens()
  })
  after(() => tokens.close())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rights-'))
  })
  afterEach(async () => {
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const open = async (settings: Partial<AccessSettings> = {}, tls?: TestAppOptions['tls']): Promise<void> => {
    const { identify } = tokens
    app = await testApp(new MemoryService(), { operator: OPERATOR, settings, identify, tls })
  }

  const overTls = async (situation: Situation, socketPath?: string): Promise<void> => {
    const { cert, key } = makeCertificate({ name: 'relayer' })
    const tls = { cert, key: new Secret(key), validTo: Date.now() + 1 }
    await open(situation.settings, tls)
    let port = 0
    if (socketPath === undefined) port = Number(new URL(await listen(app, '127.0.0.1', 0)).port)
    else await app.listen({ path: socketPath })
    const agent = new Agent({ ca: cert, servername: 'localhost', keepAlive: true })
    try {
      await expectTable(situation, (route, caller) => {
        const { method, url, body } = requestOf(route)
        return new Promise((resolve, reject) => {
          const sent = request(
            {
              ...(socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }),
              agent,
              method,
              path: url,
              headers: {
                ...situation.headers,
                ...tokens.headersOf(caller),
                ...(body === undefined ? {} : { 'content-type': 'application/json' }),
              },
            },
            (response) => {
              response.resume().on('end', () => {
                resolve(response.statusCode === 302 ? 200 : response.statusCode)
              })
            },
          )
          sent.on('error', reject).end(body)
        })
      })
    } finally {
      agent.destroy()
    }
  }

  it('https of this machine is local', () => overTls({ ...LOCAL, headers: { host: 'localhost' } }))

  it('https under another name is elsewhere, and its tokens are good', () =>
    overTls({ ...ELSEWHERE, settings: { boundToLoopback: false, allowedHosts: ['relayer.example'] } }))

  it('https of a peer without a loopback address is elsewhere, and its tokens are good', () =>
    overTls(
      { ...ELSEWHERE, headers: { host: 'localhost' }, settings: { boundToLoopback: false } },
      join(folder, 'socket'),
    ))

  it('https elsewhere with --open', () =>
    overTls(
      { ...ELSEWHERE, column: 'open', settings: { boundToLoopback: false, open: true } },
      join(folder, 'socket'),
    ))

  /** The status of a request as it stands, byte for byte. */
  const raw = (port: number, route: string, caller: Caller, version: string, headers: string[]) =>
    new Promise<number>((resolve, reject) => {
      const { method, url, body = '' } = requestOf(route)
      const lines = [
        `${method} ${url} HTTP/${version}`,
        ...headers,
        ...Object.entries(tokens.headersOf(caller)).map(([name, value]) => `${name}: ${value}`),
        ...(body === '' ? [] : ['content-type: application/json', `content-length: ${body.length}`]),
        'connection: close',
      ]
      let received = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`))
      socket.on('data', (chunk) => {
        received += String(chunk)
      })
      socket.on('error', reject).on('close', () => {
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1])
        resolve(status === 302 ? 200 : status)
      })
    })
  const some: readonly Caller[] = ['nobody', 'operator', 'wrong']
  const listening = async (settings: Partial<AccessSettings>): Promise<number> => {
    await open(settings)
    return Number(new URL(await listen(app, '127.0.0.1', 0)).port)
  }

  it('HTTP/1.0, as a proxy speaks that adds no header, is elsewhere', async () => {
    const port = await listening({})
    const situation: Situation = { column: 'elsewhere', headers: {} }
    const asking = (route: string, caller: Caller) => raw(port, route, caller, '1.0', ['host: localhost'])
    await expectTable(situation, asking, ROUTES, some)
  })

  it('without Host nothing is served on loopback, and elsewhere as to anyone', async () => {
    const none: Situation = { column: 'elsewhere', headers: {}, foreignHost: true }
    const port = await listening({})
    await expectTable(none, (route, caller) => raw(port, route, caller, '1.0', []), ROUTES, some)
    expect(await raw(port, 'GET /info', 'nobody', '1.1', [])).to.equal(400)
    await app.close()
    const other = await listening({ boundToLoopback: false })
    const elsewhere: Situation = { column: 'elsewhere', headers: {} }
    await expectTable(elsewhere, (route, caller) => raw(other, route, caller, '1.0', []), ROUTES, some)
  })

  it('two Host headers are none, or the first one', async () => {
    const port = await listening({})
    const hosts = ['host: evil.example', 'host: localhost']
    expect(await raw(port, 'POST /validators', 'nobody', '1.1', hosts)).to.not.equal(200)
  })
})
