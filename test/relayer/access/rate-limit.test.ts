import { expect } from 'chai'
import { callerOf, RateLimit } from '../../../relayer/access/rate-limit.js'
import type { App } from '../../../relayer/http/fastify.js'
import { MemoryService } from '../http/memory-service.js'
import { testApp } from '../http/test-app.js'

describe('relayer’s rate limit', () => {
  it('lets a burst through, then as many as the rate, and says how long to wait', () => {
    let now = 0
    const limit = new RateLimit({ perSecond: 2, burst: 3, clock: () => now })
    expect([1, 2, 3, 4].map(() => limit.take('a'))).to.deep.equal([0, 0, 0, 1])
    now = 500
    expect([limit.take('a'), limit.take('a')]).to.deep.equal([0, 1])
    now = 1_000_000
    expect([1, 2, 3, 4].map(() => limit.take('a'))).to.deep.equal([0, 0, 0, 1])
  })

  it('allows a whole cluster on one machine to poll every two seconds for an hour', () => {
    let now = 0
    const limit = new RateLimit({ perSecond: 100, burst: 400, clock: () => now })
    for (; now < 3_600_000; now += 2000) {
      // 13 sidecars that list and post, and an operator that asks every second.
      for (let request = 0; request < 13 * 2 + 2; request++) expect(limit.take('127.0.0.1')).to.equal(0)
    }
  })

  it('forgets the caller that sent nothing for longest, not the busy ones', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1, clock: () => 0 })
    limit.take('first')
    for (let i = 0; i < 9_999; i++) limit.take(`caller ${i}`)
    expect(limit.take('first')).to.equal(1)
    limit.take('one more')
    expect(limit.take('first')).to.equal(1)
    expect(limit.take('caller 0')).to.equal(0)
  })

  it('counts a token by its name, IPv4 by address, IPv6 by its /64', () => {
    expect(callerOf('op', '192.0.2.1')).to.equal('token op')
    expect(callerOf(undefined, '192.0.2.1')).to.equal('192.0.2.1')
    expect(callerOf(undefined, '::ffff:192.0.2.1')).to.equal('192.0.2.1')
    const same = ['2001:db8:0:1::1', '2001:db8:0:1:ffff:1:2:3', '2001:db8::1:0:0:0:9']
    expect(new Set(same.map((peer) => callerOf(undefined, peer))).size).to.equal(1)
    expect(callerOf(undefined, '2001:db8:0:2::1')).not.to.equal(callerOf(undefined, same[0]))
    expect(callerOf(undefined, '::1')).to.equal(callerOf(undefined, '::2'))
    expect(callerOf(undefined, undefined)).to.equal('unknown')
  })

  describe('behind a proxy on this machine', () => {
    let app: App
    afterEach(() => app.close())

    /** Each caller may send two requests. */
    const open = async (trustProxy: boolean) => {
      const rateLimit = new RateLimit({ perSecond: 1, burst: 2, clock: () => 0 })
      const tokens = { sidecar: { name: 'car', role: 'sidecar', shareIndexes: [1n] } } as const
      app = await testApp(new MemoryService(), { rateLimit, trustProxy, tokens })
    }
    const ask = async (headers: Record<string, string>, remoteAddress = '127.0.0.1') => {
      const answer = await app.inject({
        url: '/info',
        remoteAddress,
        headers: { host: 'localhost', 'x-forwarded-proto': 'https', ...headers },
      })
      return answer.statusCode
    }
    const from = (address: string) => ({ 'x-forwarded-for': address })

    it('all callers count as one, but not as this machine, and not those with a token', async () => {
      await open(false)
      expect([await ask(from('192.0.2.1')), await ask(from('192.0.2.2'))]).to.deep.equal([200, 200])
      expect([await ask(from('192.0.2.3')), await ask({ via: '1.1 proxy' })]).to.deep.equal([429, 429])
      const direct = await app.inject({ url: '/info', headers: { host: 'localhost' } })
      expect(direct.statusCode).to.equal(200)
      expect(await ask({ ...from('192.0.2.3'), authorization: 'Bearer sidecar' })).to.equal(200)
    })

    it('each counts for itself where the proxy is trusted to say who it is', async () => {
      await open(true)
      for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) {
        const statuses = [await ask(from(address)), await ask(from(address)), await ask(from(address))]
        expect(statuses, address).to.deep.equal([200, 200, 429])
      }
      expect(await ask(from('2001:db8::2'))).to.equal(429)
    })

    it('what a caller wrote before the proxy’s word counts for nothing', async () => {
      await open(true)
      const statuses: number[] = []
      for (const claimed of ['127.0.0.1', '198.51.100.1', '198.51.100.2']) {
        statuses.push(await ask(from(`${claimed}, 192.0.2.1`)))
      }
      expect(statuses).to.deep.equal([200, 200, 429])
    })

    it('nobody but a proxy on this machine is trusted', async () => {
      await open(true)
      const elsewhere = { host: 'localhost' }
      const statuses: number[] = []
      for (const claimed of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) {
        statuses.push(await ask({ ...elsewhere, ...from(claimed) }, '192.0.2.9'))
      }
      expect(statuses).to.deep.equal([200, 200, 429])
    })
  })
})
