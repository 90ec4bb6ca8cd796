import { expect } from 'chai'
import { encodeAbiParameters } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../../core/hex.js'
import { createLogger } from '../../../core/log.js'
import { KeeperConfigSearch } from '../../../core/oracles/keeper.js'
import { parseProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { fixedOracles, KeeperOracles } from '../../../core/oracles/source.js'

const oracle = (n: number) => ({
  public_key: `0x${privateKeyToAccount(`0x${n.toString(16).padStart(64, '0')}`).publicKey.slice(4)}`,
  endpoints: [`http://127.0.0.1:${20_000 + n}`],
})
const config = (numbers: number[], threshold: number) => ({
  oracles: numbers.map(oracle),
  exit_signature_recover_threshold: threshold,
})
const setHash = (json: unknown): Hex => parseProtocolConfig(json, 'test').setHash

/** A chain whose Keeper names configs, an IPFS that has them, and a store that lasts over starts. */
function world(first: unknown) {
  const files = [first]
  const state = { kept: undefined as unknown, chainUp: true }
  const open = (acceptHash?: Hex) =>
    new KeeperOracles({
      searches: [
        new KeeperConfigSearch(
          {
            block: async () => {
              if (!state.chainUp) throw new Error('down')
              return { number: BigInt(1_000 + files.length) }
            },
            logs: async ({ fromBlock, toBlock }) =>
              files
                .map((_, i) => ({
                  topics: [],
                  data: encodeAbiParameters([{ type: 'string' }], [`cid${i}`]),
                  blockNumber: BigInt(1_001 + i),
                  logIndex: 0,
                }))
                .filter(({ blockNumber }) => blockNumber >= fromBlock && blockNumber <= toBlock),
          },
          { address: `0x${'22'.repeat(20)}`, block: 0 },
        ),
      ],
      ipfs: { fetch: async (cid) => Buffer.from(JSON.stringify(files[Number(cid.slice(3))])) },
      store: {
        load: async () => state.kept,
        save: async (value) => {
          state.kept = JSON.parse(JSON.stringify(value))
        },
      },
      acceptHash,
      logger: createLogger('test', 'silent', 'json'),
      interval: 60_000,
    })
  return { state, open, publish: (json: unknown) => files.push(json) }
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code,
  )
}

/** Starts, runs, and closes in any case. */
async function using(oracles: KeeperOracles, run: () => Promise<void>): Promise<void> {
  await oracles.start()
  try {
    await run()
  } finally {
    await oracles.close()
  }
}

describe('oracles source', () => {
  const first = config([1, 2, 3, 4, 5], 3)

  it('from a file counts as accepted', async () => {
    const source = fixedOracles(parseProtocolConfig(first, 'test'))
    expect((await source.current()).setHash).to.equal(setHash(first))
  })

  it('waits at the first start until a person accepts the set, and remembers it', async () => {
    const { open, state } = world(first)
    const unaccepted = open()
    await using(unaccepted, async () => {
      expect(await codeOf(unaccepted.current())).to.equal('ORACLES_NOT_ACCEPTED')
    })
    const wrong = open(`0x${'00'.repeat(32)}`)
    await using(wrong, async () => {
      expect(await codeOf(wrong.current())).to.equal('ORACLES_NOT_ACCEPTED')
    })
    const accepted = open(setHash(first))
    await using(accepted, async () => {
      expect((await accepted.current()).setHash).to.equal(setHash(first))
    })
    state.chainUp = false
    const withoutChain = open()
    let told = 0
    withoutChain.onChange(() => told++)
    await using(withoutChain, async () => {
      expect((await withoutChain.current()).setHash).to.equal(setHash(first))
      expect(told).to.equal(1)
    })
  })

  it('is unknown while the chain cannot be asked', async () => {
    const { open, state } = world(first)
    state.chainUp = false
    const oracles = open(setHash(first))
    await using(oracles, async () => {
      expect(await codeOf(oracles.current())).to.equal('ORACLES_UNKNOWN')
      state.chainUp = true
      await oracles.refresh()
      expect((await oracles.current()).setHash).to.equal(setHash(first))
    })
  })

  for (const { what, next, taken } of [
    {
      what: 'takes a set with fewer new oracles than the threshold',
      next: config([1, 2, 3, 6, 7], 3),
      taken: true,
    },
    { what: 'refuses as many new oracles as the threshold', next: config([1, 2, 6, 7, 8], 3), taken: false },
    { what: 'refuses a lower threshold', next: config([1, 2, 3, 4, 5], 2), taken: false },
    { what: 'takes a higher threshold', next: config([1, 2, 3, 4, 5], 4), taken: true },
  ]) {
    it(`${what}, without a person`, async () => {
      const { open, publish } = world(first)
      const oracles = open(setHash(first))
      let changes = 0
      await using(oracles, async () => {
        oracles.onChange(() => changes++)
        publish(next)
        await oracles.refresh()
        await oracles.refresh()
        expect((await oracles.current()).setHash).to.equal(setHash(taken ? next : first))
        expect(changes).to.equal(taken ? 1 : 0)
      })
    })
  }

  it('counts new oracles since the set that a person accepted, not since the last one', async () => {
    const { open, publish } = world(first)
    const oracles = open(setHash(first))
    await using(oracles, async () => {
      const second = config([1, 2, 3, 6, 7], 3)
      publish(second)
      await oracles.refresh()
      publish(config([1, 2, 8, 6, 7], 3))
      await oracles.refresh()
      expect((await oracles.current()).setHash).to.equal(setHash(second))
    })
  })
})
