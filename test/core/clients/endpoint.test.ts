import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import {
  type EndpointLimits,
  excerpt,
  HttpEndpoint,
  jitter,
  tryInTurn,
} from '../../../core/clients/endpoint.js'
import { DvtExitError, UnavailableError } from '../../../core/errors.js'

const KEY = 'k3y-in-the-url'
const PASSWORD = 'p4ss word%'

async function failureOf(attempt: Promise<unknown>): Promise<UnavailableError> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof UnavailableError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Everything of an error that a log could show. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const causes = error instanceof AggregateError ? error.errors : []
  return [error.stack, error.message, JSON.stringify(error), error.cause, ...causes]
    .map((part) => (part instanceof Error ? everythingIn(part) : String(part)))
    .join('\n')
}

describe('an HTTP endpoint', () => {
  const servers: Server[] = []
  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const endpoint = (url: string, limits: Partial<EndpointLimits> = {}) =>
    new HttpEndpoint(url, { timeout: 5000, ...limits })
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('sends method, path, body and headers, and returns any answer below 500 but 429', async () => {
    const seen: unknown[] = []
    const url = await serve(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { method, url, headers } = request
      seen.push([method, url, headers['content-type'], headers['x-own'], Buffer.concat(chunks).toString()])
      response.writeHead(method === 'GET' ? 404 : 201, { ETag: '"1"' }).end('{"ok":1}')
    })
    const got = await endpoint(url).request({ method: 'GET', path: '/exits?a=b', headers: { 'X-Own': 'v' } })
    const body = '{"index":18446744073709551615}'
    const posted = await endpoint(`${url}/`).request({ method: 'POST', path: '', body })
    expect([got.status, posted.status]).to.deep.equal([404, 201])
    expect(got.body.toString()).to.equal('{"ok":1}')
    expect(got.headers['etag']).to.equal('"1"')
    expect(seen).to.deep.equal([
      ['GET', '/exits?a=b', undefined, 'v', ''],
      ['POST', '/', 'application/json', undefined, body],
    ])
  })

  it('keeps its own path in front and its own query behind what is added', async () => {
    const seen: (string | undefined)[] = []
    const url = await serve((request, response) => {
      seen.push(request.url)
      response.end()
    })
    for (const [base, path] of [
      ['', ''],
      ['/v3/key', ''],
      ['/v3/key/', ''],
      ['/v3/key/', '/eth/v1/x'],
      ['/?apikey=k', '/eth/v1/x?id=1'],
      ['/v3?apikey=k', ''],
      ['?apikey=k', '/eth'],
    ] as const) {
      await endpoint(url + base).request({ method: 'GET', path })
    }
    expect(seen).to.deep.equal([
      '/',
      '/v3/key',
      '/v3/key',
      '/v3/key/eth/v1/x',
      '/eth/v1/x?apikey=k&id=1',
      '/v3?apikey=k',
      '/eth?apikey=k',
    ])
  })

  it('sends the credentials of its URL as Basic authorization, and never shows them', async () => {
    let authorization: string | undefined
    const url = await serve((request, response) => {
      authorization = request.headers.authorization
      response.writeHead(500).end('out of order')
    })
    const withCredentials = url.replace('http://', `http://operator:${encodeURIComponent(PASSWORD)}@`)
    const shown = endpoint(`${withCredentials}/${KEY}?token=${KEY}`)
    const failed = await failureOf(shown.request({ method: 'GET', path: '/exits?secret=1' }))
    expect(authorization).to.equal(`Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}`)
    expect(failed.code).to.equal('ENDPOINT_FAILED')
    expect(failed.message).to.equal(`${url} GET /exits: HTTP 500 out of order`)
    expect(shown.shown).to.equal(url)

    await new Promise((resolve) => servers[0]?.close(resolve))
    const unreachable = await failureOf(shown.request({ method: 'GET', path: '' }))
    expect(unreachable.code).to.equal('ENDPOINT_UNREACHABLE')
    expect(unreachable.message)
      .to.include(url)
      .and.match(/ECONN(REFUSED|RESET)/)
    for (const error of [failed, unreachable]) {
      expect(everythingIn(error)).not.to.include(KEY)
      expect(everythingIn(error)).not.to.include('p4ss')
      expect(everythingIn(error)).not.to.include('operator')
      expect(everythingIn(error)).not.to.include('secret=1')
    }
  })

  it('takes a percent sign in a password for itself where it escapes nothing', async () => {
    let authorization: string | undefined
    const url = await serve((request, response) => {
      authorization = request.headers.authorization
      response.end()
    })
    await endpoint(url.replace('http://', 'http://me:100%@')).request({ method: 'GET', path: '' })
    expect(authorization).to.equal(`Basic ${Buffer.from('me:100%').toString('base64')}`)
  })

  for (const status of [429, 500, 502, 503]) {
    it(`takes ${status} for a failure that may pass, with the start of the answer in one line`, async () => {
      const url = await serve((_, response) => {
        response.writeHead(status).end(`one\ntwo\u001b[2J ${'x'.repeat(5000)}`)
      })
      const error = await failureOf(endpoint(url).request({ method: 'POST', path: '/a', body: '{}' }))
      expect(error.code).to.equal('ENDPOINT_FAILED')
      expect(error.message).to.include(`POST /a: HTTP ${status} one two [2J xxx`)
      expect(error.message).not.to.match(/\p{Cc}/u)
      expect(error.message.length).to.be.lessThan(400)
    })
  }

  it('follows no redirect, which could lead its credentials elsewhere', async () => {
    let reached = 0
    const elsewhere = await serve((_, response) => {
      reached++
      response.end()
    })
    const url = await serve((_, response) => {
      response.writeHead(302, { Location: elsewhere }).end()
    })
    expect((await endpoint(url).request({ method: 'GET', path: '' })).status).to.equal(302)
    expect(reached).to.equal(0)
  })

  it('gives up on an answer that is too large, also one that is small until it is unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(1_000_000))
    const url = await serve((request, response) => {
      if (request.url === '/gzip') response.setHeader('Content-Encoding', 'gzip')
      response.end(request.url === '/gzip' ? packed : Buffer.alloc(20_000))
    })
    expect(packed.length).to.be.lessThan(10_000)
    const limited = endpoint(url, { maxResponseBytes: 10_000 })
    for (const path of ['/plain', '/gzip']) {
      const error = await failureOf(limited.request({ method: 'GET', path }))
      expect(error.code).to.equal('ENDPOINT_UNREACHABLE')
      expect(error.message).to.include('10000')
    }
    const generous = endpoint(url, { maxResponseBytes: 2_000_000 })
    expect((await generous.request({ method: 'GET', path: '/gzip' })).body.length).to.equal(1_000_000)
  })

  it('gives up when no answer comes in time, or only a trickle', async () => {
    const url = await serve((request, response) => {
      if (request.url !== '/trickle') return
      response.write('a')
      const timer = setInterval(() => response.write('a'), 20)
      response.on('close', () => clearInterval(timer))
    })
    for (const path of ['/never', '/trickle']) {
      const error = await failureOf(endpoint(url).request({ method: 'GET', path, timeout: 150 }))
      expect(error.code).to.equal('ENDPOINT_UNREACHABLE')
      expect(error.message).to.include('no answer in time')
    }
  })

  it('shows the start of a body as one line', () => {
    const shown = (text: string) => excerpt({ body: Buffer.from(text), quotable: (quoted) => quoted })
    expect(shown(' a\r\n\tb\u0000c ')).to.equal('a b c')
    expect(shown('')).to.equal('')
    expect(shown('x'.repeat(1_000))).to.have.length(200)
  })
})

