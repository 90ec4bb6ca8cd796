import { expect } from 'chai'
import { loadClusterLock } from '../../../core/clusters/cluster-lock.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { parseJson, stringifyJson } from '../../../core/json.js'
import type { App } from '../../../relayer/http/fastify.js'
import type { WantedValidator } from '../../../relayer/validators/service.js'
import { readRecording } from '../../doubles/wire-recordings.js'
import { TestWorld } from '../relayer.js'
import { MemoryService } from './memory-service.js'
import { testApp } from './test-app.js'

const KEY: PublicKeyHex = `0x${'ab'.repeat(48)}`
const SIGNATURE = `0x${'5e'.repeat(96)}`
const VAULT = `0x${'be'.repeat(20)}` as const

const get = (app: App, url: string) => app.inject({ method: 'GET', url, headers: { host: 'localhost' } })
const post = (app: App, url: string, payload: string) =>
  app.inject({
    method: 'POST',
    url,
    headers: { host: 'localhost', 'content-type': 'application/json' },
    payload,
  })

describe('relayer, dialect 2 over HTTP', () => {
  let app: App | undefined
  afterEach(async () => {
    await app?.close()
    app = undefined
  })

  it('lists validators with vault, amount and type, and answers 304 until something changes', async () => {
    const service = new MemoryService()
    service.validators.push({
      publicKey: KEY,
      validatorIndex: 1000,
      deposit: { vault: VAULT, type: '0x02', amount: 2_048_000_000_000n },
      isReady: false,
      createdAt: 1_795_169_700,
      shareIndexesReady: [1n, 2n ** 64n - 1n],
    })
    app = await testApp(service)
    const { body, headers } = await get(app, '/validators')
    expect(body).to.equal(
      `{"validators":[{"public_key":"${KEY}","vault":"${VAULT}","amount":2048000000000,"validator_type":"0x02",` +
        '"validator_index":1000,"is_signatures_ready":false,"created_at_timestamp":1795169700,' +
        '"created_at_string":"2026-11-20 10:15:00+0000","share_indexes_ready":[1,18446744073709551615]}]}',
    )
    const again = await app.inject({
      url: '/validators',
      headers: { host: 'localhost', 'if-none-match': String(headers.etag) },
    })
    expect(again.statusCode).to.equal(304)
  })

  const share = { public_key: KEY, exit_signature: SIGNATURE, deposit_signature: SIGNATURE }
  const claimed = [{ share_index: 2n ** 63n, public_key_share: KEY }]

  it('takes shares with and without the public shares of the cluster', async () => {
    const service = new MemoryService()
    app = await testApp(service)
    for (const more of [{}, { public_key_shares: null }, { public_key_shares: claimed }]) {
      const body = stringifyJson({ share_index: 7, shares: [{ ...share, ...more }], other: true })
      const answer = await post(app, '/signatures', body)
      expect([answer.statusCode, answer.body]).to.deep.equal([200, '{}'])
    }
    expect(service.signatures.map(({ shares }) => shares[0]?.claimedShares)).to.deep.equal([
      undefined,
      undefined,
      new Map([[2n ** 63n, KEY]]),
    ])
  })

  it('names rejected shares, each by its signature', async () => {
    const service = new MemoryService()
    service.rejected = [{ publicKey: KEY, reason: 'wrong-signature' }]
    app = await testApp(service)
    const answer = await post(app, '/signatures', stringifyJson({ share_index: 7, shares: [share] }))
    expect(answer.json()).to.deep.equal({
      rejected: [{ public_key: KEY, signature: 'deposit', reason: 'wrong-signature' }],
    })
  })

  const wrong: Readonly<Record<string, unknown>> = {
    'no shares': { share_index: 1, shares: [] },
    'share index 0': { share_index: 0, shares: [share] },
    'a signature of 95 bytes': {
      share_index: 1,
      shares: [{ ...share, deposit_signature: SIGNATURE.slice(2, -2) }],
    },
    'no deposit signature': { share_index: 1, shares: [{ public_key: KEY, exit_signature: SIGNATURE }] },
    'a claimed share that is no key': {
      share_index: 1,
      shares: [share, { ...share, public_key_shares: [{ share_index: 1, public_key_share: '0x00' }] }],
    },
  }
  for (const [what, body] of Object.entries(wrong)) {
    it(`answers 422 to ${what}, and takes nothing of the post`, async () => {
      const service = new MemoryService()
      app = await testApp(service)
      const answer = await post(app, '/signatures', stringifyJson(body))
      expect(answer.statusCode).to.equal(422)
      expect(answer.json().detail[0]).to.include.keys('type', 'loc', 'msg')
      expect(service.signatures).to.deep.equal([])
    })
  }

  it('lets a token post for its own share index only', async () => {
    const service = new MemoryService()
    const tokens = { secret: { id: 1, name: 'node 1', role: 'sidecar', shareIndexes: [1n] } as const }
    app = await testApp(service, { tokens: tokens as never })
    const send = (index: number) =>
      app?.inject({
        method: 'POST',
        url: '/signatures',
        headers: { host: 'localhost', 'content-type': 'application/json', authorization: 'Bearer secret' },
        payload: stringifyJson({ share_index: index, shares: [share] }),
      })
    expect((await send(1))?.statusCode).to.equal(200)
    expect((await send(2))?.statusCode).to.equal(403)
  })
})

describe('relayer against the recorded Python sidecar v2.1.0', () => {
  /** The validators that the recorded relayer double wanted, without the one whose key is no point. */
  const recorded = readRecording('sidecar-v2.1.0-obol')
  const listed = recorded.find(({ request }) => request.path === '/validators')?.response.body as {
    validators: {
      public_key: PublicKeyHex
      validator_index: number
      vault: PublicKeyHex
      amount: number
      validator_type: '0x01' | '0x02'
    }[]
  }
  const wanted = listed.validators
    .filter(({ public_key }) => !/^0x(aa)+$/.test(public_key))
    .map(
      (validator): WantedValidator => ({
        publicKey: validator.public_key,
        validatorIndex: validator.validator_index,
        deposit: { vault: validator.vault, type: validator.validator_type, amount: BigInt(validator.amount) },
      }),
    )
  const lock = new URL('../../fixtures/wire/sidecar-obol-cluster-lock.json', import.meta.url).pathname

  for (const knowing of ['its claimed public shares', 'the cluster lock'] as const) {
    it(`takes its posts and counts them under ${knowing}`, async () => {
      const world = new TestWorld()
      if (knowing === 'the cluster lock') {
        const { validators } = await loadClusterLock(lock)
        world.sharings = validators.map((validator) => ({ ...validator, source: 'lock' }))
      }
      const relayer = await world.open()
      const app = await testApp(relayer.service)
      try {
        await relayer.service.requestValidators(wanted)
        for (const { request } of recorded.filter(({ request }) => request.path === '/signatures')) {
          const answer = await post(app, '/signatures', request.body ?? '')
          expect([answer.statusCode, answer.body]).to.deep.equal([200, '{}'])
        }
        const shares = await relayer.database.selectFrom('signature_shares').selectAll().execute()
        expect(shares).to.have.length(2 * wanted.length)
        expect(shares.map(({ state }) => state)).to.deep.equal(shares.map(() => 'proven'))
        const { validators } = parseJson((await get(app, '/validators')).body) as {
          validators: { share_indexes_ready: number[] }[]
        }
        expect(validators.map((validator) => validator.share_indexes_ready)).to.deep.equal(
          wanted.map(() => [1]),
        )
      } finally {
        await app.close()
        await relayer.close()
      }
    })
  }
})
