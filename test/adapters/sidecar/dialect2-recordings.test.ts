import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { fromHex, type Hex, type PublicKeyHex } from '../../../core/hex.js'
import { depositSigningRoot } from '../../../core/messages/deposit.js'
import { voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { TestSigner } from '../../doubles/signer.js'
import { comparable, type Recording, readRecording } from '../../doubles/wire-recordings.js'
import { network, type PostedSignatures, SidecarBench } from './sidecar-bench.js'

/** Signs with the recorded shares, which fit the messages that they were made for alone. */
class RecordedSigner extends TestSigner {
  readonly #shares: ReadonlyMap<PublicKeyHex, PostedSignatures['shares'][number]>

  constructor({ share_index, shares }: PostedSignatures) {
    super(network, BigInt(share_index), [])
    this.#shares = new Map(shares.map((share) => [share.public_key, share]))
  }

  override validators() {
    return new Map(
      [...this.#shares].map(([publicKey, { public_key_shares }]) => [
        publicKey,
        {
          threshold: 3,
          shares: new Map(
            public_key_shares.map(({ share_index, public_key_share }) => [
              BigInt(share_index),
              public_key_share,
            ]),
          ),
        },
      ]),
    )
  }

  override async signExit(...[key, exit]: Parameters<TestSigner['signExit']>) {
    return this.#recorded(key, 'exit_signature', voluntaryExitSigningRoot(network, exit))
  }

  override async signDeposit(...[key, deposit]: Parameters<TestSigner['signDeposit']>) {
    return this.#recorded(key, 'deposit_signature', depositSigningRoot(network, deposit))
  }

  #recorded(key: PublicKeyHex, kind: 'exit_signature' | 'deposit_signature', message: Uint8Array) {
    const text: Hex = this.#shares.get(key)?.[kind] ?? '0x'
    const publicKey = parsePublicKey(this.validators().get(key)?.shares.get(this.shareIndex) ?? '0x')
    if (bls.verify({ message, publicKey, signature: parseSignature(text) })) return fromHex(text)
    throw new Error(`another message than the recorded one of ${kind}`)
  }
}

/** Answers each call as it was answered in the recording, one after the other. */
function replay(session: readonly Recording[]) {
  const left = [...session]
  return ({ method, path }: { method: string; path: string }) => {
    const next = left.findIndex(({ request }) => request.method === method && request.path === path)
    return next < 0 ? undefined : left.splice(next, 1)[0]?.response
  }
}

describe('Sidecar over recorded sessions of dialect 2', () => {
  let bench: SidecarBench
  beforeEach(async () => {
    bench = await new SidecarBench().start()
  })
  afterEach(() => bench.stop())

  for (const [name, rounds] of [
    ['sidecar-v2.1.0-obol', 3],
    ['sidecar-v2.1.0-ssv', 3],
    ['sidecar-v2.1.0-obol-slow', 2],
    ['sidecar-v2.1.0-obol-err500push', 3],
    ['sidecar-v2.1.0-obol-empty', 3],
  ] as const) {
    it(`asks and posts as the Python sidecar does in ${name}`, async () => {
      const recording = readRecording(name)
      const posts = recording.filter(({ request }) => request.method === 'POST')
      // Those that were posted before one round more.
      const lists = recording.filter(({ request }) => request.path === '/validators')
      const end = lists[rounds] === undefined ? recording.length : recording.indexOf(lists[rounds])
      const session = recording.slice(0, end)
      const body = posts[0]?.request.body ?? '{"share_index":1,"shares":[]}'
      const signer = new RecordedSigner(JSON.parse(body) as PostedSignatures)
      bench.relayer.respond = replay(session)
      const stop = new AbortController()
      bench.clock.onPause = (count) => count === rounds && stop.abort()
      const vaults = new Set([`0x${'be'.repeat(20)}` as const])
      await (await bench.sidecar([signer], { vaults })).run(stop.signal)
      // A relayer may speak both dialects, so ours asks for exits alone, too.
      const own = bench.relayer.requests.filter(({ path }) => path !== '/exits')
      expect(own.map(comparable)).to.deep.equal(session.map(({ request }) => comparable(request)))
      expect(bench.log.messages('error')).to.deep.equal([])
    })
  }
})
