import { expect } from 'chai'
import { UnavailableError } from '../../../core/errors.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { RealRelayer, stopThreads } from './real-relayer.js'
import {
  type Answer,
  comparable,
  expectRightParts,
  KEYS,
  type OracleParts,
  partsOf,
  recordedAnswer,
  recordedClusters,
  replay,
  Transcript,
} from './transcript.js'

/** The n-th recorded validator's key. */
const key = (n: number): PublicKeyHex => {
  const validator = KEYS.validators[n]
  if (validator === undefined) throw new Error(`no validator ${n}`)
  return validator.public_key
}
const START = {
  'v1-e2e': 1005,
  'bad-input': 1005,
  restart: 1005,
  'index-shift': 1002,
  'el-down': 1002,
} as const

/** Key, validator index, whether it is ready, the share indexes there: one line of GET /exits. */
type Line = readonly [n: number, validatorIndex: number, ready: boolean, ...shareIndexes: number[]]

after(stopThreads)

for (const [knowledge, clusters] of [
  ['with known public shares', recordedClusters()],
  ['without known public shares', []],
] as const) {
  const known = clusters.length > 0

  describe(`relayer against the recorded Python relayer, ${knowledge}`, () => {
    let relayer: RealRelayer
    let transcript: Transcript

    const begin = async (name: keyof typeof START) => {
      transcript = new Transcript(name)
      relayer = await RealRelayer.start({ nextIndex: START[name], clusters })
    }
    afterEach(async () => relayer.stop())

    const send = async (name: string, n = 0): Promise<Answer> => {
      await relayer.settled()
      return replay(relayer.app, transcript.row(name, n))
    }
    /** Replays rows that the Python relayer answers rightly: the answer must be the same. */
    const expectSame = async (...names: string[]): Promise<void> => {
      for (const name of names) {
        const { status, body } = await send(name)
        const recorded = recordedAnswer(transcript.row(name))
        expect({ status, body: comparable(body) }, name).to.deep.equal({
          status: recorded.status,
          body: comparable(recorded.body),
        })
      }
    }
    const expectExits = async (...lines: Line[]): Promise<void> => {
      await relayer.settled()
      const answer = await relayer.app.inject({ url: '/exits', headers: { host: 'localhost' } })
      expect(comparable(answer.json().exits)).to.have.deep.members(
        lines.map(([n, validator_index, is_exit_signature_ready, ...share_indexes_ready]) => ({
          public_key: key(n),
          validator_index,
          is_exit_signature_ready,
          share_indexes_ready,
        })),
      )
    }
    const ask = async (...keys: number[]): Promise<unknown> => {
      await relayer.settled()
      const answer = await relayer.app.inject({
        method: 'POST',
        url: '/validators',
        headers: { host: 'localhost' },
        payload: { public_keys: keys.map(key) },
      })
      expect(answer.statusCode).to.equal(200)
      return answer.json()
    }
    const rejection = (n: number, reason: string) => ({ rejected: [{ public_key: key(n), reason }] })

    describe('v1-e2e', () => {
      beforeEach(() => begin('v1-e2e'))

      const untilReady = () =>
        expectSame(
          'info',
          'exits-empty',
          'validators-first',
          'exits-pending',
          'exit-signature-share1',
          'exits-after-share1',
          'validators-after-share1',
          'exit-signature-share2',
          'exits-after-share2',
          'validators-after-share2',
          'exit-signature-share4-first-validator-only',
          'exits-one-ready',
          'validators-one-ready',
          'exit-signature-share3-all(4 shares for first)',
          'exits-all-ready',
        )

      it('answers the same, and every oracle opens its part', async () => {
        await untilReady()
        await expectSame('validators-all-ready')
        const { body } = await send('validators-all-ready')
        for (const n of [0, 1, 2]) expectRightParts(partsOf(body, key(n)), key(n), 1005 + n)
        await expectSame(
          'validators-reordered',
          'exits-after-reorder',
          'validators-subset-last-only',
          'exits-after-subset',
        )
        const { body: openapi } = await send('openapi')
        expect(openapi).to.have.property('openapi', '3.1.0')
      })

      it('keeps the oracles’ parts over late shares, which the Python relayer replaces', async () => {
        await untilReady()
        const early = partsOf((await send('validators-one-ready')).body, key(0))
        await send('exit-signature-share3-all(4 shares for first)')
        await send('exit-signature-share1')
        expect(partsOf((await send('validators-all-ready')).body, key(0))).to.deep.equal(early)
      })

      it('keeps what it has when asked in another order or for a part, where the Python relayer loses it', async () => {
        await untilReady()
        const before = (await send('validators-all-ready')).body
        await send('validators-reordered')
        await send('validators-subset-last-only')
        const { body, status } = await send('validators-all-ready')
        expect(status).to.equal(200)
        expect(body).to.deep.equal(before)
        await expectExits([0, 1005, true, 1, 2, 3, 4], [1, 1006, true, 1, 2, 3], [2, 1007, true, 1, 2, 3])
      })
    })

    describe('index-shift', () => {
      beforeEach(() => begin('index-shift'))

      it('answers the same, and has the shares again when the index moves back', async () => {
        await expectSame('register at head 1119000', 'exits', 'share1', 'share2', 'share3', 'ready')
        const ready = (await send('ready')).body
        relayer.nextIndex = 1004
        await expectSame('validators after 2 new deposits (head 1119210)', 'exits after shift')
        relayer.nextIndex = 1002
        expect((await send('ready')).body).to.deep.equal(ready)
        for (const n of [0, 1]) expectRightParts(partsOf(ready, key(n)), key(n), 1002 + n)
      })
    })

    describe('restart', () => {
      beforeEach(() => begin('restart'))

      it('goes on with the shares from before, which the Python relayer forgets', async () => {
        const before = ['restart: register 2', 'restart: exits', 'restart: share1', 'restart: share2']
        await expectSame(...before, 'restart: exits before')
        await relayer.restart()
        await expectExits([14, 1005, false, 1, 2], [15, 1006, false, 1, 2])
        expect((await send('restart: share3 after (validator unknown now)')).body).to.deep.equal({})
        const { body } = await send('restart: validators again')
        expect(body).to.have.property('ready', true)
        const parts: OracleParts[] = [14, 15].map((n) => partsOf(body, key(n)))
        parts.forEach((part, i) => {
          expectRightParts(part, key(14 + i), 1005 + i)
        })
        await relayer.restart()
        const again = (await send('restart: validators again')).body
        expect([14, 15].map((n) => partsOf(again, key(n)))).to.deep.equal(parts)
      })
    })

    describe('el-down', () => {
      beforeEach(() => begin('el-down'))

      it('answers 503, where the Python relayer has an internal error, and all else goes on', async () => {
        await expectSame('lifetime: register')
        relayer.chainFailure = new UnavailableError(
          'ALL_ENDPOINTS_FAILED',
          'eth_getLogs: http://user:password@127.0.0.1:1: ECONNREFUSED',
        )
        const down = await send('validators while EL down')
        expect(down.status).to.equal(503)
        expect(Number(down.headers['retry-after'])).to.be.greaterThan(0)
        expect(JSON.stringify(down.body)).not.to.match(/password|127\.0\.0\.1/)
        await expectSame('GET /info')
        await expectExits([0, 1002, false])
        await relayer.passLifetime()
        await expectSame('exits while EL down')
      })
    })

    describe('bad-input', () => {
      beforeEach(() => begin('bad-input'))

      it('refuses the same wrong shapes at the same place', async () => {
        const refused = transcript.rows.filter((row) => row.response.status === 422)
        expect(refused).to.have.length.greaterThan(15)
        for (const row of refused) {
          const { status, body } = await replay(relayer.app, row)
          expect(status, row.name).to.equal(422)
          const places = (value: unknown) =>
            (value as { detail: { type: string; loc: unknown; msg: string }[] }).detail.map(
              ({ type, loc }) => ({ type, loc }),
            )
          expect(places(body), row.name).to.deep.equal(places(recordedAnswer(row).body))
          expect(JSON.stringify(body), row.name).not.to.contain('"input"')
        }
        await expectExits()
      })

      it('refuses keys that the Python relayer makes exits of: half a byte, no point, infinity, twice', async () => {
        for (const name of [
          'validators odd-length hex',
          'validators not on curve',
          'validators infinity pubkey c0..',
          'validators duplicate keys in list',
        ]) {
          const { status, body } = await send(name)
          expect(status, name).to.equal(422)
          const [issue] = (body as { detail: { loc: unknown[] }[] }).detail
          expect(issue?.loc.slice(0, 2), name).to.deep.equal(['body', 'public_keys'])
        }
        await expectExits()
      })

      it('takes a key without 0x and in upper case for the same exit, the Python relayer for two', async () => {
        await expectSame('validators without 0x', 'validators uppercase hex', 'validators extra field')
        await expectExits([3, 1005, false], [0, 1005, false])
      })

      it('refuses a key that is deposited already, naming it, where the Python relayer makes an exit', async () => {
        const row = transcript.row('validators already registered on-chain key (dep0)')
        const [deposited = ''] = (JSON.parse(row.request.body ?? '') as { public_keys: string[] }).public_keys
        relayer.deposited.add(deposited as PublicKeyHex)
        const { status, body } = await replay(relayer.app, row)
        expect(status).to.equal(409)
        expect((body as { detail: string }).detail).to.contain(deposited)
        await expectExits()
      })

      it('answers other paths and methods with the same body, without redirect or CORS', async () => {
        await expectSame('unknown path')
        expect((await send('trailing slash')).status).to.equal(404)
        // Fastify answers HEAD wherever it answers GET.
        expect(await send('HEAD /info')).to.include({ status: 200, body: '' })
        const preflight = await send('OPTIONS preflight /validators')
        expect(preflight.status).to.equal(405)
        expect(Object.keys(preflight.headers).join()).not.to.contain('access-control')
      })

      it('takes nothing at share indexes that the Python relayer stores: text, true, 2.0, 0, 2^70', async () => {
        await expectSame('register 6')
        for (const name of [
          'share_index "1" (string) [accepted?]',
          'share_index true [accepted?]',
          'share_index 2.0 [accepted?]',
          'share_index 2^70 [accepted?]',
          'share_index 0 [accepted?]',
        ]) {
          const { status, body } = await send(name)
          expect(status, name).to.equal(422)
          expect((body as { detail: { loc: unknown }[] }).detail[0]?.loc).to.deep.equal([
            'body',
            'share_index',
          ])
        }
        await expectSame('unknown pubkey')
        await expectExits(...[6, 7, 8, 9, 10, 11].map((n): Line => [n, 999 + n, false]))
      })

      it('gets ready whatever else came at an index, right share first', async () => {
        await expectSame('register 6', 'A0 share1 good')
        const second = await send('A0 share1 again with different (share 2 sig)')
        expect(second).to.include({ status: 200 })
        expect(second.body).to.deep.equal(known ? rejection(6, 'wrong-signature') : {})
        await expectSame('A0 share2 good', 'A0 share3 good -> ready if first share kept')
        expectRightParts(partsOf(await ask(6, 7, 8, 9, 10, 11), key(6)), key(6), 1005)
      })

      it('goes on after a wrong share, where the Python relayer answers 500 and stays unready', async () => {
        await expectSame('register 6')
        const wrong = await send('A1 share1 WRONG (signed for other index)')
        expect(wrong.status).to.equal(200)
        expect(wrong.body).to.deep.equal(known ? rejection(7, 'wrong-signature') : {})
        await expectSame('A1 share2 good')
        expect(await send('A1 share3 good -> threshold')).to.deep.include({ status: 200, body: {} })
        const others = ([8, 9, 10, 11] as const).map((n): Line => [n, 999 + n, false])
        // Without public shares nobody knows which of the three is wrong, so all are asked for again.
        await expectExits([6, 1005, false], [7, 1006, false, ...(known ? [2, 3] : [])], ...others)
        await expectSame('A1 share3 again (retry)', 'A1 share1 corrected')
        expect(await send('A1 share4 good (3 good + 1 bad stored)')).to.deep.include({
          status: 200,
          body: {},
        })
        expectRightParts(partsOf(await ask(6, 7, 8, 9, 10, 11), key(7)), key(7), 1006)
      })

      it('names shares that are no points, and gets ready without them', async () => {
        await expectSame('register 6')
        for (const [n, names] of [
          [8, ['A2 share1 = ff*96 (not a point)', 'A2 share2 good', 'A2 share3 good -> threshold']],
          [9, ['A3 share1 infinity c0..', 'A3 share2 good', 'A3 share3 good -> threshold']],
        ] as const) {
          const answers = []
          for (const name of names) {
            const { status, body } = await send(name)
            answers.push({ status, body })
          }
          expect(answers).to.deep.equal([
            { status: 200, body: rejection(n, 'not-a-point') },
            { status: 200, body: {} },
            { status: 200, body: {} },
          ])
        }
        await expectExits(
          [6, 1005, false],
          [7, 1006, false],
          [8, 1007, false, 2, 3],
          [9, 1008, false, 2, 3],
          [10, 1009, false],
          [11, 1010, false],
        )
        for (const n of [8, 9]) await relayer.postShare(4, n, 999 + n)
        const answer = await ask(6, 7, 8, 9, 10, 11)
        for (const n of [8, 9]) expectRightParts(partsOf(answer, key(n)), key(n), 999 + n)
      })

      it('serves the rest of a batch with a wrong share, where the Python relayer skips it', async () => {
        await expectSame('register 2')
        const first = await send('batch share1 (B0 share1 wrong)')
        expect(first.status).to.equal(200)
        expect(first.body).to.deep.equal(known ? rejection(12, 'wrong-signature') : {})
        await expectSame('batch share2 (B0 share1 wrong)')
        expect(await send('batch share3')).to.deep.include({ status: 200, body: {} })
        await expectExits([12, 1005, false, ...(known ? [2, 3] : [])], [13, 1006, true, 1, 2, 3])
        await expectSame('batch share3 retried (as sidecar does)')
        expectRightParts(partsOf(await ask(12, 13), key(13)), key(13), 1006)
      })
    })
  })
}
