import { expect } from 'chai'
import type { DepositRequest } from '../../../adapters/sidecar/deposit-rules.js'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { A, B, C, cluster, network, node, SidecarBench } from './sidecar-bench.js'

const VAULT: Hex = `0x${'be'.repeat(20)}`
const vaults = new Set([VAULT])

describe('Sidecar, where the relayer asks for deposits too', () => {
  let bench: SidecarBench
  const wanted = (publicKey: PublicKeyHex, changes: Partial<DepositRequest> = {}) => ({
    publicKey,
    validatorIndex: 1000,
    vault: VAULT,
    type: '0x01' as const,
    amount: 32_000_000_000n,
    ...changes,
  })
  const verdicts = async () => (await bench.auditLines()).map(({ verdict, reason }) => `${verdict} ${reason}`)
  const rounds = async (count: number, parts: Parameters<SidecarBench['sidecar']>) => {
    const sidecar = await bench.sidecar(...parts)
    for (let round = 0; round < count; round++) await bench.round(sidecar)
    return sidecar
  }

  beforeEach(async () => {
    bench = await new SidecarBench().start()
    bench.wanted = []
  })
  afterEach(() => bench.stop())

  it('posts both signatures of each, right under its public share', async () => {
    bench.validators = [wanted(A), wanted(B, { type: '0x02', amount: 2_048_000_000_000n })]
    await rounds(1, [[node(2)], { vaults }])
    expect(bench.postedValidators()).to.deep.equal([[A, B]])
    const [post] = bench.postedSignatures()
    expect(post?.share_index).to.equal(2)
    for (const [i, share] of (post?.shares ?? []).entries()) {
      const { type, amount } = bench.validators[i] ?? wanted(A)
      const own = cluster.validators[i]?.shares.find(({ index }) => index === 2)?.pk ?? ''
      expect(share.public_key_shares).to.deep.equal([
        { share_index: 2, public_key_share: `0x${own.replace(/^0x/, '')}` },
      ])
      const credentials = withdrawalCredentials(type, VAULT)
      const deposit = { publicKey: share.public_key, withdrawalCredentials: credentials, amount }
      for (const [message, signature] of [
        [depositSigningRoot(network, deposit), share.deposit_signature],
        [voluntaryExitSigningRoot(network, presignedExit(network, 1000)), share.exit_signature],
      ] as const) {
        const set = { message, publicKey: parsePublicKey(own), signature: parseSignature(signature) }
        expect(bls.verify(set)).to.equal(true)
      }
    }
  })

  it('notes both in the audit log before they leave, never a signature', async () => {
    bench.validators = [wanted(A, { type: '0x02', amount: 64_000_000_000n })]
    let linesAtPost = 0
    const respond = bench.relayer.respond
    bench.relayer.respond = async (request) => {
      if (request.path === '/signatures') linesAtPost = (await bench.auditLines()).length
      return respond(request)
    }
    await rounds(1, [[node(1)], { vaults }])
    expect(linesAtPost).to.equal(2)
    const lines = await bench.auditLines()
    expect(lines.map(({ reason }) => reason)).to.deep.equal(['not-on-chain', 'deposit'])
    const credentials = withdrawalCredentials('0x02', VAULT)
    const deposit = { publicKey: A, withdrawalCredentials: credentials, amount: 64_000_000_000n }
    expect(lines[1]).to.deep.equal({
      time: '2026-11-20T10:15:00.000Z',
      verdict: 'signed',
      reason: 'deposit',
      public_key: A,
      validator_index: 1000,
      vault: VAULT,
      validator_type: '0x02',
      amount: 64_000_000_000,
      signing_root: `0x${Buffer.from(depositSigningRoot(network, deposit)).toString('hex')}`,
      share_index: 1,
    })
    const text = JSON.stringify(lines) + bench.log.lines.join()
    const share = bench.postedSignatures()[0]?.shares[0]
    expect(text).to.not.include(share?.deposit_signature.slice(2, 40))
    expect(text).to.not.include(share?.exit_signature.slice(2, 40))
  })

  it('posts again what the relayer lost, without signing anew, and nothing that is ready or has its share', async () => {
    const signer = node(1)
    bench.validators = [wanted(A)]
    const sidecar = await rounds(2, [[signer], { vaults }])
    expect(bench.postedSignatures()[1]).to.deep.equal(bench.postedSignatures()[0])
    expect(signer.signed).to.have.length(1)
    expect(signer.signedDeposits).to.have.length(1)
    expect(await bench.auditLines()).to.have.length(2)
    bench.validators = [
      { ...wanted(A), shares: [1] },
      { ...wanted(B), ready: true },
    ]
    await bench.round(sidecar)
    expect(bench.postedSignatures()).to.have.length(2)
  })

  it('signs the deposit of another amount anew, the exit not', async () => {
    const signer = node(1)
    bench.validators = [wanted(A, { type: '0x02', amount: 40_000_000_000n })]
    const sidecar = await rounds(1, [[signer], { vaults }])
    bench.validators = [wanted(A, { type: '0x02', amount: 39_000_000_000n })]
    await bench.round(sidecar)
    expect(signer.signedDeposits).to.have.length(2)
    expect(signer.signed).to.have.length(1)
    const [first, second] = bench.postedSignatures().map(({ shares }) => shares[0])
    expect(second?.exit_signature).to.equal(first?.exit_signature)
    expect(second?.deposit_signature).to.not.equal(first?.deposit_signature)
  })

  it('signs with the new share after the cluster changed', async () => {
    const signer = node(1)
    bench.validators = [wanted(A)]
    const sidecar = await rounds(1, [[signer], { vaults }])
    signer.replaceShare(A, cluster.validators[0]?.shares[3]?.sk ?? '')
    await bench.round(sidecar)
    const [first, second] = bench.postedSignatures().map(({ shares }) => shares[0])
    expect(second?.deposit_signature).to.not.equal(first?.deposit_signature)
    expect(second?.public_key_shares).to.not.deep.equal(first?.public_key_shares)
  })

  it('signs no deposit whose exit may not be signed', async () => {
    bench.registry.keys.add(A)
    bench.validators = [wanted(A), wanted(B), { ...wanted(C), validatorIndex: 1001 }]
    const signer = node(1)
    // A takes one of two places, whatever is found out about it.
    await rounds(1, [[signer], { vaults, maxPerHour: 2 }])
    expect(bench.postedValidators()).to.deep.equal([[B]])
    expect(signer.signedDeposits.map((deposit) => deposit.slice(0, B.length))).to.deep.equal([B])
    expect(await verdicts()).to.have.members([
      'refused validator-exists',
      'signed not-on-chain',
      'signed deposit',
    ])
    bench.registry.down = true
    bench.validators = [{ ...wanted(C), validatorIndex: 1001 }]
    await rounds(1, [[signer], { vaults }])
    expect(bench.postedValidators()).to.have.length(1)
    expect(signer.signedDeposits).to.have.length(1)
  })

  it('counts no deposit against the hourly limit of exits, also over a restart', async () => {
    bench.validators = [wanted(A)]
    await rounds(1, [[node(1)], { vaults, maxPerHour: 2 }])
    bench.validators = [wanted(A), wanted(B)]
    await rounds(1, [[node(1)], { vaults, maxPerHour: 2 }])
    expect(bench.postedValidators()).to.deep.equal([[A], [A, B]])
  })

  it('keeps everything back while the audit log cannot be written', async () => {
    bench.validators = [wanted(A)]
    const append = async () => {
      throw new Error('no space left on device')
    }
    await rounds(2, [[node(1)], { vaults, audit: { append } }])
    expect(bench.postedValidators()).to.deep.equal([])
    expect(bench.log.messages('error')).to.deep.equal(['no space left on device'])
  })

  it('goes on with the others where one cannot be signed or is rejected', async () => {
    bench.validators = [wanted(A), wanted(B), wanted(C)]
    bench.wanted = [{ publicKey: C, validatorIndex: 1000 }]
    bench.rejectedKeys.add(C)
    const signer = node(1)
    const sign = signer.signDeposit.bind(signer)
    signer.signDeposit = async (key, deposit) => {
      if (key === B) throw new Error('the disk is gone')
      return sign(key, deposit)
    }
    const sidecar = await rounds(2, [[signer], { vaults }])
    expect(bench.postedValidators()).to.deep.equal([[A, C], [A]])
    expect(bench.log.messages('error')).to.deep.equal(['cannot sign a deposit: the disk is gone'])
    expect(bench.log.messages('warn')).to.deep.equal([
      'the relayer rejected a share: deposit: wrong-signature',
    ])
    expect(bench.posts(), 'what is held back does not go the other way').to.deep.equal([])
    bench.clock.advance(60_000)
    await bench.round(sidecar)
    expect(bench.postedValidators()[2]).to.deep.equal([A, C])
    expect(signer.signedDeposits).to.have.length(3)
  })

  it('posts for several nodes with one question to the beacon node', async () => {
    bench.validators = [wanted(A)]
    bench.wanted = [{ publicKey: B, validatorIndex: 1001 }]
    await rounds(1, [[node(1), node(2), node(3)], { vaults }])
    expect(bench.postedSignatures().map(({ share_index }) => share_index)).to.deep.equal([1, 2, 3])
    expect(bench.posts().map(({ share_index }) => share_index)).to.deep.equal([1, 2, 3])
    expect(bench.registry.questions).to.have.length(1)
  })

  it('handles a validator of both lists by its deposit and exit together, others by their exit alone', async () => {
    bench.validators = [wanted(A)]
    bench.wanted = [
      { publicKey: A, validatorIndex: 1000 },
      { publicKey: B, validatorIndex: 1001 },
    ]
    await rounds(1, [[node(1)], { vaults }])
    expect(bench.postedValidators()).to.deep.equal([[A]])
    expect(bench.postedKeys()).to.deep.equal([[B]])
  })

  it('signs exits alone where nobody named the vaults, and says so once', async () => {
    bench.validators = [wanted(A), wanted(C)]
    bench.wanted = [{ publicKey: A, validatorIndex: 1000 }]
    const signer = node(1)
    await rounds(2, [[signer]])
    expect(bench.postedValidators()).to.deep.equal([])
    expect(signer.signedDeposits).to.deep.equal([])
    expect(bench.postedKeys()).to.deep.equal([[A], [A]])
    expect(bench.log.messages('warn')).to.have.length(1)
    expect(bench.log.messages('warn')[0]).to.include('SIDECAR_VAULTS')
    expect(await verdicts()).to.deep.equal(['signed not-on-chain'])
  })
})
