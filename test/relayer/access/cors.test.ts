import { expect } from 'chai'
import type { InjectOptions } from 'fastify'
import { readOptions } from '../../../core/options.js'
import type { AccessSettings } from '../../../relayer/access/decision.js'
import type { App } from '../../../relayer/http/fastify.js'
import { relayerOptions } from '../../../relayer/options.js'
import { MemoryService } from '../http/memory-service.js'
import { testApp } from '../http/test-app.js'

const PAGE = 'https://console.example'
const STRANGER = 'https://evil.example'
const LOCAL = { host: '127.0.0.1:8000' }
const KEY = `0x${'ab'.repeat(48)}`
const ASK = { method: 'POST', url: '/validators', payload: { public_keys: [KEY] } } as const
const TOKENS = { operator: { name: 'op', role: 'operator', shareIndexes: [] } } as const
const CORS = /^access-control-/

describe('pages of other sites', () => {
  let app: App | undefined
  afterEach(async () => {
    await app?.close()
    app = undefined
  })
  const open = async (settings: Partial<AccessSettings>) => {
    app = await testApp(new MemoryService(), { settings, tokens: TOKENS })
  }
  const inject = (request: InjectOptions) => (app as App).inject(request)
  const corsHeaders = (headers: object) => Object.keys(headers).filter((name) => CORS.test(name))
  const preflight = (origin: string, url = '/validators', headers: Record<string, string> = LOCAL) =>
    inject({
      method: 'OPTIONS',
      url,
      headers: {
        ...headers,
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })

  describe('where none is named', () => {
    beforeEach(() => open({ corsOrigins: [] }))

    it('are told nothing, asked before or not', async () => {
      const asked = await preflight(PAGE)
      expect(asked.statusCode).to.be.oneOf([404, 405])
      expect(corsHeaders(asked.headers)).to.deep.equal([])
      const answer = await inject({ url: '/exits', headers: { ...LOCAL, origin: PAGE } })
      expect(answer.statusCode).to.equal(200)
      expect(corsHeaders(answer.headers)).to.deep.equal([])
      expect(answer.headers).to.not.have.property('vary')
    })

    it('cannot post, with or without a token', async () => {
      for (const token of [{}, { authorization: 'Bearer operator' }]) {
        const answer = await inject({ ...ASK, headers: { ...LOCAL, ...token, origin: PAGE } })
        expect(answer.statusCode).to.equal(403)
        expect(answer.headers['x-error-code']).to.equal('FOREIGN_PAGE')
      }
    })
  })

  describe('where one is named', () => {
    beforeEach(() => open({ corsOrigins: [PAGE, 'http://localhost:3000'] }))

    it('that one may ask first, for any path, from anywhere that is served', async () => {
      for (const url of ['/validators', '/exits', '/nowhere']) {
        const { statusCode, headers, body } = await preflight(PAGE, url)
        expect(statusCode).to.equal(204)
        expect(body).to.equal('')
        expect(headers).to.include({
          'access-control-allow-origin': PAGE,
          'access-control-allow-methods': 'GET, POST',
          'access-control-allow-headers': 'authorization, content-type, if-none-match, prefer',
          vary: 'Origin',
        })
        expect(headers).to.not.have.property('access-control-allow-credentials')
      }
      expect((await preflight(PAGE, '/exits', { host: 'evil.example' })).statusCode).to.equal(421)
    })

    it('that one may ask first where reading and posting need tokens, which no browser sends then', async () => {
      await app?.close()
      await open({
        corsOrigins: [PAGE],
        requireTokensForReading: true,
        requireTokensForPosting: true,
        boundToLoopback: false,
      })
      expect((await preflight(PAGE, '/exits', { host: 'relayer.example' })).statusCode).to.equal(204)
      expect((await preflight(STRANGER, '/exits', { host: 'relayer.example' })).statusCode).to.not.equal(204)
    })

    it('that one reads the answers, refusals too', async () => {
      const list = await inject({ url: '/exits', headers: { ...LOCAL, origin: PAGE } })
      const refused = await inject({ url: '/metrics', headers: { ...LOCAL, origin: PAGE } })
      expect([list.statusCode, refused.statusCode]).to.deep.equal([200, 401])
      for (const { headers } of [list, refused]) {
        expect(headers).to.include({ 'access-control-allow-origin': PAGE, vary: 'Origin' })
        expect(headers['access-control-expose-headers']).to.match(/x-error-code/)
        expect(headers).to.not.have.property('access-control-allow-credentials')
      }
    })

    it('that one acts with a token, and is never taken for this machine', async () => {
      const post = (token: object) => inject({ ...ASK, headers: { ...LOCAL, ...token, origin: PAGE } })
      expect((await post({ authorization: 'Bearer operator' })).statusCode).to.equal(200)
      expect((await post({})).statusCode).to.equal(401)
      expect((await inject({ ...ASK, headers: LOCAL })).statusCode).to.equal(200)
    })

    it('no other one gets in, however alike', async () => {
      const others = [
        STRANGER,
        'null',
        'http://console.example',
        'https://console.example:8443',
        'https://console.example.evil.example',
        'https://a.console.example',
        'https://console.example/',
        'HTTPS://CONSOLE.EXAMPLE',
        'http://localhost',
        '*',
      ]
      for (const origin of others) {
        const asked = await preflight(origin)
        expect(asked.statusCode, origin).to.be.oneOf([404, 405])
        const read = await inject({ url: '/exits', headers: { ...LOCAL, origin } })
        for (const { headers } of [asked, read]) {
          expect(corsHeaders(headers), origin).to.deep.equal([])
          expect(headers.vary, origin).to.equal('Origin')
        }
        const headers = { ...LOCAL, origin, authorization: 'Bearer operator' }
        expect((await inject({ ...ASK, headers })).statusCode, origin).to.equal(403)
      }
    })

    it('answers that no page asked for vary with it all the same, for caches in between', async () => {
      const { headers } = await inject({ url: '/exits', headers: LOCAL })
      expect(headers.vary).to.equal('Origin')
      expect(corsHeaders(headers)).to.deep.equal([])
    })

    it('the relayer’s own page needs no naming', async () => {
      const headers = { ...LOCAL, origin: `http://${LOCAL.host}` }
      expect((await inject({ ...ASK, headers })).statusCode).to.equal(200)
    })
  })

  it('are named by exact origins', () => {
    const read = (text: string) =>
      readOptions(
        { corsOrigins: relayerOptions.corsOrigins },
        { flags: {}, env: { RELAYER_CORS_ORIGINS: text } },
      ).corsOrigins
    expect(read('https://console.example, http://localhost:3000,https://Console.example:8443')).to.deep.equal(
      ['https://console.example', 'http://localhost:3000', 'https://console.example:8443'],
    )
    for (const wrong of [
      '*',
      'null',
      'console.example',
      'https://*.console.example',
      'https://console.example/',
      'https://console.example/path',
      'https://user@console.example',
      'https://console.example:443',
      'ftp://console.example',
      'https://',
    ]) {
      expect(() => read(wrong), wrong).to.throw(/expected exact origins/)
    }
  })
})
