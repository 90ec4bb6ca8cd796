import { expect } from 'chai'
import { encodeAbiParameters } from 'viem'
import type { LogReader } from '../../../core/clients/last-log.js'
import { DvtExitError, UnavailableError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { configCidOfMajority, KeeperConfigSearch } from '../../../core/oracles/keeper.js'

const keeper = { address: `0x${'11'.repeat(20)}` as Hex, block: 1_000 }

/** An endpoint with ConfigUpdated events at the given blocks, which refuses ranges above its limit. */
function endpoint(
  events: Record<number, string>,
  { limit = 10_000_000, finality = true, silent = false } = {},
) {
  const state = { head: 500_000n, events, requests: 0 }
  const reader: LogReader = {
    async block(id) {
      if (id === 'finalized' && !finality) return null
      return { number: id === 'finalized' ? state.head - 64n : state.head }
    },
    async logs({ fromBlock, toBlock }) {
      state.requests++
      if (toBlock - fromBlock + 1n > BigInt(limit)) {
        throw silent
          ? new UnavailableError('ENDPOINT_UNREACHABLE', 'no answer in time')
          : new DvtExitError('RPC_ERROR', 'range too large')
      }
      return Object.entries(state.events)
        .filter(([block]) => BigInt(block) >= fromBlock && BigInt(block) <= toBlock)
        .map(([block, cid], logIndex) => ({
          topics: [],
          data: encodeAbiParameters([{ type: 'string' }], [cid]),
          blockNumber: BigInt(block),
          logIndex,
        }))
    },
  }
  return { state, search: new KeeperConfigSearch(reader, keeper) }
}

describe('the Keeper’s config', () => {
  it('is the last event before the finalized block', async () => {
    const { search } = endpoint({ 1000: 'first', 300000: 'second', 499990: 'not final yet' })
    expect(await search.latest()).to.equal('second')
  })

  it('is looked for up to the latest block where there is no finality', async () => {
    const { search } = endpoint({ 1000: 'first', 499990: 'last' }, { finality: false })
    expect(await search.latest()).to.equal('last')
  })

  it('is found in the deployment block, in pages as small as the endpoint allows', async () => {
    const { search } = endpoint({ 1000: 'first' }, { limit: 9_999 })
    expect(await search.latest()).to.equal('first')
  })

  it('is found where the endpoint does not answer for large ranges, and not where it is down', async () => {
    const slow = endpoint({ 1000: 'first' }, { limit: 9_999, silent: true })
    expect(await slow.search.latest()).to.equal('first')
    const down = endpoint({ 1000: 'first' }, { limit: 0, silent: true })
    expect(await down.search.latest().catch((error: unknown) => error)).to.be.instanceOf(UnavailableError)
    expect(down.state.requests).to.equal(4)
  })

  it('is followed by looking only at new blocks', async () => {
    const { search, state } = endpoint({ 1000: 'first' })
    await search.latest()
    state.requests = 0
    state.head += 100n
    state.events[500_010] = 'next'
    expect(await search.latest()).to.equal('next')
    expect(await search.latest()).to.equal('next')
    expect(state.requests).to.equal(1)
  })

  it('is an error where there never was an event, and found once there is', async () => {
    const { search, state } = endpoint({})
    const error = await search.latest().then(
      () => undefined,
      (caught: unknown) => caught,
    )
    expect(error).to.be.instanceOf(UnavailableError).with.property('code', 'NO_PROTOCOL_CONFIG')
    state.events[2_000] = 'late'
    expect(await search.latest()).to.equal('late')
  })

  it('needs a majority of all endpoints', async () => {
    const honest = () => endpoint({ 2000: 'honest' }).search
    const liar = () => endpoint({ 2000: 'lie' }).search
    const down = new KeeperConfigSearch(
      {
        block: async () => {
          throw new UnavailableError('ENDPOINT_UNREACHABLE', 'down')
        },
        logs: async () => [],
      },
      keeper,
    )
    expect(await configCidOfMajority([honest(), liar(), honest()])).to.equal('honest')
    expect(await configCidOfMajority([down, honest(), honest()])).to.equal('honest')
    for (const endpoints of [[honest(), liar()], [down, honest()], [down]]) {
      const error = await configCidOfMajority(endpoints).then(
        () => undefined,
        (caught: unknown) => caught,
      )
      expect(error).to.be.instanceOf(UnavailableError).with.property('code', 'NO_MAJORITY')
    }
  })
})
