import { expect } from 'chai'
import { LogRanges } from '../../../core/clients/log-ranges.js'
import { DvtExitError, UnavailableError } from '../../../core/errors.js'

/** Reads a span from an endpoint that refuses more than so many blocks, and tells what was asked. */
async function read(ranges: LogRanges, span: number, most: (call: number) => number) {
  const asked: number[] = []
  let next = 0n
  const pages = await ranges.all(0n, BigInt(span) - 1n, async (from, to) => {
    const size = Number(to - from) + 1
    asked.push(size)
    if (size > most(asked.length)) throw new DvtExitError('RPC_ERROR', 'too large')
    expect(from).to.equal(next)
    next = to + 1n
    return size
  })
  expect(pages.reduce((sum, size) => sum + size, 0)).to.equal(span)
  return { asked, pages }
}

describe('LogRanges', () => {
  it('reads every block once, in order, with sizes that grow up to the most', async () => {
    const ranges = new LogRanges({ first: 100, most: 1_000 })
    const { asked, pages } = await read(ranges, 20_000, () => 5_000)
    expect(asked).to.deep.equal(pages)
    expect(asked[0]).to.equal(100)
    expect(Math.max(...asked)).to.be.within(850, 1_000)
  })

  it('halves what is refused until it is served', async () => {
    const { asked } = await read(new LogRanges({ first: 10_000, most: 100_000 }), 20_000, () => 1_300)
    expect(asked.slice(0, 4)).to.deep.equal([10_000, 5_000, 2_500, 1_250])
  })

  it('settles below the limit with few refusals', async () => {
    const { asked, pages } = await read(new LogRanges(), 1_250_000, () => 2_000)
    expect(pages.length).to.be.lessThan(1_250_000 / 1_600)
    expect(asked.length - pages.length).to.be.lessThan(pages.length / 10)
  })

  it('grows back when the limit is gone', async () => {
    const { pages } = await read(new LogRanges(), 3_000_000, (call) => (call < 20 ? 500 : 1_000_000))
    expect(Math.max(...pages)).to.be.greaterThan(50_000)
  })

  it('gives up on a single block that is refused, and soon on an endpoint that is silent', async () => {
    const failing = async (error: Error) => {
      let calls = 0
      const thrown = await new LogRanges({ first: 1_000, most: 1_000 })
        .next(0n, 10_000n, () => {
          calls += 1
          return Promise.reject(error)
        })
        .catch((caught: unknown) => caught)
      expect(thrown).to.equal(error)
      return calls
    }
    expect(await failing(new DvtExitError('RPC_ERROR', 'no'))).to.equal(11)
    expect(await failing(new UnavailableError('ENDPOINT_FAILED', 'no'))).to.equal(4)
    expect(await failing(new Error('a bug'))).to.equal(1)
  })
})
