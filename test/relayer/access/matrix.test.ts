import { expect } from 'chai'
import type { AccessSettings } from '../../../relayer/access/decision.js'
import type { TokenIdentity } from '../../../relayer/access/tokens.js'
import type { App } from '../../../relayer/http/fastify.js'
import { MemoryService } from '../http/memory-service.js'
import { testApp } from '../http/test-app.js'

const KEY = `0x${'ab'.repeat(48)}`
const VAULT = `0x${'ba'.repeat(20)}`
const SIGNATURE = `0x${'5e'.repeat(65)}` as const
/** Grants everything that it is asked for. */
const OPERATOR = {
  registrations: {
    register: async () => ({ validators: [], managerSignature: undefined, detail: undefined }),
  },
  signatures: {
    fund: async () => SIGNATURE,
    withdraw: async () => SIGNATURE,
    consolidate: async () => SIGNATURE,
  },
  manager: undefined,
}
const TOKENS: Readonly<Record<string, TokenIdentity>> = {
  operator: { name: 'op', role: 'operator', shareIndexes: [] },
  sidecar: { name: 'car', role: 'sidecar', shareIndexes: [1n] },
  viewer: { name: 'eye', role: 'viewer', shareIndexes: [] },
}
const CALLERS = ['nobody', 'operator', 'sidecar', 'viewer', 'wrong'] as const
type Caller = (typeof CALLERS)[number]

const CALLS = {
  'GET /info': { method: 'GET', url: '/info' },
  'GET /health': { method: 'GET', url: '/health' },
  'GET /exits': { method: 'GET', url: '/exits' },
  'GET /docs/': { method: 'GET', url: '/docs/' },
  'GET /openapi.json': { method: 'GET', url: '/openapi.json' },
  'POST /exit-signature': {
    method: 'POST',
    url: '/exit-signature',
    payload: { share_index: 1, shares: [{ public_key: KEY, exit_signature: `0x${'00'.repeat(96)}` }] },
  },
  'POST /validators': { method: 'POST', url: '/validators', payload: { public_keys: [KEY] } },
  'GET /validators': { method: 'GET', url: '/validators' },
  'POST /signatures': {
    method: 'POST',
    url: '/signatures',
    payload: {
      share_index: 1,
      shares: [
        {
          public_key: KEY,
          exit_signature: `0x${'00'.repeat(96)}`,
          deposit_signature: `0x${'00'.repeat(96)}`,
        },
      ],
    },
  },
  'POST /register': {
    method: 'POST',
    url: '/register',
    payload: { vault: VAULT, validators_start_index: 1, amounts: [32_000_000_000], validator_type: '0x01' },
  },
  'POST /fund': { method: 'POST', url: '/fund', payload: { vault: VAULT, public_keys: [KEY], amounts: [1] } },
  'POST /withdraw': {
    method: 'POST',
    url: '/withdraw',
    payload: { vault: VAULT, public_keys: [KEY], amounts: [1] },
  },
  'POST /consolidate': {
    method: 'POST',
    url: '/consolidate',
    payload: { vault: VAULT, source_public_keys: [KEY], target_public_keys: [KEY] },
  },
  'GET /metrics': { method: 'GET', url: '/metrics' },
} as const
type Call = keyof typeof CALLS
const CALL_NAMES = Object.keys(CALLS) as Call[]
const READING = ['GET /exits', 'GET /validators', 'GET /docs/', 'GET /openapi.json'] as const
/** What signs as the validators manager needs an operator's token, wherever it comes from. */
const MANAGING = {
  'POST /register': '401 200 403 403 401',
  'POST /fund': '401 200 403 403 401',
  'POST /withdraw': '401 200 403 403 401',
  'POST /consolidate': '401 200 403 403 401',
} as const

interface Place {
  readonly remoteAddress: string
  readonly headers: Readonly<Record<string, string>>
}
const ELSEWHERE: Place = { remoteAddress: '192.0.2.7', headers: { host: 'relayer.example' } }
const LOCAL: Place = { remoteAddress: '127.0.0.1', headers: { host: '127.0.0.1:8000' } }
const BEHIND_PROXY: Place = { remoteAddress: '127.0.0.1', headers: { host: 'localhost', via: '1.1 proxy' } }
const BOUND_ELSEWHERE = { boundToLoopback: false, allowPlainHttpTokens: true }

