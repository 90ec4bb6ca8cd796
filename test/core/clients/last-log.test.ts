import { expect } from 'chai'
import { RpcError } from '../../../core/clients/json-rpc.js'
import { type FoundLog, LastLogSearch, type LogReader } from '../../../core/clients/last-log.js'
import { UnavailableError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { failureOf } from '../../doubles/failure.js'

const ADDRESS: Hex = `0x${'11'.repeat(20)}`
const TOPIC: Hex = `0x${'22'.repeat(32)}`
const DEPLOYED = 1_000

/** An endpoint with logs, named by their data. */
class Endpoint implements LogReader {
  head = 500_000n
  finalized: bigint | 'refused' | undefined = undefined
  /** What happens to a request for so many blocks. */
  onRange: (blocks: bigint, request: number) => Error | undefined = () => undefined
  logList: FoundLog[] = []
  readonly ranges: [from: bigint, to: bigint][] = []

  add(name: Hex, block: number, logIndex = 0): void {
    this.logList.push({ topics: [TOPIC], data: name, blockNumber: BigInt(block), logIndex })
  }

  async block(id: 'latest' | 'finalized') {
    if (id === 'latest') return { number: this.head }
    if (this.finalized === 'refused') throw new RpcError('finalized block not found')
    return this.finalized === undefined ? null : { number: this.finalized }
  }

  async logs({ address, topics, fromBlock, toBlock }: Parameters<LogReader['logs']>[0]) {
    expect([address, topics]).to.deep.equal([ADDRESS, [TOPIC]])
    this.ranges.push([fromBlock, toBlock])
    const failure = this.onRange(toBlock - fromBlock + 1n, this.ranges.length)
    if (failure !== undefined) throw failure
    return this.logList.filter(({ blockNumber }) => blockNumber >= fromBlock && blockNumber <= toBlock)
  }
}

describe('the last log of a contract', () => {
  let endpoint: Endpoint
  let search: LastLogSearch
  const searchUpTo = (upTo: 'latest' | 'finalized') =>
    new LastLogSearch(endpoint, { address: ADDRESS, block: DEPLOYED, topic: TOPIC, upTo })
  const last = async () => (await search.latest()).log?.data

  beforeEach(() => {
    endpoint = new Endpoint()
    search = searchUpTo('latest')
  })

  it('is the one highest in the chain, whatever order the endpoint gives', async () => {
    endpoint.add('0x02', 400_000, 7)
    endpoint.add('0x03', 400_000, 12)
    endpoint.add('0x01', 399_999, 99)
    expect(await last()).to.equal('0x03')
  })

  it('is looked for from the head backwards, no further than needed', async () => {
    endpoint.add('0x01', 300_000)
    endpoint.add('0x02', 460_000)
    expect(await last()).to.equal('0x02')
    expect(endpoint.ranges).to.deep.equal([[450_001n, 500_000n]])
  })

  it('may be in the head, and in the block that the contract was deployed in', async () => {
    endpoint.add('0x01', DEPLOYED)
    expect(await last()).to.equal('0x01')
    expect(endpoint.ranges.at(-1)?.[0]).to.equal(BigInt(DEPLOYED))
    endpoint.add('0x02', 500_000)
    search = searchUpTo('latest')
    expect(await last()).to.equal('0x02')
  })

  it('is not before the contract was there', async () => {
    endpoint.add('0x01', DEPLOYED - 1)
    expect(await last()).to.equal(undefined)
  })

  it('leaves no block out', async () => {
    expect(await last()).to.equal(undefined)
    const ranges = endpoint.ranges.toReversed()
    expect(ranges[0]?.[0]).to.equal(BigInt(DEPLOYED))
    expect(ranges.at(-1)?.[1]).to.equal(500_000n)
    for (const [i, [from]] of ranges.entries()) {
      if (i > 0) expect(from).to.equal((ranges[i - 1]?.[1] ?? 0n) + 1n)
    }
  })

  it('is followed by looking at the blocks that may be new', async () => {
    endpoint.add('0x01', 460_000)
    await last()
    endpoint.ranges.length = 0
    endpoint.head += 10n
    expect(await last()).to.equal('0x01')
    expect(endpoint.ranges).to.deep.equal([[499_937n, 500_010n]])
    endpoint.add('0x02', 500_005)
    expect(await last()).to.equal('0x02')
  })

  it('is another again after a reorganisation', async () => {
    endpoint.add('0x01', 460_000)
    await last()
    endpoint.add('0x02', 499_990)
    endpoint.head += 5n
    expect(await last()).to.equal('0x02')
    endpoint.logList = endpoint.logList.filter(({ data }) => data !== '0x02')
    expect(await last()).to.equal('0x01')
    endpoint.add('0x03', 499_991)
    expect(await last()).to.equal('0x03')
  })

  it('is kept while the endpoint is behind where it was', async () => {
    endpoint.add('0x01', 460_000)
    await last()
    endpoint.head = 459_000n
    expect(await last()).to.equal('0x01')
  })

  it('comes to light although there was none before', async () => {
    expect(await last()).to.equal(undefined)
    endpoint.add('0x01', 2_000)
    expect(await last()).to.equal('0x01')
  })

  it('up to the finalized block is none that is later', async () => {
    endpoint.finalized = 499_900n
    endpoint.add('0x01', 499_900)
    endpoint.add('0x02', 499_901)
    search = searchUpTo('finalized')
    expect(await search.latest()).to.have.property('head', 499_900n)
    expect(await last()).to.equal('0x01')
    endpoint.ranges.length = 0
    endpoint.finalized = 499_964n
    expect(await last()).to.equal('0x02')
    expect(endpoint.ranges).to.deep.equal([[499_901n, 499_964n]])
  })

  for (const finalized of [undefined, 'refused'] as const) {
    it(`goes up to the latest block where the finalized one is ${finalized ?? 'not known'}`, async () => {
      endpoint.finalized = finalized
      endpoint.add('0x01', 500_000)
      search = searchUpTo('finalized')
      expect(await last()).to.equal('0x01')
    })
  }

  it('is found in ranges as small as the endpoint takes, which it remembers', async () => {
    endpoint.add('0x01', 450_000)
    endpoint.onRange = (blocks) => (blocks > 10_000n ? new RpcError('range too large') : undefined)
    expect(await last()).to.equal('0x01')
    const refused = endpoint.ranges.filter(([from, to]) => to - from + 1n > 10_000n)
    expect(refused).to.have.length(3)
  })

  it('is not looked for without end where even one block is refused', async () => {
    endpoint.onRange = () => new RpcError('no logs here')
    expect((await failureOf(last())).code).to.equal('RPC_ERROR')
    expect(endpoint.ranges.length).to.be.below(20)
  })

  it('is not looked for without end where the endpoint is down', async () => {
    endpoint.onRange = () => new UnavailableError('ENDPOINT_UNREACHABLE', 'down')
    expect((await failureOf(last())).code).to.equal('ENDPOINT_UNREACHABLE')
    expect(endpoint.ranges).to.have.length(4)
  })

  it('is found after the endpoint did not answer for large ranges', async () => {
    endpoint.add('0x01', 450_000)
    endpoint.onRange = (blocks) =>
      blocks > 10_000n ? new UnavailableError('ENDPOINT_UNREACHABLE', 'no answer in time') : undefined
    expect(await last()).to.equal('0x01')
  })
})
