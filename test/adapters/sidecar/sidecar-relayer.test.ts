import { expect } from 'chai'
import { ConfigurationError, describeError } from '../../../core/errors.js'
import { KEYS, node, SidecarBench } from './sidecar-bench.js'

describe('Sidecar and its relayer', () => {
  let bench: SidecarBench
  beforeEach(async () => {
    bench = await new SidecarBench().start()
  })
  afterEach(() => bench.stop())

  describe('while the relayer is away', () => {
    it('waits longer and longer with jitter, says it once, and once when it is back', async () => {
      const end = new AbortController()
      let random = 0
      const respond = bench.relayer.respond
      let away = true
      bench.relayer.respond = (request) => (away ? { status: 502 } : respond(request))
      bench.clock.onPause = (count) => {
        random = count % 2
        if (count === 7) away = false
        if (count === 9) end.abort()
      }
      await (await bench.sidecar([node(1)], { random: () => random })).run(end.signal)
      expect(bench.clock.pauses).to.deep.equal([1000, 6000, 4000, 24_000, 15_000, 45_000, 15_000, 2000, 2000])
      expect(bench.log.messages('warn')).to.have.length(1)
      expect(bench.log.messages('warn')[0]).to.include('HTTP 502')
      expect(bench.log.messages('info').filter((message) => message.endsWith('is back'))).to.have.length(1)
      expect(bench.postedKeys()[0]).to.deep.equal(KEYS)
    })

    it('also when it goes away between reading and posting', async () => {
      const end = new AbortController()
      const respond = bench.relayer.respond
      let away = true
      bench.relayer.respond = (request) =>
        away && request.method === 'POST' ? { status: 500, body: { detail: 'boom' } } : respond(request)
      bench.clock.onPause = (count) => {
        if (count === 2) away = false
        if (count === 3) end.abort()
      }
      await (await bench.sidecar([node(1)])).run(end.signal)
      expect(bench.postedKeys()).to.deep.equal([KEYS, KEYS, KEYS])
      expect(bench.log.messages('warn')).to.have.length(1)
    })
  })

  describe('at the start', () => {
    it('refuses a relayer of another network', async () => {
      bench.relayer.respond = () => ({ body: { network: 'mainnet' } })
      let error: unknown
      await (await bench.sidecar([node(1)])).run(new AbortController().signal).catch((thrown) => {
        error = thrown
      })
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error).to.include({ code: 'WRONG_NETWORK' })
      expect(describeError(error)).to.include('mainnet').and.to.include('hoodi')
    })

    it('refuses a relayer that refuses it', async () => {
      bench.relayer.respond = () => ({ status: 401, body: { detail: 'no token' } })
      let error: unknown
      await (await bench.sidecar([node(1)])).run(new AbortController().signal).catch((thrown) => {
        error = thrown
      })
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(describeError(error)).to.include('no token').and.to.include('RELAYER_TOKEN_FILE')
    })

    it('does nothing when it is stopped already', async () => {
      await (await bench.sidecar([node(1)])).run(AbortSignal.abort())
      expect(bench.relayer.requests).to.have.length(0)
    })
  })
})