/** The statuses of a call for each caller, in the order of CALLERS. */
type Expected = Readonly<Record<Call, string>>
const LOCAL_TABLE: Expected = {
  'GET /info': '200 200 200 200 401',
  'GET /health': '200 200 200 200 401',
  'GET /exits': '200 200 200 200 401',
  'GET /docs/': '200 200 200 200 401',
  'GET /openapi.json': '200 200 200 200 401',
  'POST /exit-signature': '200 200 200 200 401',
  'POST /signatures': '200 200 200 200 401',
  'GET /validators': '200 200 200 200 401',
  'POST /validators': '200 200 200 200 401',
  'GET /metrics': '200 200 200 200 401',
  ...MANAGING,
}
const ELSEWHERE_TABLE: Expected = {
  ...LOCAL_TABLE,
  'POST /validators': '401 200 403 403 401',
  'GET /metrics': '401 200 403 200 401',
}
const OPEN_TABLE: Expected = { ...LOCAL_TABLE, 'GET /metrics': '401 200 403 200 401' }
const withReading = (table: Expected, statuses: string): Expected => ({
  ...table,
  ...Object.fromEntries(READING.map((call) => [call, statuses])),
})

const REFUSED_HOST = Object.fromEntries(CALL_NAMES.map((call) => [call, '421 421 421 421 421'])) as Expected

const SITUATIONS: readonly {
  readonly name: string
  readonly place: Place
  readonly settings?: Partial<AccessSettings>
  readonly expected: Expected
}[] = [
  { name: 'local', place: LOCAL, expected: LOCAL_TABLE },
  {
    name: 'local, over IPv6',
    place: { remoteAddress: '::1', headers: { host: '[::1]:8000' } },
    expected: LOCAL_TABLE,
  },
  {
    name: 'local, at a relayer bound elsewhere',
    place: { ...LOCAL, remoteAddress: '::ffff:127.0.0.1' },
    settings: { boundToLoopback: false },
    expected: LOCAL_TABLE,
  },
  {
    name: 'local, with --open and tokens required',
    place: LOCAL,
    settings: { open: true, requireTokensForReading: true, requireTokensForPosting: true },
    expected: LOCAL_TABLE,
  },
  { name: 'elsewhere', place: ELSEWHERE, settings: BOUND_ELSEWHERE, expected: ELSEWHERE_TABLE },
  {
    name: 'elsewhere that calls itself local',
    place: { ...ELSEWHERE, headers: { host: 'localhost:8000' } },
    settings: BOUND_ELSEWHERE,
    expected: ELSEWHERE_TABLE,
  },
  {
    name: 'elsewhere, tokens required for reading',
    place: ELSEWHERE,
    settings: { ...BOUND_ELSEWHERE, requireTokensForReading: true },
    expected: withReading(ELSEWHERE_TABLE, '401 200 200 200 401'),
  },
  {
    name: 'elsewhere, tokens required for posting',
    place: ELSEWHERE,
    settings: { ...BOUND_ELSEWHERE, requireTokensForPosting: true },
    expected: {
      ...ELSEWHERE_TABLE,
      'POST /exit-signature': '401 403 200 403 401',
      'POST /signatures': '401 403 200 403 401',
    },
  },
  {
    name: 'elsewhere, over plain HTTP without the flag for it',
    place: ELSEWHERE,
    settings: { boundToLoopback: false },
    expected: Object.fromEntries(
      CALL_NAMES.map((call) => [call, `${ELSEWHERE_TABLE[call].split(' ')[0]} 403 403 403 401`]),
    ) as Expected,
  },
  {
    name: 'elsewhere, with --open',
    place: ELSEWHERE,
    settings: { ...BOUND_ELSEWHERE, open: true },
    expected: OPEN_TABLE,
  },
  { name: 'behind a proxy on this machine', place: BEHIND_PROXY, expected: ELSEWHERE_TABLE },
  {
    name: 'behind a proxy on this machine, with --open',
    place: BEHIND_PROXY,
    settings: { open: true },
    expected: OPEN_TABLE,
  },
  {
    name: 'this machine under a foreign Host',
    place: { ...LOCAL, headers: { host: 'evil.example:8000' } },
    expected: REFUSED_HOST,
  },
  {
    name: 'this machine under a foreign Host, with --open',
    place: { ...LOCAL, headers: { host: 'evil.example' } },
    settings: { open: true },
    expected: REFUSED_HOST,
  },
  {
    name: 'this machine under an allowed Host',
    place: { ...LOCAL, headers: { host: 'Relayer.example:8000' } },
    settings: { allowedHosts: ['relayer.example'] },
    expected: ELSEWHERE_TABLE,
  },
  {
    name: 'elsewhere under a Host that is not in the list',
    place: { ...ELSEWHERE, headers: { host: 'evil.example' } },
    settings: { ...BOUND_ELSEWHERE, allowedHosts: ['relayer.example'] },
    expected: REFUSED_HOST,
  },
  {
    name: 'this machine under a foreign Host, at a relayer bound elsewhere',
    place: { ...LOCAL, headers: { host: 'evil.example' } },
    settings: { boundToLoopback: false },
    expected: ELSEWHERE_TABLE,
  },
]

