import { expect } from 'chai'
import type { AccessSettings } from '../../../relayer/access/decision.js'
import type { App } from '../../../relayer/http/fastify.js'
import { MemoryService } from '../http/memory-service.js'
import { type TestAppOptions, testApp } from '../http/test-app.js'
import {
  BEHIND_PROXY,
  BOUND_ELSEWHERE,
  type Caller,
  ELSEWHERE,
  expectTable,
  LOCAL,
  makeTokens,
  OPERATOR,
  REQUIRED,
  ROUTES,
  requestOf,
  type Situation,
  type Tokens,
} from './rights.js'

const SITUATIONS: Readonly<Record<string, Situation>> = {
  local: LOCAL,
  'local, over IPv6': { ...LOCAL, peer: '::1', headers: { host: '[::1]:8000' } },
  'local, at a relayer bound elsewhere': {
    ...LOCAL,
    peer: '::ffff:127.0.0.1',
    settings: { boundToLoopback: false },
  },
  'local, with --open and tokens required': { ...LOCAL, settings: { open: true, ...REQUIRED } },
  elsewhere: ELSEWHERE,
  'elsewhere that calls itself local': { ...ELSEWHERE, headers: { host: 'localhost:8000' } },
  'elsewhere, tokens required for reading': {
    ...ELSEWHERE,
    settings: { ...BOUND_ELSEWHERE, requireTokensForReading: true },
  },
  'elsewhere, tokens required for posting': {
    ...ELSEWHERE,
    settings: { ...BOUND_ELSEWHERE, requireTokensForPosting: true },
  },
  'elsewhere, over plain HTTP without the flag for it': {
    ...ELSEWHERE,
    settings: { boundToLoopback: false },
    inTheClear: true,
  },
  'elsewhere, with --open': { ...ELSEWHERE, column: 'open', settings: { ...BOUND_ELSEWHERE, open: true } },
  'elsewhere, over plain HTTP, with --open': {
    ...ELSEWHERE,
    column: 'open',
    settings: { boundToLoopback: false, open: true },
    inTheClear: true,
  },
  'behind a proxy on this machine': BEHIND_PROXY,
  'behind a proxy on this machine that is trusted to name callers': {
    ...BEHIND_PROXY,
    headers: { host: 'localhost', 'x-forwarded-for': '127.0.0.1' },
  },
  'behind a proxy on this machine, tokens required': { ...BEHIND_PROXY, settings: REQUIRED },
  'behind a proxy on this machine, with --open': {
    ...BEHIND_PROXY,
    column: 'open',
    settings: { open: true },
  },
  'behind a proxy on this machine that took tokens over plain HTTP': {
    ...BEHIND_PROXY,
    headers: { host: 'localhost', 'x-forwarded-proto': 'http' },
    inTheClear: true,
  },
  'this machine under a foreign Host': {
    ...LOCAL,
    headers: { host: 'evil.example:8000' },
    foreignHost: true,
  },
  'this machine under a foreign Host, with --open': {
    ...LOCAL,
    headers: { host: 'evil.example' },
    settings: { open: true },
    foreignHost: true,
  },
  'this machine under an allowed Host': {
    ...LOCAL,
    column: 'elsewhere',
    headers: { host: 'Relayer.example:8000' },
    settings: { allowedHosts: ['relayer.example'] },
  },
  'elsewhere under a Host that is not in the list': {
    ...ELSEWHERE,
    headers: { host: 'evil.example' },
    settings: { ...BOUND_ELSEWHERE, allowedHosts: ['relayer.example'] },
    foreignHost: true,
  },
  'this machine under a foreign Host, at a relayer bound elsewhere': {
    ...LOCAL,
    column: 'elsewhere',
    headers: { host: 'evil.example' },
    settings: { boundToLoopback: false },
  },
}

/** What a proxy on this machine may add; any of them means that somebody else is asking. */
const PROXY_HEADERS = [
  'forwarded',
  'x-forwarded',
  'x-forwarded-for',
  'X-Forwarded-Host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'via',
]

describe('relayer’s rights', () => {
  let app: App
  let tokens: Tokens

  before(async () => {
    tokens = await makeTokens()
  })
  after(() => tokens.close())
  afterEach(async () => app.close())

  const open = async (settings: Partial<AccessSettings> = {}, more: TestAppOptions = {}): Promise<void> => {
    app = await testApp(new MemoryService(), {
      operator: OPERATOR,
      settings,
      identify: tokens.identify,
      ...more,
    })
  }
  /** Asks past the network, from any address. */
  const ask = async (route: string, caller: Caller, { peer = '127.0.0.1', headers }: Situation) => {
    const { method, url, body } = requestOf(route)
    const { statusCode } = await app.inject({
      method: method as 'GET',
      url,
      ...(body === undefined ? {} : { payload: body }),
      remoteAddress: peer,
      headers: {
        ...headers,
        ...tokens.headersOf(caller),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    })
    return statusCode === 302 ? 200 : statusCode
  }

  it('are held against every route that there is', async () => {
    await open()
    const found = routesOf(app.printRoutes({ commonPrefix: false }))
    expect(found.filter((route) => !route.startsWith('HEAD')).sort()).to.deep.equal([...ROUTES].sort())
    const heads = ROUTES.filter((route) => route.startsWith('GET')).map((route) =>
      route.replace('GET', 'HEAD'),
    )
    expect(found.filter((route) => route.startsWith('HEAD')).sort()).to.deep.equal(heads.sort())
    await expectTable(LOCAL, (route, caller) => ask(route, caller, LOCAL), heads, ['nobody', 'wrong'])
    await app.close()
    await open({ ...BOUND_ELSEWHERE, ...REQUIRED })
    const told = { ...ELSEWHERE, settings: { ...BOUND_ELSEWHERE, ...REQUIRED } }
    await expectTable(told, (route, caller) => ask(route, caller, told), heads)
  })

  for (const [name, situation] of Object.entries(SITUATIONS)) {
    it(`${name}: as the design’s table says, for everyone and everything`, async () => {
      const trustProxy = name.includes('trusted')
      await open(situation.settings, { trustProxy })
      await expectTable(situation, (route, caller) => ask(route, caller, situation))
    })
  }

  for (const header of PROXY_HEADERS) {
    it(`a proxy’s ${header} makes it elsewhere, whatever it says`, async () => {
      await open()
      for (const value of ['127.0.0.1', 'for=127.0.0.1;host=localhost', '']) {
        const situation = { ...BEHIND_PROXY, headers: { host: 'localhost', [header]: value } }
        const routes = value === '' ? ROUTES : ['POST /validators', 'GET /metrics']
        await expectTable(situation, (route, caller) => ask(route, caller, situation), routes, ['nobody'])
      }
    })
  }

  it('tokens that are required for reading or posting are so with --open too', async () => {
    await open({ ...BOUND_ELSEWHERE, ...REQUIRED, open: true })
    const statuses = await Promise.all(
      ['GET /exits', 'POST /exit-signature', 'POST /validators'].map((route) =>
        ask(route, 'nobody', ELSEWHERE),
      ),
    )
    expect(statuses).to.deep.equal([401, 401, 200])
  })
})

/** `GET /exits`, `HEAD /exits`, … from what Fastify prints of its routes. */
function routesOf(tree: string): string[] {
  const parents: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', path = '', methods = ''] = /^(.*?)[├└]── (\S+) \(([^)]+)\)$/.exec(line) ?? []
    if (path === '') return []
    const depth = indent.length / 4
    parents.length = depth
    parents.push(path)
    const whole = parents.join('')
    return methods.split(', ').map((method) => `${method} ${whole}`)
  })
}
