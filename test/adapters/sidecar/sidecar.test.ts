import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { describeError } from '../../../core/errors.js'
import { fromHex } from '../../../core/hex.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { TestSigner } from '../../doubles/signer.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'
import { A, B, C, cluster, KEYS, network, node, type PostedBody, SidecarBench } from './sidecar-bench.js'

describe('Sidecar', () => {
  let bench: SidecarBench
  beforeEach(async () => {
    bench = await new SidecarBench().start()
  })
  afterEach(() => bench.stop())

  describe('signs and posts', () => {
    it('its share of every bench.wanted exit, right under its public share', async () => {
      await bench.round(await bench.sidecar([node(2)]))
      expect(bench.posts()).to.have.length(1)
      const [post] = bench.posts()
      expect(post?.share_index).to.equal(2)
      for (const [i, { public_key, exit_signature }] of (post?.shares ?? []).entries()) {
        const share = cluster.validators[i]?.shares.find(({ index }) => index === 2)
        expect(public_key).to.equal(KEYS[i])
        const message = voluntaryExitSigningRoot(network, presignedExit(network, 1000 + i))
        const publicKey = parsePublicKey(share?.pk ?? '')
        const signature = parseSignature(exit_signature)
        expect(bls.verify({ message, publicKey, signature })).to.equal(true)
      }
      expect(post?.shares).to.have.length(3)
    })

    for (const name of [
      'sidecar-v0.4.4-obol',
      'sidecar-v0.4.4-ssv',
      'sidecar-v1.0.1-obol',
      'sidecar-v1.0.1-ssv',
    ]) {
      it(`as the Python sidecar does over the session of ${name}`, async () => {
        const recording = readRecording(name)
        const session = recording.slice(0, 7)
        const signature = new Map(
          session.flatMap(({ request }) =>
            request.method === 'POST'
              ? (JSON.parse(request.body ?? '') as PostedBody).shares.map(
                  (share) => [share.public_key, fromHex(share.exit_signature)] as const,
                )
              : [],
          ),
        )
        const shareIndex = name.includes('ssv') ? 101 : 1
        const signer = new TestSigner(
          network,
          BigInt(shareIndex),
          [...signature.keys()].map((key) => [key, '01'.repeat(32)] as const),
        )
        signer.signExit = async (key) => signature.get(key) ?? new Uint8Array()
        bench.relayer.respond = ({ method, path }) =>
          session.find(({ request }) => request.method === method && request.path === path)?.response
        const end = new AbortController()
        bench.clock.onPause = (count) => count === 3 && end.abort()
        const own = loadNetwork(name.includes('v1') ? 'hoodi' : 'mainnet')

        await (await bench.sidecar([signer], { network: own })).run(end.signal)

        // Asked once, to find out which dialect the relayer speaks.
        const [asked, ...others] = bench.relayer.requests.filter(({ path }) => path === '/validators')
        expect([asked?.method, others]).to.deep.equal(['GET', []])
        expect(bench.relayer.requests.filter((request) => request !== asked).map(comparable)).to.deep.equal(
          session.map(({ request }) => comparable(request)),
        )
        expect(bench.clock.pauses).to.deep.equal([2000, 2000, 2000])
      })
    }

    it('nothing for exits that are ready, have its share, or whose key it does not hold', async () => {
      bench.wanted = [
        { publicKey: A, validatorIndex: 1000, ready: true },
        { publicKey: B, validatorIndex: 1001, shares: [1, 2] },
        { publicKey: `0x${'aa'.repeat(48)}`, validatorIndex: 1002 },
      ]
      await bench.round(await bench.sidecar([node(2)]))
      expect(bench.relayer.requests.map(({ path }) => path)).to.deep.equal(['/validators', '/exits'])
      expect(bench.registry.questions).to.have.length(0)
    })

    it('again what the relayer lost, without asking the beacon node or signing anew', async () => {
      const signer = node(2)
      const running = await bench.sidecar([signer])
      await bench.round(running)
      bench.wanted = bench.wanted.map((exit) => ({ ...exit, shares: [2] }))
      await bench.round(running)
      expect(bench.posts()).to.have.length(1)
      bench.wanted = bench.wanted.map((exit) => ({ ...exit, shares: [] }))
      await bench.round(running)
      expect(bench.posts()[1]).to.deep.equal(bench.posts()[0])
      expect(signer.signed).to.have.length(3)
      expect(bench.registry.questions).to.have.length(1)
      expect(await bench.auditLines()).to.have.length(3)
    })

    it('for several nodes in one process, with one question to the beacon node', async () => {
      await bench.round(await bench.sidecar([node(1), node(2), node(3)]))
      expect(bench.posts().map(({ share_index }) => share_index)).to.deep.equal([1, 2, 3])
      expect(bench.registry.questions).to.deep.equal([{ publicKeys: KEYS, indexes: [1000, 1001, 1002] }])
    })

    it('a new index of a key beside the old one', async () => {
      const running = await bench.sidecar([node(1)])
      await bench.round(running)
      bench.wanted = [{ publicKey: A, validatorIndex: 1005 }]
      await bench.round(running)
      expect(bench.postedKeys()[1]).to.deep.equal([A])
      expect(bench.posts()[1]?.shares[0]?.exit_signature).to.not.equal(
        bench.posts()[0]?.shares[0]?.exit_signature,
      )
    })

    it('with the new share after the cluster changed', async () => {
      const signer = node(1)
      const running = await bench.sidecar([signer])
      await bench.round(running)
      signer.replaceShare(A, cluster.validators[0]?.shares[3]?.sk ?? '')
      await bench.round(running)
      expect(bench.posts()[1]?.shares[0]?.exit_signature).to.not.equal(
        bench.posts()[0]?.shares[0]?.exit_signature,
      )
    })
  })

  describe('what one bad item does to the others: nothing', () => {
    it('a key whose signing fails is logged once, the rest is posted', async () => {
      const signer = node(1)
      signer.broken.add(B)
      const running = await bench.sidecar([signer])
      await bench.round(running)
      await bench.round(running)
      expect(bench.postedKeys()[0]).to.deep.equal([A, C])
      expect(bench.log.messages('error')).to.deep.equal([
        'cannot sign an exit: this node has no share of that key',
      ])
      expect(await bench.auditLines()).to.have.length(2)
    })

    it('a rejected share is logged with its reason, kept back for a minute, then made and posted again', async () => {
      bench.rejectedKeys.add(B)
      const signer = node(1)
      const running = await bench.sidecar([signer])
      await bench.round(running)
      await bench.round(running)
      bench.clock.advance(60_000)
      await bench.round(running)
      expect(bench.postedKeys()).to.deep.equal([
        [A, B, C],
        [A, C],
        [A, B, C],
      ])
      expect(bench.log.messages('warn')).to.deep.equal(['the relayer rejected a share: wrong-signature'])
      expect(signer.signed.filter((exit) => exit.startsWith(B))).to.have.length(2)
    })

    it('a batch that the relayer answers 422 to is posted in halves until the bad item stands alone', async () => {
      const respond = bench.relayer.respond
      bench.relayer.respond = (request) =>
        request.path === '/exit-signature' && request.body.includes(B)
          ? { status: 422, body: { detail: [{ loc: ['body'], msg: 'bad share', type: 'x' }] } }
          : respond(request)
      const running = await bench.sidecar([node(1)])
      await bench.round(running)
      await bench.round(running)
      expect(bench.postedKeys().filter((keys) => !keys.includes(B))).to.deep.equal([[A], [C], [A, C]])
      expect(bench.log.messages('warn')).to.have.length(1)
      expect(bench.log.messages('warn')[0]).to.include('bad share')
    })

    it('a node that is refused does not stop the other nodes', async () => {
      const respond = bench.relayer.respond
      bench.relayer.respond = (request) =>
        request.body.includes('"share_index":1,')
          ? { status: 403, body: { detail: 'this token is for share index 2' } }
          : respond(request)
      const running = await bench.sidecar([node(1), node(2)])
      let refusal: unknown
      await bench.round(running).catch((error) => {
        refusal = error
      })
      expect(describeError(refusal)).to.include('this token is for share index 2')
      expect(bench.posts().map(({ share_index }) => share_index)).to.deep.equal([1, 2])
    })
  })
})