describe('relayer’s rights', () => {
  let app: App
  afterEach(async () => app.close())

  const status = async (call: Call, place: Place, caller: Caller): Promise<number> => {
    const { statusCode } = await app.inject({
      ...CALLS[call],
      remoteAddress: place.remoteAddress,
      headers: { ...place.headers, ...(caller === 'nobody' ? {} : { authorization: `Bearer ${caller}` }) },
    })
    return statusCode
  }

  for (const { name, place, settings, expected } of SITUATIONS) {
    it(`${name}: nobody, operator, sidecar, viewer, wrong token`, async () => {
      app = await testApp(new MemoryService(), {
        operator: OPERATOR,
        settings: settings ?? {},
        tokens: TOKENS,
      })
      const found: Record<string, string> = {}
      for (const call of CALL_NAMES) {
        const statuses: number[] = []
        for (const caller of CALLERS) statuses.push(await status(call, place, caller))
        found[call] = statuses.join(' ')
      }
      expect(found).to.deep.equal(expected)
    })
  }

  it('every header of a proxy takes away what is local', async () => {
    app = await testApp(new MemoryService())
    const headers = [
      'forwarded',
      'x-forwarded-for',
      'X-Forwarded-Host',
      'x-forwarded-proto',
      'x-real-ip',
      'x-forwarded',
    ]
    for (const header of headers) {
      const place = { ...LOCAL, headers: { ...LOCAL.headers, [header]: '127.0.0.1' } }
      expect(await status('POST /validators', place, 'nobody'), header).to.equal(401)
    }
  })

  it('names that only look like loopback are foreign', async () => {
    app = await testApp(new MemoryService())
    for (const host of [
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil.example:127',
      '127.1',
      '0.0.0.0',
    ]) {
      expect(await status('GET /info', { ...LOCAL, headers: { host } }, 'nobody'), host).to.equal(421)
    }
    for (const host of ['LOCALHOST', 'localhost:1', '127.9.8.7:8000', '[::1]']) {
      expect(await status('POST /validators', { ...LOCAL, headers: { host } }, 'nobody'), host).to.equal(200)
    }
  })

  it('a page of another site cannot post, not even to this machine', async () => {
    app = await testApp(new MemoryService())
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:8001']) {
      const place = { ...LOCAL, headers: { ...LOCAL.headers, origin } }
      expect(await status('POST /validators', place, 'nobody'), origin).to.equal(403)
    }
    const own = { ...LOCAL, headers: { ...LOCAL.headers, origin: 'http://127.0.0.1:8000' } }
    expect(await status('POST /validators', own, 'nobody')).to.equal(200)
  })

  it('a token that came over plain HTTP is called burnt, one that a proxy took over https is not', async () => {
    app = await testApp(new MemoryService(), {
      operator: OPERATOR,
      tokens: TOKENS,
    })
    const ask = (protocol: string) =>
      app.inject({
        ...CALLS['POST /validators'],
        headers: { host: 'localhost', authorization: 'Bearer operator', 'x-forwarded-proto': protocol },
      })
    expect((await ask('https')).statusCode).to.equal(200)
    const burnt = await ask('http')
    expect(burnt.statusCode).to.equal(403)
    expect(burnt.json().detail).to.match(/revoke it/)
  })

  it('a token comes as Bearer or as the password of Basic under any name', async () => {
    app = await testApp(new MemoryService(), {
      operator: OPERATOR,
      tokens: TOKENS,
    })
    const ask = async (authorization: string) => {
      const answer = await app.inject({
        ...CALLS['POST /validators'],
        headers: { ...BEHIND_PROXY.headers, authorization },
      })
      return answer.statusCode
    }
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
    for (const good of [
      'Bearer operator',
      'bearer  operator',
      basic('operator:operator'),
      basic(':operator'),
    ]) {
      expect(await ask(good), good).to.equal(200)
    }
    for (const bad of [
      'Bearer',
      'operator',
      'Digest operator',
      basic('operator'),
      basic('operator:'),
      'Basic ?',
    ]) {
      expect(await ask(bad), bad).to.equal(401)
    }
  })

  it('a sidecar’s token posts for its own share index alone, wherever it is', async () => {
    const service = new MemoryService()
    app = await testApp(service, { tokens: TOKENS })
    const { payload, ...call } = CALLS['POST /exit-signature']
    for (const place of [LOCAL, BEHIND_PROXY]) {
      const answer = await app.inject({
        ...call,
        payload: { ...payload, share_index: 2 },
        headers: { ...place.headers, authorization: 'Bearer sidecar' },
      })
      expect(answer.statusCode).to.equal(403)
      expect(answer.json().detail).to.equal('This token posts for share index 1, not for 2')
    }
    expect(service.posts).to.deep.equal([])
  })

  it('no body is read of a request that is refused', async () => {
    app = await testApp(new MemoryService())
    const answer = await app.inject({
      method: 'POST',
      url: '/validators',
      headers: { ...BEHIND_PROXY.headers, 'content-type': 'application/json' },
      payload: 'not JSON',
    })
    expect(answer.statusCode).to.equal(401)
    expect(answer.headers['www-authenticate']).to.match(/^Basic /)
    expect(answer.headers.connection).to.equal('close')
  })
})
