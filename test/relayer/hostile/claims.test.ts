import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PublicKeyHex } from '../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { roomForSet, SETS_OF_A_KEY } from '../../../relayer/validators/claim-room.js'
import { ClaimedSharings } from '../../../relayer/validators/claimed-sharings.js'
import type { WantedDeposit } from '../../../relayer/validators/service.js'
import { Random } from '../../soak/kills/random.js'
import { exitRoot, hoodi } from '../clusters.js'
import { type TestRelayer, type TestRelayerOptions, TestWorld } from '../relayer.js'
import { randomScalar, SeededCluster, type Sign, signWith } from './cluster.js'

const deposit: WantedDeposit = { vault: `0x${'ba'.repeat(20)}`, type: '0x01', amount: 32_000_000_000n }

describe('forged public shares', () => {
  const random = new Random(7, 'claims')
  const cluster = new SeededCluster(random, [1n, 2n, 3n, 4n], 3)
  const { publicKey } = cluster
  const right = cluster.validator.shares
  let relayer: TestRelayer

  const open = async (options: TestRelayerOptions = {}, world = new TestWorld()) => {
    relayer = await world.open(options)
    await relayer.service.requestValidators([{ publicKey, validatorIndex: 1_000, deposit }])
  }
  afterEach(() => relayer.close())

  const post = async (
    node: number,
    sign: Sign,
    {
      caller = `token node-${node}`,
      claims,
    }: { caller?: string; claims?: ReadonlyMap<bigint, PublicKeyHex> },
  ) => {
    const credentials = withdrawalCredentials(deposit.type, deposit.vault)
    const root = depositSigningRoot(hoodi, {
      publicKey,
      withdrawalCredentials: credentials,
      amount: deposit.amount,
    })
    const shares = [
      {
        publicKey,
        exitSignature: sign(exitRoot(1_000)),
        depositSignature: sign(root),
        claimedShares: claims,
      },
    ]
    await relayer.service.postSignatures(BigInt(node), shares, caller)
    await relayer.service.idle()
  }
  const honest = (node: number, claims?: ReadonlyMap<bigint, PublicKeyHex>) =>
    post(node, cluster.signerOf(BigInt(node)), claims === undefined ? {} : { claims })
  const shown = async () => {
    const [own] = await relayer.service.listValidators()
    return { ready: own?.isReady, listed: own?.shareIndexesReady.map(Number) }
  }
  /** The forger's shares at these nodes' indexes, right under its own set. */
  const forge = async (known: readonly bigint[], taken: readonly bigint[] = []) => {
    const { claimedShares, signers } = cluster.forge(known, taken)
    for (const [node, sign] of signers)
      await post(Number(node), sign, { caller: 'the forger', claims: claimedShares })
    return claimedShares
  }

  it('keep no honest node’s index listed, once the right ones are claimed', async () => {
    await open({ signatureThreshold: null })
    await forge([1n, 2n])
    expect((await shown()).listed).to.deep.equal([1, 2])
    await honest(3, right)
    expect(await shown(), 'nodes 1 and 2 are asked').to.deep.equal({ ready: false, listed: [] })
    await honest(1, right)
    await honest(2)
    expect((await shown()).ready).to.equal(true)
  })

  it('unlist what they contradict, and nothing that they agree with', async () => {
    await open({ signatureThreshold: null })
    await honest(1, right)
    await honest(3, right)
    expect((await shown()).listed).to.deep.equal([1, 3])
    await forge([4n], [3n])
    expect((await shown()).listed).to.not.include(1)
  })

  it('hold up no nodes that claim nothing: what verifies under a set is tried with the others', async () => {
    await open()
    // The forger takes over the entries of 1 and 2, whose shares are then right under its set; that of 3 is not.
    await forge([4n], [1n])
    for (const node of [1, 2, 3]) await honest(node)
    expect((await shown()).ready).to.equal(true)
  })

  it('do not make a wrong share of a later set’s node stay listed', async () => {
    await open()
    await post(3, signWith(randomScalar(random)), { caller: 'the liar' })
    expect((await shown()).listed).to.deep.equal([3])
    await honest(1, right)
    expect((await shown()).listed).to.not.include(3)
  })

  it('that make no key are looked at once, and those in the place of others as often as a budget allows', async () => {
    await open()
    let checked = 0
    const { crypto } = relayer
    const check = crypto.checkSharings.bind(crypto)
    Object.assign(crypto, {
      checkSharings: (sharings: Parameters<typeof check>[0]) => {
        checked += sharings.length
        return check(sharings)
      },
    })
    const wrong = new Map([...right].map(([node, share]) => [node, node === 4n ? publicKey : share]))
    for (let i = 0; i < 3; i++) await honest(1, wrong)
    expect(checked).to.equal(1)
    for (let i = 0; i < 5; i++) {
      const { claimedShares } = cluster.forge([1n, 2n], [])
      await post(1, cluster.signerOf(1n), { caller: 'the forger', claims: claimedShares })
    }
    const sets = await relayer.database.selectFrom('claimed_sharings').selectAll().execute()
    expect(sets).to.have.length(3)
  })

  it('or right ones are counted at the next start, where a process ended when it had just kept them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-claims-'))
    try {
      const world = new TestWorld()
      const options = { file: join(folder, 'relayer.db'), signatureThreshold: null }
      await open(options, world)
      for (const node of [1, 2]) await honest(node)
      const kept = { ...cluster.validator, caller: 'token node-1', claimedAt: 1 }
      await (await ClaimedSharings.open(relayer.database)).replace([kept], [])
      await relayer.close()
      await open(options, world)
      await honest(3)
      expect((await shown()).ready).to.equal(true)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('room for a claimed set', () => {
  const set = (caller: string, claimedAt: number) => ({ caller, claimedAt })
  const none = () => 0

  it('is made of the caller’s own, the least supported first', () => {
    const held = [set('a', 1), set('a', 2), set('b', 0), set('a', 3)]
    const support = (own: { claimedAt: number }) => (own.claimedAt === 1 ? 2 : 1)
    expect(roomForSet('a', held, 3, support)).to.deep.equal({ kind: 'room', removed: held[1] })
    expect(roomForSet('c', held, 3, support)).to.deep.equal({ kind: 'room', removed: undefined })
  })

  it('is not made of a token’s for an address', () => {
    const tokens = Array.from({ length: SETS_OF_A_KEY }, (_, i) => set(`token ${i}`, i))
    expect(roomForSet('10.0.0.1', tokens, 3, none)).to.deep.equal({ kind: 'full' })
    const mixed = [...tokens.slice(1), set('10.0.0.2', 9)]
    expect(roomForSet('token new', mixed, 3, none)).to.deep.equal({ kind: 'room', removed: mixed.at(-1) })
    expect(roomForSet('10.0.0.1', mixed, 3, none)).to.deep.equal({ kind: 'room', removed: mixed.at(-1) })
  })
})
