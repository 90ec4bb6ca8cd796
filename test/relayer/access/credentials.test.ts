import { expect } from 'chai'
import type { App } from '../../../relayer/http/fastify.js'
import { MemoryService } from '../http/memory-service.js'
import { testApp } from '../http/test-app.js'
import { BEHIND_PROXY, IDENTITIES, LOCAL, OPERATOR, requestOf } from './rights.js'

const JSON_BODY = { 'content-type': 'application/json' }
const TOKENS = { operator: IDENTITIES.operator, sidecar: IDENTITIES.sidecar }

describe('who a request is from', () => {
  let app: App
  afterEach(async () => app.close())

  const ask = async (headers: Readonly<Record<string, string>>, route = 'POST /validators') => {
    const { url, body = '' } = requestOf(route)
    return app.inject({ method: 'POST', url, payload: body, headers: { ...JSON_BODY, ...headers } })
  }
  const statusOf = async (headers: Readonly<Record<string, string>>) => (await ask(headers)).statusCode

  it('names that only look like loopback are foreign', async () => {
    app = await testApp(new MemoryService())
    for (const host of [
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil.example:127',
      '127.1',
      '0.0.0.0',
    ]) {
      expect(await statusOf({ host }), host).to.equal(421)
    }
    for (const host of ['LOCALHOST', 'localhost:1', '127.9.8.7:8000', '[::1]']) {
      expect(await statusOf({ host }), host).to.equal(200)
    }
  })

  it('a page of another site cannot post, not even to this machine', async () => {
    app = await testApp(new MemoryService())
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:8001']) {
      expect(await statusOf({ ...LOCAL.headers, origin }), origin).to.equal(403)
    }
    expect(await statusOf({ ...LOCAL.headers, origin: 'http://127.0.0.1:8000' })).to.equal(200)
  })

  it('a token that came over plain HTTP is called burnt, one that a proxy took over https is not', async () => {
    app = await testApp(new MemoryService(), {
      operator: OPERATOR,
      tokens: TOKENS,
    })
    const over = (protocol: string) =>
      ask({ host: 'localhost', authorization: 'Bearer operator', 'x-forwarded-proto': protocol })
    expect((await over('https')).statusCode).to.equal(200)
    const burnt = await over('http')
    expect(burnt.statusCode).to.equal(403)
    expect(burnt.json().detail).to.match(/revoke it/)
  })

  it('a token comes as Bearer or as the password of Basic under any name', async () => {
    app = await testApp(new MemoryService(), {
      operator: OPERATOR,
      tokens: TOKENS,
    })
    const shows = (authorization: string) => statusOf({ ...BEHIND_PROXY.headers, authorization })
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
    for (const good of [
      'Bearer operator',
      'bearer  operator',
      basic('operator:operator'),
      basic(':operator'),
    ]) {
      expect(await shows(good), good).to.equal(200)
    }
    for (const bad of [
      'Bearer',
      'operator',
      'Digest operator',
      basic('operator'),
      basic('operator:'),
      'Basic ?',
    ]) {
      expect(await shows(bad), bad).to.equal(401)
    }
  })

  it('a sidecar’s token posts for its own share index alone, wherever it is', async () => {
    const service = new MemoryService()
    app = await testApp(service, { tokens: TOKENS })
    const { url, body = '' } = requestOf('POST /exit-signature')
    for (const place of [LOCAL, BEHIND_PROXY]) {
      const answer = await app.inject({
        method: 'POST',
        url,
        payload: { ...(JSON.parse(body) as object), share_index: 2 },
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
