import { randomInt } from 'node:crypto'
import { expect } from 'chai'
import { parseJson } from '../../../core/json.js'
import { keptWords } from '../../soak/flood/database-content.js'
import { flood } from '../../soak/flood/flood.js'
import type { HostileWorld } from '../../soak/flood/hostile-requests.js'
import { wordsOf } from '../../soak/flood/words.js'
import { garbage } from '../clusters.js'
import { RealRelayer, stopThreads } from './real-relayer.js'
import { expectRightParts, KEYS, partsOf, recordedClusters, shareOf } from './transcript.js'

/** Enough for every kind of request, over and over; the soak sends 20,000. */
const REQUESTS = 400
const SEED = 20_261_121
const INDEX = 1005
const TOKEN = `dvtexit_${'t'.repeat(43)}`
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`

describe('relayer under hostile requests', function () {
  this.timeout(120_000)
  let relayer: RealRelayer
  let port: number
  let lines: Record<string, unknown>[]

  beforeEach(async () => {
    lines = []
    relayer = await RealRelayer.start({
      nextIndex: INDEX,
      clusters: recordedClusters().slice(0, 8),
      http: {
        tokens: { [TOKEN]: { name: 'operator', role: 'operator', shareIndexes: [] } },
        log: (line) => lines.push(line),
      },
    })
    port = Number(new URL(await relayer.app.listen({ host: '127.0.0.1', port: 0 })).port)
  })
  afterEach(() => relayer.stop())
  after(stopThreads)

  const ask = async (keys: readonly string[]) => {
    const answer = await relayer.app.inject({
      method: 'POST',
      url: '/validators',
      headers: { host: 'localhost' },
      payload: { public_keys: keys },
    })
    expect(answer.statusCode, answer.body).to.equal(200)
    return answer.json() as { ready: boolean }
  }
  const worldOf = async (keys: readonly string[]): Promise<HostileWorld> => ({
    document: parseJson(
      (await relayer.app.inject({ url: '/openapi.json', headers: { host: 'localhost' } })).body,
    ),
    token: TOKEN,
    known: new Map([
      [48, [...keys, ...KEYS.validators.slice(6, 10).map((validator) => validator.public_key)]],
      [
        96,
        [
          shareOf(0, 1, INDEX),
          shareOf(1, 2, INDEX + 1),
          hex(garbage(1)),
          hex(garbage(2)),
          `0xc0${'00'.repeat(95)}`,
        ],
      ],
    ]),
  })

  for (const [name, seed] of [
    ['the same each time', SEED],
    ['others each time', randomInt(2 ** 31)],
  ] as const) {
    it(`answers ${REQUESTS} of them, ${name} (seed ${seed}), keeps nothing of what it refuses, and goes on`, async () => {
      const wanted = KEYS.validators.slice(0, 3).map((validator) => validator.public_key)
      await ask(wanted)
      const report = await flood({ port, world: await worldOf(wanted), seed, count: REQUESTS, batch: 200 })
      expect(report.faults).to.deep.equal([])
      for (const status of [200, 400, 401, 404, 422]) {
        expect(report.statuses.get(status), `answers ${status}`).to.be.greaterThan(0)
      }

      expect(report.refusedWords.size).to.be.greaterThan(REQUESTS / 4)
      const kept = keptWords(relayer.databaseFile, relayer.keyFile)
      expect([...report.refusedWords].filter((word) => kept.has(word))).to.deep.equal([])
      expect(lines.filter(({ level }) => Number(level) >= 50)).to.deep.equal([])
      const told = wordsOf(JSON.stringify(lines.filter(({ level }) => Number(level) >= 30)))
      expect([...report.refusedWords].filter((word) => told.has(word))).to.deep.equal([])

      await ask(wanted)
      for (const node of [1, 2, 3]) {
        for (const n of [0, 1, 2]) await relayer.postShare(node, n, INDEX + n)
      }
      await relayer.settled()
      const answer = await ask(wanted)
      expect(answer.ready).to.equal(true)
      wanted.forEach((key, n) => {
        expectRightParts(partsOf(answer, key), key, INDEX + n)
      })
    })
  }
})