describe('several endpoints, tried in turn', () => {
  const pauses: number[] = []
  const retry = (rounds: number, random = 0.5) => ({
    rounds,
    delay: 100,
    sleep: async (milliseconds: number) => {
      pauses.push(milliseconds)
    },
    random: () => random,
  })
  beforeEach(() => {
    pauses.length = 0
  })

  it('are left at the first that serves', async () => {
    const asked: string[] = []
    const answer = await tryInTurn('head', ['a', 'b', 'c'], async (name) => {
      asked.push(name)
      if (name === 'a') throw new UnavailableError('ENDPOINT_FAILED', 'a is away')
      return `from ${name}`
    })
    expect(answer).to.equal('from b')
    expect(asked).to.deep.equal(['a', 'b'])
  })

  it('are tried for several rounds, with pauses that double and vary', async () => {
    let calls = 0
    const answer = await tryInTurn(
      'head',
      ['a', 'b'],
      async () => {
        if (++calls < 6) throw new UnavailableError('ENDPOINT_FAILED', 'away')
        return calls
      },
      retry(4),
    )
    expect(answer).to.equal(6)
    expect(pauses).to.deep.equal([100, 200])
    expect([0, 0.5, 1].map((random) => jitter(100, () => random))).to.deep.equal([50, 100, 150])
    for (let i = 0; i < 100; i++) expect(jitter(100)).to.be.within(50, 150)
  })

  it('that all fail give one error with the cause of each, in their order', async () => {
    const attempt = tryInTurn(
      'finalized block',
      ['a', 'b'],
      async (name) => {
        throw new UnavailableError('ENDPOINT_FAILED', `${name} is away`)
      },
      retry(3),
    )
    const error = await failureOf(attempt)
    expect(error.code).to.equal('ALL_ENDPOINTS_FAILED')
    expect(error.message).to.equal('finalized block: a is away; b is away')
    expect(error.cause).to.be.instanceOf(AggregateError)
    const { errors } = error.cause as AggregateError
    expect(errors.map((one: UnavailableError) => [one.code, one.message])).to.deep.equal([
      ['ENDPOINT_FAILED', 'a is away'],
      ['ENDPOINT_FAILED', 'b is away'],
    ])
    expect(pauses.length).to.equal(2)
  })

  it('are not asked again about what is wrong in itself', async () => {
    let calls = 0
    const refused = new DvtExitError('RPC_ERROR', 'range too large')
    const attempt = tryInTurn('logs', ['a', 'b'], async () => {
      calls++
      throw refused
    })
    await attempt.then(
      () => expect.fail('nothing was thrown'),
      (error: unknown) => expect(error).to.equal(refused),
    )
    expect(calls).to.equal(1)
  })

  it('fail over from a dead one to a living one over HTTP', async () => {
    const server = createServer((_, response) => response.end('alive'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const urls = [closed, server].map((one) => `http://127.0.0.1:${(one.address() as AddressInfo).port}`)
    await new Promise((resolve) => closed.close(resolve))
    try {
      const endpoints = urls.map((url) => new HttpEndpoint(url, { timeout: 5000 }))
      const { body } = await tryInTurn('head', endpoints, (one) => one.request({ method: 'GET', path: '' }))
      expect(body.toString()).to.equal('alive')
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
