import { expect } from 'chai'
import type { RecordedRequest } from '../../doubles/relayer.js'
import { A, node, SidecarBench } from './sidecar-bench.js'

const VAULT = `0x${'be'.repeat(20)}` as const

describe('Sidecar, finding out which dialect the relayer speaks', () => {
  let bench: SidecarBench
  const wanted = {
    publicKey: A,
    validatorIndex: 1000,
    vault: VAULT,
    type: '0x01' as const,
    amount: 32_000_000_000n,
  }
  const asked = () => bench.relayer.to('GET', '/validators').length

  beforeEach(async () => {
    bench = await new SidecarBench().start()
  })
  afterEach(() => bench.stop())

  /** Runs a sidecar for so many pauses, doing something in some of them. */
  async function run(pauses: number, during: Readonly<Record<number, () => void>>): Promise<void> {
    const end = new AbortController()
    bench.clock.onPause = (count) => {
      during[count]?.()
      if (count === pauses) end.abort()
    }
    await (await bench.sidecar([node(1)], { vaults: new Set([VAULT]) })).run(end.signal)
  }

  for (const status of [404, 405]) {
    it(`asks one that answers ${status} only once`, async () => {
      const respond = bench.relayer.respond
      bench.relayer.respond = (request) =>
        request.path === '/validators' ? { status, body: { detail: 'no' } } : respond(request)
      await run(3, {})
      expect(asked()).to.equal(1)
      expect(bench.postedKeys()).to.have.length(3)
      expect(bench.log.messages('warn')).to.deep.equal([])
    })

    it(`goes on without exits alone where these are answered ${status}`, async () => {
      bench.validators = [wanted]
      const respond = bench.relayer.respond
      bench.relayer.respond = (request) => (request.path === '/exits' ? { status } : respond(request))
      await run(2, {})
      expect(bench.postedValidators()).to.deep.equal([[A], [A]])
      expect(bench.log.messages('warn').concat(bench.log.messages('error'))).to.deep.equal([])
    })
  }

  it('asks again one that was away', async () => {
    const respond = bench.relayer.respond
    await run(5, {
      1: () => {
        bench.relayer.respond = () => ({ status: 503 })
      },
      2: () => {
        bench.relayer.respond = respond
        bench.validators = [wanted]
      },
    })
    expect(bench.postedValidators()).to.deep.equal([[A], [A], [A]])
  })

  it('finds back to one of dialect 2 alone behind a proxy that answered 404 for a while', async () => {
    bench.wanted = []
    bench.validators = [wanted]
    const respond = bench.relayer.respond
    await run(6, {
      1: () => {
        bench.relayer.respond = () => ({ status: 404, body: 'no such service' })
      },
      4: () => {
        bench.relayer.respond = respond
      },
    })
    expect(bench.postedValidators()).to.deep.equal([[A], [A], [A]])
  })

  it('believes one 404 of a relayer that spoke dialect 2 only when it comes again', async () => {
    bench.validators = [wanted]
    const respond = bench.relayer.respond
    const hide = (hidden: number) => (request: RecordedRequest) =>
      request.path === '/validators' && asked() <= hidden ? { status: 404 } : respond(request)
    await run(3, {
      1: () => {
        bench.relayer.respond = hide(2)
      },
    })
    expect(bench.postedValidators()).to.have.length(2)
    const before = asked()
    await run(9, {
      4: () => {
        bench.validators = undefined
      },
    })
    expect(asked() - before, 'once served, twice refused').to.equal(3)
  })

  it('shows a list that cannot be read as trouble, not as another dialect', async () => {
    const respond = bench.relayer.respond
    bench.relayer.respond = (request) =>
      request.path === '/validators' && request.method === 'GET' ? { body: '<html>' } : respond(request)
    await run(3, {})
    expect(bench.posts()).to.deep.equal([])
    expect(bench.log.messages('warn')).to.have.length(1)
    expect(bench.log.messages('warn')[0]).to.include('GET /validators')
  })

  it('reads nothing again that did not change', async () => {
    bench.validators = [wanted]
    bench.wanted = []
    const respond = bench.relayer.respond
    bench.relayer.respond = async (request) => {
      const answer = await respond(request)
      if (request.method !== 'GET' || request.path !== '/validators') return answer
      if (request.headers['if-none-match'] === '"1"') return { status: 304, body: '' }
      return { ...answer, headers: { etag: '"1"' } }
    }
    await run(3, {})
    expect(bench.postedValidators()).to.deep.equal([[A], [A], [A]])
    expect(
      bench.relayer.to('GET', '/validators').map(({ headers }) => headers['if-none-match']),
    ).to.deep.equal([undefined, '"1"', '"1"'])
  })
})
