import { randomInt } from 'node:crypto'
import { expect } from 'chai'
import { Recorder } from '../../soak/flood/recorder.js'
import { replay } from '../../soak/flood/replay.js'
import { Random } from '../../soak/kills/random.js'
import { garbage } from '../clusters.js'
import { RealRelayer, stopThreads } from './real-relayer.js'
import { KEYS, recordedClusters, shareOf } from './transcript.js'

const INDEX = 1005
/** The soak replays 10,000. */
const TIMES = 200
const SEED = randomInt(2 ** 31)

describe('relayer that gets recorded posts again', function () {
  this.timeout(60_000)
  let relayer: RealRelayer
  let recorder: Recorder
  let url: string
  afterEach(async () => {
    await recorder.stop()
    await relayer.stop()
  })
  after(stopThreads)

  const send = async (path: string, body: unknown) => {
    const answer = await fetch(recorder.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(answer.status).to.equal(200)
    await relayer.settled()
  }
  const keys = [0, 1, 2].map((n) => KEYS.validators[n]?.public_key)
  const wrong = (seed: number) => `0x${Buffer.from(garbage(seed)).toString('hex')}`
  const sharesAt = (node: number) =>
    keys.map((public_key, n) => ({ public_key, exit_signature: shareOf(n, node, INDEX + n) }))
  const claimed = (n: number) =>
    KEYS.validators[n]?.shares.map(({ index, pk }) => ({ share_index: index, public_key_share: pk }))

  for (const [knowledge, clusters] of [
    ['with', recordedClusters()],
    ['without', []],
  ] as const) {
    it(`answers the same bytes and keeps the same rows, ${knowledge} known public shares (seed ${SEED})`, async () => {
      relayer = await RealRelayer.start({ nextIndex: INDEX, clusters })
      url = (await relayer.app.listen({ host: '127.0.0.1', port: 0 })).replace(/\/$/, '')
      recorder = await Recorder.start(url)
      await send('/exit-signature', { share_index: 1, shares: sharesAt(1) })
      await send('/validators', { public_keys: keys })
      await send('/exit-signature', {
        share_index: 2,
        shares: [{ public_key: keys[0], exit_signature: wrong(1) }],
      })
      await send('/exit-signature', {
        share_index: 9,
        shares: [{ public_key: keys[1], exit_signature: wrong(2) }],
      })
      await send('/exit-signature', { share_index: 1, shares: sharesAt(1) })
      const both = sharesAt(2).map((share, n) => ({
        ...share,
        deposit_signature: wrong(3),
        public_key_shares: claimed(n),
      }))
      await send('/signatures', { share_index: 2, shares: both })
      await send('/validators', { public_keys: keys })
      await send('/exit-signature', { share_index: 3, shares: sharesAt(3) })
      await send('/exit-signature', { share_index: 4, shares: sharesAt(4) })
      await send('/validators', { public_keys: keys })
      expect(recorder.posts.at(-1)?.answer).to.contain('"ready":true')

      const random = new Random(SEED, 'replays')
      const { posts } = recorder
      const faults = await replay({ url, database: relayer.databaseFile, posts, times: TIMES, random })
      expect(faults).to.deep.equal([])
    })
  }
})
