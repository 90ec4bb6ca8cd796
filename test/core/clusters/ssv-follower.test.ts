import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sql } from 'kysely'
import type { ChainLog } from '../../../core/clusters/ssv-chain.js'
import { SSV_TOPICS } from '../../../core/clusters/ssv-events.js'
import { SsvFollower, type SsvFollowerParts } from '../../../core/clusters/ssv-follower.js'
import type { Viewpoint } from '../../../core/clusters/ssv-rules.js'
import { openSsvDatabase } from '../../../core/clusters/ssv-store.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { SSV_CONTRACT, SsvChainDouble } from './ssv-chain-double.js'
import { decryptWith, EXPECTED, LOGS, logAt, OPERATOR_IDS, operatorPrivateKey } from './ssv-fixture.js'

const VIEWPOINTS = OPERATOR_IDS.map((operatorId): Viewpoint & { operatorId: bigint } => ({
  operatorId,
  decryptShare: decryptWith(operatorPrivateKey(operatorId)),
}))
const running = new AbortController().signal

describe('SsvFollower', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssv-follower-'))
    file = join(folder, 'ssv.db')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** Runs a follower on the database of this test, as a process would, and closes it. */
  async function withFollower<T>(
    chain: SsvChainDouble,
    work: (follower: SsvFollower, log: TestLog) => Promise<T>,
    parts: Partial<SsvFollowerParts> = {},
  ): Promise<T> {
    const database = await openSsvDatabase(file)
    const log = new TestLog()
    try {
      return await work(
        new SsvFollower({
          chain,
          contract: SSV_CONTRACT,
          database,
          viewpoints: VIEWPOINTS,
          logger: log.logger,
          pollInterval: 12_000,
          clock: new TestClock(),
          random: () => 0.5,
          ...parts,
        }),
        log,
      )
    } finally {
      await database.destroy()
    }
  }

  function expectFinalKeys(follower: SsvFollower): void {
    for (const viewpoint of VIEWPOINTS) {
      const expected = EXPECTED.finalByOperator[String(viewpoint.operatorId)] ?? {}
      const known = follower.validators(viewpoint)
      expect([...known.keys()]).to.have.members(Object.keys(expected))
      for (const [publicKey, key] of Object.entries(expected)) {
        const validator = known.get(publicKey as PublicKeyHex)
        expect(validator?.ownerNonce).to.equal(key.ownerNonce)
        expect(validator?.shares.get(viewpoint.operatorId)).to.equal(key.sharePublicKey)
        expect(validator?.usable).to.equal(key.sharesInterpolateToPublicKey)
        expect(validator?.secret).to.not.equal(undefined)
      }
    }
  }

  /** Effects by position in EXPECTED, as followers tell them. */
  function recorder() {
    const effects = new Map<string, string>()
    const onEvent: SsvFollowerParts['onEvent'] = (log, outcomes) => {
      for (const [viewpoint, { effect }] of outcomes) {
        effects.set(`${log.blockNumber}/${log.logIndex}/${viewpoint.operatorId}`, effect)
      }
    }
    const expectAll = () => {
      for (const [i, { effect }] of EXPECTED.events.entries()) {
        const { blockNumber, logIndex } = logAt(i)
        for (const [reason, operators] of Object.entries(effect)) {
          if (reason === 'ignored') continue
          for (const id of operators) {
            expect(effects.get(`${blockNumber}/${logIndex}/${id}`), `event ${i} for ${id}`).to.equal(reason)
          }
        }
      }
    }
    return { onEvent, expectAll }
  }

  it('gives the recorded effects and final keys when everything comes in one page', async () => {
    const { onEvent, expectAll } = recorder()
    await withFollower(
      new SsvChainDouble(LOGS),
      async (follower) => {
        await follower.sync(running)
        expectFinalKeys(follower)
      },
      { onEvent, ranges: { first: 2_000_000, most: 2_000_000 } },
    )
    expectAll()
  })

  it('says once that its disk is full, and reads on from where it was when there is room', async () => {
    const { onEvent, expectAll } = recorder()
    const clock = new TestClock()
    const database = await openSsvDatabase(file)
    try {
      const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(database)
      await sql.raw(`PRAGMA max_page_count = ${rows[0]?.page_count}`).execute(database)
      clock.onPause = async (count) => {
        if (count === 3) await sql`PRAGMA max_page_count = 1000000`.execute(database)
      }
      await withFollower(
        new SsvChainDouble(LOGS),
        async (follower, log) => {
          expect(await follower.catchUp(running)).to.equal(true)
          expectFinalKeys(follower)
          expect(clock.pauses.length).to.be.at.least(3)
          const told = [...log.messages('warn'), ...log.messages('info')].filter((line) =>
            /cannot follow|followed again/.test(line),
          )
          expect(told, told.join()).to.have.length(2)
          expect(told[0]).to.include('disk is full').and.to.include(file)
        },
        { onEvent, clock, database },
      )
      expectAll()
    } finally {
      await database.destroy()
    }
  })

  it('gives the same with a restart after every block that holds logs', async () => {
    const { onEvent, expectAll } = recorder()
    const chain = new SsvChainDouble(LOGS)
    const blocks = [...new Set(LOGS.map((log) => log.blockNumber))]
    for (const block of blocks) {
      chain.finalized = block
      await withFollower(chain, (follower) => follower.sync(running), { onEvent })
    }
    expectAll()
    await withFollower(chain, async (follower) => {
      await follower.sync(running)
      expectFinalKeys(follower)
    })
  })

  it('gives the same in one follower that reads a block that holds logs at a time', async () => {
    const { onEvent, expectAll } = recorder()
    const chain = new SsvChainDouble(LOGS)
    await withFollower(
      chain,
      async (follower) => {
        for (const { blockNumber } of LOGS) {
          chain.finalized = blockNumber
          await follower.sync(running)
        }
        expectFinalKeys(follower)
      },
      { onEvent },
    )
    expectAll()
  })

  it('gives the same when it is cut off at any request and started again', async () => {
    const chain = new SsvChainDouble(LOGS, 1_250_360n)
    const ranges = { first: 400_000, most: 400_000 }
    for (let most = 1; most < 100; most++) {
      let requests = 0
      chain.onRequest = () => {
        if (++requests > most) throw new Error('cut off')
      }
      const done = await withFollower(
        chain,
        (follower) =>
          follower.sync(running).then(
            () => expectFinalKeys(follower),
            () => false,
          ),
        { ranges },
      )
      if (done !== false) break
    }
  })

  it('goes on from its checkpoint and never asks twice for what it has read', async () => {
    const chain = new SsvChainDouble(LOGS, 1_250_100n)
    await withFollower(chain, (follower) => follower.sync(running))
    const before = chain.filters.length
    chain.finalized = 1_300_000n
    await withFollower(chain, async (follower) => {
      await follower.sync(running)
      expectFinalKeys(follower)
    })
    const again = chain.filters.slice(before).filter(({ topics }) => topics.length === 1)
    expect(again.every(({ fromBlock }) => fromBlock > 1_250_100n)).to.equal(true)
  })

  it('shrinks its ranges where the endpoint refuses them, and lets them grow again', async () => {
    const chain = new SsvChainDouble(LOGS)
    chain.mostBlocks = 30_000
    await withFollower(
      chain,
      async (follower) => {
        await follower.sync(running)
        expectFinalKeys(follower)
      },
      { ranges: { first: 100_000, most: 100_000 } },
    )
    const pages = chain.filters.filter(({ topics }) => topics.length === 1)
    const sizes = pages.map(({ fromBlock, toBlock }) => Number(toBlock - fromBlock) + 1)
    expect(sizes.length).to.be.lessThan(80)
    expect(sizes.filter((size) => size > 30_000).length).to.be.within(1, 15)
  })

  it('waits with growing pauses for an endpoint that is away, and says so once', async () => {
    const chain = new SsvChainDouble(LOGS)
    const clock = new TestClock()
    chain.down = true
    clock.onPause = (count) => {
      if (count === 6) chain.down = false
    }
    await withFollower(
      chain,
      async (follower, log) => {
        expect(await follower.catchUp(running)).to.equal(true)
        expectFinalKeys(follower)
        expect(log.messages('warn').filter((line) => line.includes('trying again'))).to.have.length(1)
        expect(log.messages('info')).to.include('SSVNetwork can be followed again')
      },
      { clock },
    )
    expect(clock.pauses).to.deep.equal([1000, 2000, 4000, 8000, 16_000, 32_000])
  })

  it('stops when told to, and does not offer half of what there is', async () => {
    const stop = new AbortController()
    const chain = new SsvChainDouble(LOGS)
    chain.onRequest = (name) => {
      if (name === 'logs' && chain.filters.length === 5) stop.abort()
    }
    await withFollower(chain, async (follower) => {
      expect(await follower.catchUp(stop.signal)).to.equal(false)
      for (const viewpoint of VIEWPOINTS) expect(follower.validators(viewpoint).size).to.equal(0)
    })
  })

  it('follows new blocks, tells listeners of changes only, and goes on after failures', async () => {
    const stop = new AbortController()
    const chain = new SsvChainDouble(LOGS, 1_250_100n)
    const clock = new TestClock()
    let changes = 0
    clock.onPause = (count) => {
      if (count === 1) chain.finalized = 1_250_200n
      if (count === 2) chain.down = true
      if (count === 3) chain.down = false
      if (count === 4) chain.finalized = 1_300_000n
      if (count === 5) stop.abort()
    }
    await withFollower(
      chain,
      async (follower) => {
        await follower.sync(running)
        expect(VIEWPOINTS.map((viewpoint) => follower.validators(viewpoint).size)).to.deep.equal([2, 2, 2, 2])
        follower.onChange(() => {
          changes += 1
        })
        await follower.follow(stop.signal)
        expectFinalKeys(follower)
      },
      { clock },
    )
    expect(changes).to.equal(1)
  })

  it('reads again from a point before a reorganised block, also after a restart', async () => {
    const v1Again = logAt(27)
    const removal = logAt(24)
    for (const restart of [false, true]) {
      file = join(folder, `${restart}.db`)
      const chain = new SsvChainDouble(LOGS, 1_250_200n)
      const work = async (follower: SsvFollower, log: TestLog) => {
        chain.finalized = 1_250_300n
        await follower.sync(running)
        chain.finalized = 1_250_400n
        await follower.sync(running)
        const after = { ...removal, blockNumber: 1_250_390n }
        chain.reorganise(1_250_250n, [
          ...LOGS.filter(
            (entry) => entry.blockNumber >= 1_250_250n && entry !== v1Again && entry !== removal,
          ),
          after,
        ])
        if (restart) return
        await follower.sync(running)
        expect(log.messages('warn').some((line) => line.includes('reorganised'))).to.equal(true)
        expectReorganised(follower)
      }
      const expectReorganised = (follower: SsvFollower) => {
        // V1 is not registered again in this chain, so that V2's nonce no longer fits.
        const known = follower.validators(VIEWPOINTS[1] ?? {})
        expect([...known.values()].map(({ ownerNonce }) => ownerNonce)).to.deep.equal([1, 1, 5])
      }
      await withFollower(chain, async (follower, log) => {
        await follower.sync(running)
        await work(follower, log)
      })
      await withFollower(chain, async (follower) => {
        await follower.sync(running)
        expectReorganised(follower)
      })
    }
  })

  it('reads everything again where no checkpoint is left on the chain', async () => {
    const chain = new SsvChainDouble(LOGS)
    await withFollower(chain, (follower) => follower.sync(running))
    chain.reorganise(0n, LOGS)
    const before = chain.filters.length
    await withFollower(chain, async (follower) => {
      await follower.sync(running)
      expectFinalKeys(follower)
    })
    expect(chain.filters[before]?.fromBlock).to.equal(1065n)
  })

  it('waits for a node that is behind its checkpoint, and offers what it knows', async () => {
    const chain = new SsvChainDouble(LOGS)
    await withFollower(chain, (follower) => follower.sync(running))
    chain.finalized = 1_000_000n
    await withFollower(chain, async (follower) => {
      await follower.sync(running)
      expectFinalKeys(follower)
    })
  })

  describe('an endpoint that leaves logs out', () => {
    const isRegistration = (log: ChainLog) => log.topics[0] === SSV_TOPICS.ValidatorAdded

    for (const [what, left] of [
      ['the first of an owner, of another cluster', 10],
      ['a registration of ours', 13],
    ] as const) {
      it(`is noticed by a later nonce and read again: ${what}`, async () => {
        const chain = new SsvChainDouble(LOGS)
        let times = 0
        chain.leavesOut = (log) =>
          log.logIndex === logAt(left).logIndex && isSame(log, logAt(left)) && times++ < 1
        await withFollower(chain, async (follower, log) => {
          await follower.sync(running)
          expectFinalKeys(follower)
          expect(log.messages('warn').filter((line) => line.includes('had left out 1'))).to.have.length(1)
        })
        await withFollower(chain, async (follower) => {
          await follower.sync(running)
          expectFinalKeys(follower)
        })
      })
    }

    it('does not matter once a search has found the log, even if pages never have it', async () => {
      const chain = new SsvChainDouble(LOGS)
      chain.leavesOut = (log, { topics }) => isSame(log, logAt(10)) && topics.length === 1
      await withFollower(chain, async (follower) => {
        await follower.sync(running)
        expectFinalKeys(follower)
      })
    })

    it('is not searched for ever: the registrations do not count, and the next start is quick', async () => {
      const chain = new SsvChainDouble(LOGS)
      chain.leavesOut = (log) => isSame(log, logAt(10))
      await withFollower(chain, async (follower) => {
        await follower.sync(running)
        expect(follower.validators(VIEWPOINTS[0] ?? {}).size).to.equal(2)
      })
      const searches = chain.filters.filter(({ topics }) => topics.length === 2).length
      expect(searches).to.be.greaterThan(0)
      const before = chain.filters.length
      await withFollower(chain, (follower) => follower.sync(running))
      expect(chain.filters.length - before).to.equal(0)
    })

    it('finds all of many logs that were left out', async () => {
      const chain = new SsvChainDouble(LOGS)
      const once = new Set<string>()
      chain.leavesOut = (log) => {
        const position = `${log.blockNumber}/${log.logIndex}`
        if (!isRegistration(log) || log.blockNumber > 1_250_205n || once.has(position)) return false
        once.add(position)
        return true
      }
      await withFollower(chain, async (follower) => {
        await follower.sync(running)
        expectFinalKeys(follower)
      })
    })
  })

  it('asks for the named owners alone, for operators whoever owns them, and counts their nonces right', async () => {
    const [owner] = Object.keys(EXPECTED.ownerNonces)
    const owners = new Set([(owner ?? '').toLowerCase() as Hex])
    const viewpoints = VIEWPOINTS.map((viewpoint) => ({ ...viewpoint, owners }))
    const chain = new SsvChainDouble(LOGS)
    await withFollower(
      chain,
      async (follower) => {
        await follower.sync(running)
        for (const viewpoint of viewpoints) {
          const nonces = [...follower.validators(viewpoint).values()].map(({ ownerNonce }) => ownerNonce)
          expect(nonces).to.have.members([1, 3, 4])
        }
      },
      { viewpoints },
    )
    const wanted = new Set(chain.filters.map(({ topics }) => JSON.stringify(topics)))
    expect([...wanted].map((topics) => JSON.parse(topics))).to.deep.equal([
      [[SSV_TOPICS.OperatorAdded, SSV_TOPICS.OperatorRemoved]],
      [
        [SSV_TOPICS.ValidatorAdded, SSV_TOPICS.ValidatorRemoved],
        [`0x000000000000000000000000${owner?.slice(2).toLowerCase()}`],
      ],
    ])
  })

  it('gives a relayer the public shares of an owner without any key', async () => {
    const owners = new Set(Object.keys(EXPECTED.ownerNonces).map((owner) => owner.toLowerCase() as Hex))
    const viewpoint: Viewpoint = { owners }
    await withFollower(
      new SsvChainDouble(LOGS),
      async (follower) => {
        await follower.sync(running)
        const known = [...follower.validators(viewpoint).values()]
        expect(known.filter(({ usable }) => usable)).to.have.length(7)
        expect(known.filter(({ usable }) => !usable)).to.have.length(1)
        expect(known.every(({ secret }) => secret === undefined)).to.equal(true)
      },
      { viewpoints: [viewpoint] },
    )
  })

  it('warns once of a cluster that can never sign, and skips bad events with a reason', async () => {
    const chain = new SsvChainDouble(LOGS)
    const viewpoints = VIEWPOINTS.slice(0, 1)
    await withFollower(
      chain,
      async (follower, log) => {
        await follower.sync(running)
        await follower.sync(running)
        const warnings = log.messages('warn')
        expect(warnings.filter((line) => line.includes('can never sign'))).to.have.length(1)
        expect(warnings).to.include('operator 11: ValidatorAdded: skipped: shares length')
      },
      { viewpoints },
    )
    await withFollower(
      chain,
      async (follower, log) => {
        await follower.sync(running)
        expect(log.messages('warn')).to.deep.equal([])
      },
      { viewpoints },
    )
  })

  it('counts no event that does not parse, and says so', async () => {
    const broken = { ...logAt(12), data: logAt(12).data.slice(0, 200) as Hex, blockNumber: 1_250_050n }
    await withFollower(new SsvChainDouble([...LOGS, broken]), async (follower, log) => {
      await follower.sync(running)
      expectFinalKeys(follower)
      expect(log.messages('warn')).to.include('ValidatorAdded: skipped: does not parse')
    })
  })

  it('serves two sets of operators from one database without mixing them', async () => {
    const chain = new SsvChainDouble(LOGS)
    for (const viewpoint of [...VIEWPOINTS, ...VIEWPOINTS]) {
      await withFollower(
        chain,
        async (follower) => {
          await follower.sync(running)
          const expected = EXPECTED.finalByOperator[String(viewpoint.operatorId)] ?? {}
          expect([...follower.validators(viewpoint).keys()]).to.have.members(Object.keys(expected))
        },
        { viewpoints: [viewpoint] },
      )
    }
  })

  it('notices that another process moves its checkpoint, and goes on from there', async () => {
    const chain = new SsvChainDouble(LOGS, 1_250_100n)
    await withFollower(chain, async (first) => {
      await first.sync(running)
      await withFollower(chain, async (second) => {
        await second.sync(running)
        chain.finalized = 1_250_300n
        await second.sync(running)
      })
      chain.finalized = 1_300_000n
      const code = await first.sync(running).then(
        () => 'done',
        (error) => error.code,
      )
      expect(code).to.equal('CHECKPOINT_MOVED')
      await first.sync(running)
      expectFinalKeys(first)
    })
  })

  it('keeps no decrypted key share on the disk', async () => {
    await withFollower(new SsvChainDouble(LOGS), (follower) => follower.sync(running))
    const database = await openSsvDatabase(file)
    const rows = await database.selectFrom('ssv_logs').selectAll().execute()
    await database.destroy()
    const kept = rows
      .map(({ data, ...row }) => JSON.stringify(row) + Buffer.from(data ?? []).toString('hex'))
      .join()
    let looked = 0
    for (const keys of Object.values(EXPECTED.finalByOperator)) {
      for (const { shareSecretKey } of Object.values(keys)) {
        looked += 1
        expect(kept).to.not.include(shareSecretKey.slice(2))
        expect(kept).to.not.include(Buffer.from(shareSecretKey.slice(2)).toString('hex'))
      }
    }
    expect(looked).to.equal(20)
    expect(kept).to.include(EXPECTED.validators[0]?.publicKey.slice(2))
  })
})

function isSame(a: ChainLog, b: ChainLog): boolean {
  return a.blockNumber === b.blockNumber && a.logIndex === b.logIndex
}
