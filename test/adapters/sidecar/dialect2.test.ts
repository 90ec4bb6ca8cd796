import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { DepositRequest } from '../../../adapters/sidecar/deposit-rules.js'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { fromHex, type Hex, type PublicKeyHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { TestSigner } from '../../doubles/signer.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'
import { A, B, cluster, network, SidecarBench } from './sidecar-bench.js'

const VAULT: Hex = `0x${'be'.repeat(20)}`
const OTHER: Hex = `0x${'cc'.repeat(20)}`

interface PostedSignatures {
  readonly share_index: number
  readonly shares: readonly {
    readonly public_key: PublicKeyHex
    readonly public_key_shares: readonly { share_index: number; public_key_share: PublicKeyHex }[]
    readonly exit_signature: Hex
    readonly deposit_signature: Hex
  }[]
}

describe('Sidecar, where the relayer asks for deposits too', () => {
  let bench: SidecarBench
  const node = (index: 1 | 2) =>
    new TestSigner(
      network,
      BigInt(index),
      cluster.validators.map(({ public_key, shares }) => [public_key, shares[index - 1]?.sk ?? ''] as const),
    )
  const wanted = (publicKey: PublicKeyHex, changes: Partial<DepositRequest> = {}) => ({
    publicKey,
    validatorIndex: 1000,
    vault: VAULT,
    type: '0x01' as const,
    amount: 32_000_000_000n,
    ...changes,
  })
  const posts = () =>
    bench.relayer.to('POST', '/signatures').map(({ body }) => parseJson(body) as PostedSignatures)
  const exitPosts = () => bench.relayer.to('POST', '/exit-signature')
  const audit = async () =>
    (await bench.auditLines()) as { verdict: string; reason: string; public_key: string; vault?: string }[]

  beforeEach(async () => {
    bench = await new SidecarBench().start()
    bench.wanted = []
  })
  afterEach(() => bench.stop())

  it('posts both signatures of a validator, right ones, with the public shares of the cluster', async () => {
    bench.validators = [wanted(A), wanted(B, { type: '0x02', amount: 2_048_000_000_000n })]
    await bench.round(await bench.sidecar([node(1)], { vaults: new Set([VAULT]) }))
    const [post, ...others] = posts()
    expect(others).to.deep.equal([])
    expect(post?.share_index).to.equal(1)
    expect(post?.shares.map(({ public_key }) => public_key)).to.deep.equal([A, B])
    for (const [i, share] of (post?.shares ?? []).entries()) {
      const { type, amount } = bench.validators?.[i] ?? wanted(A)
      const message = depositSigningRoot(network, {
        publicKey: share.public_key,
        withdrawalCredentials: withdrawalCredentials(type, VAULT),
        amount,
      })
      const own =
        share.public_key_shares.find(({ share_index }) => share_index === 1)?.public_key_share ?? '0x'
      const set = {
        message,
        publicKey: parsePublicKey(own),
        signature: parseSignature(share.deposit_signature),
      }
      expect(bls.verify(set)).to.equal(true)
    }
    expect((await audit()).map(({ verdict, reason }) => `${verdict} ${reason}`)).to.have.members([
      'signed deposit',
      'signed deposit',
      'signed not-on-chain',
      'signed not-on-chain',
    ])
  })

  for (const [what, changes, reason] of [
    ['to another vault', { vault: OTHER }, 'deposit-other-vault'],
    ['of 1 ETH', { amount: 1_000_000_000n }, 'deposit-wrong-amount'],
    ['of 64 ETH for type 0x01', { amount: 64_000_000_000n }, 'deposit-wrong-amount'],
    ['of 2049 ETH for type 0x02', { type: '0x02', amount: 2_049_000_000_000n }, 'deposit-wrong-amount'],
  ] as const) {
    it(`signs nothing of a validator whose deposit is ${what}, notes that once, and goes on with others`, async () => {
      bench.validators = [wanted(A, changes), wanted(B)]
      // The same relayer asks for the exit alone, too.
      bench.wanted = [{ publicKey: A, validatorIndex: 1000 }]
      const signer = node(1)
      const sidecar = await bench.sidecar([signer], { vaults: new Set([VAULT]) })
      await bench.round(sidecar)
      await bench.round(sidecar)
      expect(exitPosts()).to.deep.equal([])
      expect(signer.signed).to.deep.equal([`${B}/1000`])
      expect(posts()[0]?.shares.map(({ public_key }) => public_key)).to.deep.equal([B])
      const refusals = (await audit()).filter(({ verdict }) => verdict === 'refused')
      expect(refusals).to.have.length(1)
      expect(refusals[0]).to.include({ reason, public_key: A })
      expect(bench.log.messages('warn')).to.have.length(1)
    })
  }

  it('signs exits alone where nobody named the vaults, and says so once', async () => {
    bench.validators = [wanted(A)]
    bench.wanted = [{ publicKey: A, validatorIndex: 1000 }]
    const sidecar = await bench.sidecar([node(1)])
    await bench.round(sidecar)
    await bench.round(sidecar)
    expect(posts()).to.deep.equal([])
    expect(exitPosts()).to.have.length.above(0)
    expect(bench.log.messages('warn')).to.have.length(1)
    expect(bench.log.messages('warn')[0]).to.include('SIDECAR_VAULTS')
  })

  it('relies on the signer where that knows the addresses', async () => {
    const signer = node(1)
    signer.knowsWithdrawalAddresses = true
    bench.validators = [wanted(A, { vault: OTHER })]
    await bench.round(await bench.sidecar([signer]))
    expect(posts()).to.have.length(1)
  })

  it('does both dialects at once, each validator by one of them', async () => {
    bench.validators = [wanted(A)]
    bench.wanted = [
      { publicKey: A, validatorIndex: 1000 },
      { publicKey: B, validatorIndex: 1001 },
    ]
    await bench.round(await bench.sidecar([node(1)], { vaults: new Set([VAULT]) }))
    expect(posts().flatMap(({ shares }) => shares.map(({ public_key }) => public_key))).to.deep.equal([A])
    expect(bench.postedKeys()).to.deep.equal([[B]])
  })

  it('signs nothing anew for what the relayer lost, and nothing that is ready or has its share', async () => {
    const signer = node(1)
    const sidecar = await bench.sidecar([signer], { vaults: new Set([VAULT]) })
    bench.validators = [wanted(A)]
    await bench.round(sidecar)
    await bench.round(sidecar)
    expect(posts()[1]).to.deep.equal(posts()[0])
    expect(signer.signed).to.have.length(1)
    bench.validators = [
      { ...wanted(A), shares: [1] },
      { ...wanted(B), ready: true },
    ]
    await bench.round(sidecar)
    expect(posts()).to.have.length(2)
  })

  it('asks a relayer that was away again which dialect it speaks', async () => {
    bench.wanted = [{ publicKey: A, validatorIndex: 1000, shares: [1] }]
    const sidecar = await bench.sidecar([node(1)], { vaults: new Set([VAULT]) })
    const end = new AbortController()
    const respond = bench.relayer.respond
    bench.clock.onPause = (count) => {
      bench.relayer.respond = count === 2 ? () => ({ status: 503 }) : respond
      if (count === 4) bench.validators = [wanted(A)]
      if (count === 3) bench.validators = [wanted(A)]
      if (count === 7) end.abort()
    }
    await sidecar.run(end.signal)
    expect(posts()).to.have.length.above(0)
  })

  it('posts as the Python sidecar v2.1.0 does', async () => {
    const recording = readRecording('sidecar-v2.1.0-obol')
    const list = recording.find(({ request }) => request.path === '/validators')?.response
    const recorded = recording.find(({ request }) => request.path === '/signatures')
    if (list === undefined || recorded === undefined) throw new Error('the recording has both')
    const body = JSON.parse(recorded.request.body ?? '') as PostedSignatures
    const lockFile = new URL('../../fixtures/wire/sidecar-obol-cluster-lock.json', import.meta.url)
    expect(readFileSync(lockFile, 'utf8')).to.include(body.shares[0]?.public_key.slice(2))
    const signer = new TestSigner(
      network,
      1n,
      body.shares.map(({ public_key }) => [public_key, '01'.repeat(32)] as const),
    )
    const of = (key: PublicKeyHex) => body.shares.find(({ public_key }) => public_key === key)
    signer.validators = () =>
      new Map(
        body.shares.map(({ public_key, public_key_shares }) => [
          public_key,
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
      ) as ReturnType<TestSigner['validators']>
    signer.signExit = async (key) => fromHex(of(key)?.exit_signature ?? '')
    signer.signDeposit = async (key) => fromHex(of(key)?.deposit_signature ?? '')
    bench.relayer.respond = ({ method, path }) => {
      if (method === 'GET' && path === '/validators') return { body: list.body }
      return path === '/signatures' ? { body: recorded.response.body } : undefined
    }
    await bench.round(await bench.sidecar([signer], { vaults: new Set([VAULT]) }))
    expect(bench.relayer.to('POST', '/signatures').map(comparable)).to.deep.equal([
      comparable(recorded.request),
    ])
  })
})
