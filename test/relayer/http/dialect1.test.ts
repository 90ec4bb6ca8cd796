import { expect } from 'chai'
import { DvtExitError, UnavailableError } from '../../../core/errors.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { RateLimit } from '../../../relayer/access/rate-limit.js'
import { RequestedKeyError } from '../../../relayer/exits/errors.js'
import type { App } from '../../../relayer/http/fastify.js'
import { MemoryService } from './memory-service.js'
import { type TestAppOptions, testApp } from './test-app.js'

const KEY: PublicKeyHex = `0x${'ab'.repeat(48)}`
const OTHER: PublicKeyHex = `0x${'cd'.repeat(48)}`
const SIGNATURE = `0x${'5e'.repeat(96)}`

describe('relayer, dialect 1 over HTTP', () => {
  let app: App | undefined
  const start = async (service: MemoryService, options?: TestAppOptions): Promise<App> => {
    app = await testApp(service, options)
    return app
  }
  const post = (started: App, url: string, body: unknown) =>
    started.inject({
      method: 'POST',
      url,
      headers: { host: 'localhost', 'content-type': 'application/json' },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const get = (started: App, url: string, headers: Record<string, string> = {}) =>
    started.inject({ method: 'GET', url, headers: { host: 'localhost', ...headers } })

  afterEach(async () => {
    await app?.close()
    app = undefined
  })

  describe('GET /exits', () => {
    it('writes keys in lowercase, times in UTC and share indexes beyond 2^53 as integers', async () => {
      const service = new MemoryService()
      service.list({ publicKey: KEY, createdAt: 1_795_169_700, shareIndexesReady: [1n, 2n ** 64n - 1n] })
      const answer = await get(await start(service), '/exits')
      expect(answer.statusCode).to.equal(200)
      expect(answer.headers['content-type']).to.match(/^application\/json/)
      expect(answer.body).to.equal(
        `{"exits":[{"public_key":"${KEY}","validator_index":1000,"is_exit_signature_ready":false,` +
          '"created_at_timestamp":1795169700,"created_at_string":"2026-11-20 10:15:00+0000",' +
          '"share_indexes_ready":[1,18446744073709551615]}]}',
      )
    })

    it('reads the list once for each change, whoever asks', async () => {
      const service = new MemoryService()
      const started = await start(service)
      await Promise.all(Array.from({ length: 5 }, () => get(started, '/exits')))
      expect(service.listCalls).to.equal(1)
      service.list({ publicKey: KEY })
      expect((await get(started, '/exits')).json().exits).to.have.length(1)
      expect(service.listCalls).to.equal(2)
    })

    it('answers 304 to the ETag it gave until the list changes', async () => {
      const service = new MemoryService()
      const started = await start(service)
      const first = await get(started, '/exits')
      const etag = String(first.headers.etag)
      expect(etag).to.match(/^"[\w-]+"$/)
      const again = await get(started, '/exits', { 'if-none-match': `"other", ${etag}` })
      expect(again.statusCode).to.equal(304)
      expect(again.body).to.equal('')
      expect(again.headers.etag).to.equal(etag)
      service.list({ publicKey: KEY })
      const changed = await get(started, '/exits', { 'if-none-match': etag })
      expect(changed.statusCode).to.equal(200)
      expect(changed.headers.etag).not.to.equal(etag)
    })

    it('serves the list again after it could not be read once', async () => {
      const service = new MemoryService()
      const started = await start(service)
      const listExits = service.listExits.bind(service)
      service.listExits = async () => {
        throw new Error('disk I/O error')
      }
      expect((await get(started, '/exits')).statusCode).to.equal(500)
      service.listExits = listExits
      expect((await get(started, '/exits')).body).to.equal('{"exits":[]}')
    })
  })

  describe('POST /validators', () => {
    it('echoes each key as it was asked, in the order asked, with null until it is ready', async () => {
      const service = new MemoryService()
      const asked = [OTHER.toUpperCase().replace('0X', '0x'), KEY.slice(2)]
      const answer = await post(await start(service), '/validators', { public_keys: asked, vault: '0x1' })
      expect(answer.json()).to.deep.equal({
        ready: false,
        validators: asked.map((key) => ({ public_key: key, oracles_exit_signature_shares: null })),
      })
      expect(service.requests).to.deep.equal([[OTHER, KEY]])
    })

    it('tells an operator of another relayer type so', async () => {
      const service = new MemoryService()
      const body = {
        vault: `0x${'ba'.repeat(20)}`,
        validators_start_index: 1000,
        validators_batch_size: 1,
        validators_total: 1,
      }
      const answer = await post(await start(service), '/validators', body)
      expect(answer.statusCode).to.equal(422)
      expect(answer.json().detail).to.have.length(1)
      expect(answer.json().detail[0]).to.include({ type: 'missing' })
      expect(answer.json().detail[0].msg).to.match(/--relayer-type DEFAULT is not supported/)
      expect(service.requests).to.deep.equal([])
    })

    it('gives the oracles’ shares when every exit has its signature', async () => {
      const service = new MemoryService()
      service.oracleShares = { publicKeys: [KEY], encryptedExitSignatures: [`0x${'04'.repeat(193)}`] }
      const answer = await post(await start(service), '/validators', { public_keys: [KEY] })
      expect(answer.json()).to.deep.equal({
        ready: true,
        validators: [
          {
            public_key: KEY,
            oracles_exit_signature_shares: {
              public_keys: [KEY],
              encrypted_exit_signatures: [`0x${'04'.repeat(193)}`],
            },
          },
        ],
      })
    })

    it('names the key that is a validator already', async () => {
      const service = new MemoryService()
      service.failure = new DvtExitError('KNOWN_VALIDATOR', `${KEY} is a validator already`)
      const answer = await post(await start(service), '/validators', { public_keys: [KEY] })
      expect(answer.statusCode).to.equal(409)
      expect(answer.json()).to.deep.equal({ detail: `${KEY} is a validator already` })
    })

    for (const code of ['INVALID_PUBLIC_KEY', 'DUPLICATE_PUBLIC_KEY'] as const) {
      it(`answers 422 at the key’s place to ${code}`, async () => {
        const service = new MemoryService()
        service.failure = new RequestedKeyError(code, OTHER, 1, 'is wrong', 'Leave it out')
        const answer = await post(await start(service), '/validators', { public_keys: [KEY, OTHER] })
        expect(answer.statusCode).to.equal(422)
        expect(answer.json().detail[0]).to.deep.include({
          type: 'value_error',
          loc: ['body', 'public_keys', 1],
        })
        expect(answer.json().detail[0].msg).to.contain(OTHER)
      })
    }

    it('answers 503 naming what is unavailable, without any endpoint’s address', async () => {
      const service = new MemoryService()
      service.failure = new UnavailableError(
        'ALL_ENDPOINTS_FAILED',
        'eth_getLogs: http://10.0.0.7:8545 POST /: ECONNREFUSED; https://node.example/v3 POST: HTTP 500',
      )
      const lines: Record<string, unknown>[] = []
      const started = await start(service, { log: (line) => lines.push(line) })
      const answer = await post(started, '/validators', { public_keys: [KEY] })
      expect(answer.statusCode).to.equal(503)
      expect(Number(answer.headers['retry-after'])).to.be.greaterThan(0)
      expect(answer.json()).to.deep.equal({ detail: 'Unavailable now: eth_getLogs' })
      expect(JSON.stringify(lines)).to.contain('10.0.0.7:8545')
      await post(started, '/validators', { public_keys: [KEY] })
      service.failure = undefined
      await post(started, '/validators', { public_keys: [KEY] })
      expect(lines.filter(({ level }) => Number(level) >= 30).map(({ level }) => level)).to.deep.equal([
        40, 30,
      ])
    })

    it('answers 503 while the oracles are not known', async () => {
      const service = new MemoryService()
      service.failure = new DvtExitError('ORACLES_UNKNOWN', 'the oracles’ config is not known yet')
      const answer = await post(await start(service), '/validators', { public_keys: [KEY] })
      expect(answer.statusCode).to.equal(503)
      expect(answer.headers).to.have.property('retry-after')
    })

    it('answers 429 when there are too many exits', async () => {
      const service = new MemoryService()
      service.failure = new DvtExitError('TOO_MANY_EXITS', '10000 exits are kept already')
      const answer = await post(await start(service), '/validators', { public_keys: [KEY] })
      expect(answer.statusCode).to.equal(429)
      expect(answer.headers).to.have.property('retry-after')
    })
  })

  describe('POST /exit-signature', () => {
    const body = (shareIndex: string) =>
      `{"share_index": ${shareIndex}, "shares": [{"public_key": "${KEY}", "exit_signature": "${SIGNATURE}"}]}`

    it('takes share indexes to 2^64 - 1 without rounding', async () => {
      const service = new MemoryService()
      const started = await start(service)
      for (const index of ['1', '9007199254740993', '18446744073709551615']) {
        const answer = await post(started, '/exit-signature', body(index))
        expect(answer.body).to.equal('{}')
      }
      expect(service.posts.map(({ shareIndex }) => shareIndex)).to.deep.equal([
        1n,
        9007199254740993n,
        2n ** 64n - 1n,
      ])
      expect(service.posts[0]?.shares[0]?.signature).to.deep.equal(new Uint8Array(96).fill(0x5e))
    })

    for (const index of ['0', '-1', '1.5', '2.0', '1e0', '"1"', 'true', 'null', '18446744073709551616']) {
      it(`refuses the share index ${index} and takes nothing`, async () => {
        const service = new MemoryService()
        const answer = await post(await start(service), '/exit-signature', body(index))
        expect(answer.statusCode).to.equal(422)
        expect(answer.json().detail[0].loc).to.deep.equal(['body', 'share_index'])
        expect(service.posts).to.deep.equal([])
      })
    }

    it('names rejected shares with a reason, counts them, and logs each once', async () => {
      const service = new MemoryService()
      service.rejected = [{ publicKey: KEY, reason: 'wrong-signature' }]
      const lines: Record<string, unknown>[] = []
      const started = await start(service, { log: (line) => lines.push(line) })
      await post(started, '/exit-signature', body('7'))
      const answer = await post(started, '/exit-signature', body('7'))
      expect(answer.statusCode).to.equal(200)
      expect(answer.json()).to.deep.equal({ rejected: [{ public_key: KEY, reason: 'wrong-signature' }] })
      const logged = lines.filter(({ msg }) => msg === 'share rejected')
      expect(logged).to.have.length(1)
      expect(logged[0]).to.include({ shareIndex: '7', publicKey: KEY, caller: '127.0.0.1' })
      expect((await get(started, '/metrics')).body).to.contain(
        'dvt_exit_relayer_rejected_shares_total{reason="wrong-signature"} 2',
      )
    })

    it('takes nothing of a batch with one share of a wrong shape, and repeats no signature', async () => {
      const service = new MemoryService()
      const lines: unknown[] = []
      const started = await start(service, { log: (line) => lines.push(line) })
      const shares = [
        { public_key: KEY, exit_signature: SIGNATURE },
        { public_key: OTHER, exit_signature: `${SIGNATURE}00` },
      ]
      const answer = await post(started, '/exit-signature', { share_index: 1, shares })
      expect(answer.statusCode).to.equal(422)
      expect(answer.json().detail[0].loc).to.deep.equal(['body', 'shares', 1, 'exit_signature'])
      expect(service.posts).to.deep.equal([])
      expect(answer.body + JSON.stringify(lines)).not.to.contain('5e5e')
    })

    it('repeats nothing of a body that is not JSON', async () => {
      const answer = await post(await start(new MemoryService()), '/exit-signature', `{"a": ${SIGNATURE}}`)
      expect(answer.statusCode).to.equal(422)
      expect(answer.json().detail[0]).to.deep.equal({
        type: 'json_invalid',
        loc: ['body', 7],
        msg: 'JSON decode error',
      })
    })
  })

  describe('limits', () => {
    it('answers 413 to more keys or shares than allowed, and to a longer body', async () => {
      const service = new MemoryService()
      const limits = { keysPerRequest: 2, sharesPerRequest: 1, bodyBytes: 2000 }
      const started = await start(service, { limits })
      const share = { public_key: KEY, exit_signature: SIGNATURE }
      const answers = [
        await post(started, '/validators', { public_keys: [KEY, OTHER, KEY] }),
        await post(started, '/exit-signature', { share_index: 1, shares: [share, share] }),
        await post(started, '/validators', { public_keys: [KEY], padding: 'x'.repeat(2000) }),
      ]
      expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal([413, 413, 413])
      for (const answer of answers) expect(answer.json().detail).to.be.a('string')
      expect(service.requests).to.deep.equal([])
      expect(service.posts).to.deep.equal([])
    })

    it('answers 429 to a caller that asks too often, and to nobody else', async () => {
      let now = 0
      const rateLimit = new RateLimit({ perSecond: 1, burst: 2, clock: () => now })
      const started = await start(new MemoryService(), { rateLimit })
      const statuses = async (remoteAddress: string, count: number) => {
        const codes: number[] = []
        for (let i = 0; i < count; i++) {
          const options = { url: '/info', headers: { host: 'localhost' }, remoteAddress }
          codes.push((await started.inject(options)).statusCode)
        }
        return codes
      }
      expect(await statuses('10.0.0.1', 3)).to.deep.equal([200, 200, 429])
      expect(await statuses('10.0.0.2', 1)).to.deep.equal([200])
      now = 1000
      expect(await statuses('10.0.0.1', 2)).to.deep.equal([200, 429])
    })
  })

  describe('bodies', () => {
    const nothing = '{"public_keys":'
    const key = `"${KEY}"`
    it('answers 422 to a list in a list that holds a hundred thousand wrong items', async () => {
      const service = new MemoryService()
      const claimed = Array(100_000).fill('{"unknown":"a value of no use"}').join()
      const share = `{"public_key":${key},"exit_signature":"${SIGNATURE}","deposit_signature":"${SIGNATURE}","public_key_shares":[${claimed}]}`
      const started = await start(service, { limits: { bodyBytes: 5_000_000 } })
      const answer = await post(started, '/signatures', `{"share_index":1,"shares":[${share}]}`)
      expect(answer.statusCode).to.equal(422)
      expect(answer.json().detail).to.have.length(100)
      expect(answer.json().detail[0].loc).to.deep.equal([
        ...['body', 'shares', 0, 'public_key_shares', 0, 'share_index'],
      ])
      expect(service.signatures).to.deep.equal([])
    })

    for (const [name, body] of [
      ['duplicate names with different values', `{"public_keys":["${KEY}"],"public_keys":["${OTHER}"]}`],
      ['__proto__ in place of the field', `{"__proto__":{"public_keys":["${KEY}"]}}`],
      ['constructor.prototype', `{"constructor":{"prototype":{"public_keys":["${KEY}"]}}}`],
      ['nesting without end', `${nothing}${'['.repeat(400_000)}`],
      ['a half', nothing],
      ['a number', '1'],
      ['null', 'null'],
      [
        'an object with a length that is none in place of a list',
        '{"public_keys":{"length":{"toString":1}}}',
      ],
      ['an empty list', '{"public_keys":[]}'],
      ['an object in place of a key', '{"public_keys":[{}]}'],
    ] as const) {
      it(`answers 422 to ${name}`, async () => {
        const service = new MemoryService()
        const answer = await post(await start(service), '/validators', body)
        expect(answer.statusCode).to.equal(422)
        expect(answer.json().detail[0].loc[0]).to.equal('body')
        expect(service.requests).to.deep.equal([])
        expect(Object.prototype).not.to.have.property('public_keys')
      })
    }

    it('takes JSON by any of its media types', async () => {
      const started = await start(new MemoryService())
      for (const type of [
        'application/json; charset=utf-8',
        'application/problem+json',
        'Application/JSON',
      ]) {
        const answer = await started.inject({
          method: 'POST',
          url: '/validators',
          headers: { host: 'localhost', 'content-type': type },
          payload: JSON.stringify({ public_keys: [KEY] }),
        })
        expect(answer.statusCode, type).to.equal(200)
      }
    })

    it('takes no JSON that does not say that it is, as a page of another site could send it', async () => {
      const service = new MemoryService()
      const started = await start(service)
      for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded']) {
        const answer = await started.inject({
          method: 'POST',
          url: '/validators',
          headers: { host: 'localhost', ...(type === undefined ? {} : { 'content-type': type }) },
          payload: Buffer.from(JSON.stringify({ public_keys: [KEY] })),
        })
        expect(answer.statusCode, type).to.equal(422)
      }
      expect(service.requests).to.deep.equal([])
    })
  })

  describe('other paths', () => {
    it('answers 404 and 405 as the peer does, and sends no CORS headers', async () => {
      const started = await start(new MemoryService())
      const unknown = await get(started, '/nope')
      expect([unknown.statusCode, unknown.json()]).to.deep.equal([404, { detail: 'Not Found' }])
      const wrong = await get(started, '/signatures', { origin: 'http://x.test' })
      expect([wrong.statusCode, wrong.json()]).to.deep.equal([405, { detail: 'Method Not Allowed' }])
      expect(wrong.headers.allow).to.equal('POST')
      const preflight = await started.inject({
        method: 'OPTIONS',
        url: '/validators',
        headers: {
          host: 'localhost',
          origin: 'http://localhost',
          'access-control-request-method': 'POST',
        },
      })
      expect(preflight.statusCode).to.equal(405)
      for (const answer of [unknown, wrong, preflight]) {
        expect(Object.keys(answer.headers).join()).not.to.match(/access-control|server|x-powered-by/)
      }
    })

    it('answers 404 to a path with an asterisk, as to any other', async () => {
      const answer = await get(await start(new MemoryService()), '/*not-the-last-character')
      expect(answer.statusCode).to.equal(404)
    })

    it('answers 400 to a path that is not one', async () => {
      const answer = await get(await start(new MemoryService()), '/%ff')
      expect(answer.statusCode).to.equal(400)
      expect(answer.json().detail).to.be.a('string')
    })

    it('is healthy while its database answers, and says what else is missing', async () => {
      let works = true
      const health = {
        needed: { database: async () => works },
        wanted: {
          oracles: async () => {
            throw new Error('unknown')
          },
        },
      }
      const started = await start(new MemoryService(), { health })
      const good = await get(started, '/health')
      expect([good.statusCode, good.json()]).to.deep.equal([
        200,
        { status: 'ok', checks: { database: 'ok', oracles: 'failing' } },
      ])
      works = false
      const bad = await get(started, '/health')
      expect([bad.statusCode, bad.json().status]).to.deep.equal([503, 'failing'])
    })

    it('counts requests by route, never by what a stranger wrote', async () => {
      const started = await start(new MemoryService())
      await get(started, '/info')
      await get(started, '/secret-path')
      const { body } = await get(started, '/metrics')
      expect(body).to.match(/http_request_seconds_count\{method="GET",route="\/info",status="200"\} 1/)
      expect(body).not.to.contain('secret-path')
    })
  })

  describe('the OpenAPI page', () => {
    it('describes every call', async () => {
      const started = await start(new MemoryService())
      const description = parseJson((await get(started, '/openapi.json')).body) as {
        openapi: string
        paths: Record<string, Record<string, Record<string, unknown>>>
      }
      expect(description.openapi).to.equal('3.1.0')
      expect(Object.keys(description.paths)).to.have.members([
        '/info',
        '/exits',
        '/validators',
        '/exit-signature',
        '/signatures',
        '/register',
        '/fund',
        '/withdraw',
        '/consolidate',
        '/health',
      ])
      const text = JSON.stringify(description.paths['/exit-signature']?.['post']?.['requestBody'])
      for (const name of ['share_index', 'shares', 'public_key', 'exit_signature', '"integer"']) {
        expect(text).to.contain(name)
      }
    })

    it('needs nothing from outside', async () => {
      const started = await start(new MemoryService())
      const page = await get(started, '/docs/')
      expect(page.statusCode).to.equal(200)
      expect(page.headers['content-security-policy']).to.match(/^default-src 'self';/)
      expect(page.headers['content-security-policy']).not.to.match(/https?:|swagger\.io|upgrade/)
      const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
      expect(sources).to.have.length.greaterThan(2)
      for (const source of sources) {
        expect(source).not.to.match(/^(https?:)?\/\//)
        const part = await get(started, new URL(source, 'http://localhost/docs/').pathname)
        expect(part.statusCode, source).to.equal(200)
      }
      expect((await get(started, '/docs/static/swagger-initializer.js')).body).to.contain(
        '"validatorUrl":null',
      )
      expect((await get(started, '/docs/json')).json()).to.have.property('openapi')
    })
  })
})
