import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { GROUP_ORDER, interpolation } from '../../../core/bls/lagrange.js'
import { combinePublicKeys } from '../../../core/bls/linear-combination.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { secretFromScalar, secureRandomScalar } from '../../../core/bls/threshold.js'
import { type PublicKeyHex, toHex } from '../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import type { PostedSignatures, WantedDeposit, WantedValidator } from '../../../relayer/validators/service.js'
import {
  createCluster,
  exitRoot,
  fourNodeValidators,
  garbage,
  hoodi,
  type TestValidator,
} from '../clusters.js'
import { combineParts, type TestRelayer, TestWorld } from '../relayer.js'

const VAULT = `0x${'ba'.repeat(20)}` as const
const deposit = (amount = 32n, type: WantedDeposit['type'] = '0x01'): WantedDeposit => ({
  vault: VAULT,
  type,
  amount: amount * 1_000_000_000n,
})
const rootOf = (publicKey: PublicKeyHex, { vault, type, amount }: WantedDeposit) =>
  depositSigningRoot(hoodi, {
    publicKey,
    withdrawalCredentials: withdrawalCredentials(type, vault),
    amount,
  })

describe('a relayer that collects exits and deposits', () => {
  const [first, second] = fourNodeValidators
  if (first === undefined || second === undefined) throw new Error('the recordings have validators')
  let folder: string
  let world: TestWorld
  let relayer: TestRelayer

  const open = async (options: Parameters<TestWorld['open']>[0] = {}) => {
    relayer = await world.open({ file: join(folder, 'relayer.db'), ...options })
  }
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-validators-'))
    world = new TestWorld()
    await open()
  })
  afterEach(async () => {
    await relayer.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const wanted = (validator: TestValidator, index = 1000, of = deposit()): WantedValidator => ({
    publicKey: validator.validator.publicKey,
    validatorIndex: index,
    deposit: of,
  })
  /** A node's shares for what is wanted, with the claim of its cluster's public shares. */
  const shareOf = (
    { validator, sign, signRoot }: TestValidator,
    shareIndex: bigint,
    of = deposit(),
    index = 1000,
  ): PostedSignatures => ({
    publicKey: validator.publicKey,
    exitSignature: sign(shareIndex, index),
    depositSignature: signRoot(shareIndex, rootOf(validator.publicKey, of)),
    claimedShares: validator.shares,
  })
  const post = async (
    shareIndex: bigint,
    shares: readonly PostedSignatures[],
    caller = `node ${shareIndex}`,
  ) => {
    const rejected = await relayer.service.postSignatures(shareIndex, shares, caller)
    await relayer.service.idle()
    return rejected
  }
  const collected = async (item: WantedValidator) => {
    const [validator] = await relayer.service.requestValidators([item])
    if (validator === undefined) throw new Error('no answer')
    return validator
  }
  /** Both signatures are there and right. */
  const expectReady = async (item: WantedValidator) => {
    const { publicKey, depositSignature, oracleShares } = await collected(item)
    if (depositSignature === null || oracleShares === null) throw new Error('not ready')
    const exit = combineParts(world.oracles, oracleShares, publicKey, item.validatorIndex)
    for (const [message, signature] of [
      [rootOf(publicKey, item.deposit), depositSignature],
      [exitRoot(item.validatorIndex), exit],
    ] as const) {
      const set = { message, publicKey: parsePublicKey(publicKey), signature: parseSignature(signature) }
      expect(bls.verify(set)).to.equal(true)
    }
  }
  const listed = async () =>
    (await relayer.service.listValidators()).map(
      ({ publicKey, isReady, shareIndexesReady, validatorIndex }) => ({
        publicKey,
        isReady,
        shares: shareIndexesReady.map(Number),
        validatorIndex,
      }),
    )

  for (const knowing of ['claimed', 'given'] as const) {
    it(`makes both signatures from shares under ${knowing} public shares`, async () => {
      if (knowing === 'given') world.sharings = [first.validator]
      const item = wanted(first, 1000, deposit(64n, '0x02'))
      await collected(item)
      for (const shareIndex of [1n, 2n, 4n])
        await post(shareIndex, [shareOf(first, shareIndex, item.deposit)])
      await expectReady(item)
      expect(await listed()).to.deep.equal([
        { publicKey: item.publicKey, isReady: true, shares: [1, 2, 4], validatorIndex: 1000 },
      ])
    })
  }

  it('makes them from shares without any claim, as sidecars of v2.0 post them, garbage among them', async () => {
    const item = wanted(first)
    await collected(item)
    const bare = (shareIndex: bigint) => ({ ...shareOf(first, shareIndex), claimedShares: undefined })
    await post(1n, [bare(1n)])
    await post(2n, [{ ...bare(2n), depositSignature: garbage(2) }])
    await post(3n, [bare(3n)])
    await post(4n, [bare(4n)])
    await expectReady(item)
  })

  it('counts shares that came without a claim under a claim that comes later', async () => {
    await relayer.close()
    // No fallback threshold fits: nothing is tried.
    await open({ signatureThreshold: 4 })
    const item = wanted(first)
    await collected(item)
    for (const shareIndex of [1n, 2n]) {
      await post(shareIndex, [{ ...shareOf(first, shareIndex), claimedShares: undefined }])
    }
    await post(3n, [shareOf(first, 3n)])
    await expectReady(item)
  })

  it('lists a node when both of its shares are there, and a validator as ready when both signatures are', async () => {
    world.sharings = [first.validator]
    const item = wanted(first)
    await collected(item)
    await post(1n, [{ ...shareOf(first, 1n), depositSignature: garbage(1) }])
    expect(await listed()).to.deep.include({
      publicKey: item.publicKey,
      isReady: false,
      shares: [],
      validatorIndex: 1000,
    })
    const alone = [{ publicKey: item.publicKey, signature: first.sign(2n, 1000) }]
    await relayer.service.postShares(2n, alone, 'node 2')
    expect((await listed())[0]?.shares).to.deep.equal([])
    await post(2n, [shareOf(first, 2n)])
    expect((await listed())[0]?.shares).to.deep.equal([2])
  })

  it('names wrong shares at once where public shares are given, the exit’s and the deposit’s', async () => {
    world.sharings = [first.validator]
    await collected(wanted(first))
    const right = shareOf(first, 1n)
    expect(await post(1n, [{ ...right, depositSignature: garbage(1) }])).to.deep.equal([
      { publicKey: right.publicKey, reason: 'wrong-signature', signature: 'deposit' },
    ])
    expect(await post(1n, [{ ...right, exitSignature: garbage(1) }])).to.deep.equal([
      { publicKey: right.publicKey, reason: 'wrong-signature', signature: 'exit' },
    ])
    expect((await post(9n, [right])).map(({ reason }) => reason)).to.deep.equal([
      'unknown-share-index',
      'unknown-share-index',
    ])
  })

  it('keeps the signatures of an index when it moves, and makes only the exit anew', async () => {
    await collected(wanted(first, 1000))
    for (const shareIndex of [1n, 2n, 3n]) await post(shareIndex, [shareOf(first, shareIndex)])
    const moved = wanted(first, 1001)
    const { depositSignature, oracleShares } = await collected(moved)
    expect(depositSignature).to.not.equal(null)
    expect(oracleShares).to.equal(null)
    for (const shareIndex of [2n, 3n, 4n])
      await post(shareIndex, [shareOf(first, shareIndex, deposit(), 1001)])
    await expectReady(moved)
    await expectReady(wanted(first, 1000))
  })

  it('never takes the deposit signature of another amount, vault or type', async () => {
    await collected(wanted(first, 1000, deposit(64n, '0x02')))
    const others = [
      deposit(32n, '0x02'),
      deposit(64n, '0x01'),
      { ...deposit(64n, '0x02'), vault: `0x${'cc'.repeat(20)}` as const },
    ]
    for (const [i, other] of others.entries()) {
      await post(BigInt(i + 1), [shareOf(first, BigInt(i + 1), other)])
    }
    expect((await collected(wanted(first, 1000, deposit(64n, '0x02')))).depositSignature).to.equal(null)
    for (const shareIndex of [1n, 2n, 3n]) {
      await post(shareIndex, [shareOf(first, shareIndex, deposit(64n, '0x02'))])
    }
    await expectReady(wanted(first, 1000, deposit(64n, '0x02')))
  })

  it('has both signatures, and the claims, after a restart in the middle', async () => {
    const items = [wanted(first), wanted(second, 1001)]
    await relayer.service.requestValidators(items)
    await post(1n, [shareOf(first, 1n), shareOf(second, 1n, deposit(), 1001)])
    await post(2n, [shareOf(first, 2n), shareOf(second, 2n, deposit(), 1001)])
    await relayer.close()
    await open()
    await post(3n, [
      { ...shareOf(first, 3n), claimedShares: undefined },
      shareOf(second, 3n, deposit(), 1001),
    ])
    for (const item of items) await expectReady(item)
    const sealed = await relayer.database.selectFrom('signature_shares').select('sealed').execute()
    expect(sealed.every((row) => row.sealed.length === 96 + 28)).to.equal(true)
  })

  it('drops what nobody asks for, its claims too', async () => {
    await collected(wanted(first))
    await post(1n, [shareOf(first, 1n)])
    world.now += 3601
    await relayer.service.sweep()
    expect(await listed()).to.deep.equal([])
    for (const table of ['messages', 'signature_shares', 'claimed_sharings'] as const) {
      expect(await relayer.database.selectFrom(table).selectAll().execute(), table).to.deep.equal([])
    }
  })

  it('lists exits of dialect 1 with the deposit of its configuration, and leaves those without one out', async () => {
    const [a, b] = [first.validator.publicKey, second.validator.publicKey]
    world.deposits.set(a, deposit())
    await relayer.service.requestExits([a, b])
    const [only, ...others] = await relayer.service.listValidators()
    expect(others).to.deep.equal([])
    expect(only).to.deep.include({ publicKey: a, deposit: deposit(), validatorIndex: 1000 })
    // A sidecar of dialect 2 finishes the exit; its deposit share is not wanted.
    for (const shareIndex of [1n, 2n, 3n])
      expect(await post(shareIndex, [shareOf(first, shareIndex)])).to.deep.equal([])
    const [exit] = await relayer.service.requestExits([a, b])
    expect(exit?.oracleShares).to.not.equal(null)
  })

  describe('with a node that claims a forged set of public shares', () => {
    /**
     * A set that interpolates to the key and that nobody shared: the forger knows the secrets of some entries, and
     * makes the others fit.
     */
    const forge = (validator: TestValidator, known: readonly bigint[]) => {
      const { publicKey, threshold, shares } = validator.validator
      const secrets = new Map(known.slice(0, threshold - 1).map((index) => [index, secureRandomScalar()]))
      const basis = [0n, ...secrets.keys()]
      const points = [
        parsePublicKey(publicKey),
        ...[...secrets.values()].map((secret) => bls.toPublicKey(secretFromScalar(secret))),
      ]
      const at = (x: bigint): PublicKeyHex => {
        const own = secrets.get(x)
        if (own !== undefined) return toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(own))))
        // Lagrange over {0, known…} in the exponent; every index moved by one so that 0 is allowed.
        const { coefficients, denominator } = interpolation(
          basis.map((index) => index + 1n),
          x + 1n,
        )
        const scale = invert(denominator)
        return toHex(
          bls.encodePublicKey(
            combinePublicKeys(
              points,
              coefficients.map((c) => (((c * scale) % GROUP_ORDER) + GROUP_ORDER) % GROUP_ORDER),
            ),
          ),
        )
      }
      const claimedShares = new Map([...shares.keys()].map((index) => [index, at(index)]))
      const sign = (shareIndex: bigint, root: Uint8Array) =>
        bls.encodeSignature(bls.sign(secretFromScalar(secrets.get(shareIndex) ?? 1n), root))
      return { claimedShares, sign }
    }
    const invert = (value: bigint) =>
      power(((value % GROUP_ORDER) + GROUP_ORDER) % GROUP_ORDER, GROUP_ORDER - 2n)
    const power = (base: bigint, exponent: bigint): bigint => {
      let result = 1n
      for (let b = base, e = exponent; e > 0n; e >>= 1n) {
        if (e & 1n) result = (result * b) % GROUP_ORDER
        b = (b * b) % GROUP_ORDER
      }
      return result
    }

    for (const order of ['before', 'after', 'between'] as const) {
      it(`that posts ${order} the honest nodes: these finish, and no wrong signature comes out`, async () => {
        const cluster = createCluster([1n, 2n, 3n, 4n], 3)
        const item = wanted(cluster)
        await collected(item)
        const { claimedShares, sign } = forge(cluster, [1n, 2n])
        const attack = async () => {
          for (const shareIndex of [1n, 2n]) {
            const forged = {
              publicKey: item.publicKey,
              exitSignature: sign(shareIndex, exitRoot(1000)),
              depositSignature: sign(shareIndex, rootOf(item.publicKey, item.deposit)),
              claimedShares,
            }
            await post(shareIndex, [forged], 'the forger')
          }
          // It took: both of its shares count under its own set.
          const sets = await relayer.database.selectFrom('claimed_sharings').selectAll().execute()
          expect(sets.some(({ caller }) => caller === 'the forger')).to.equal(true)
        }
        if (order === 'before') await attack()
        await post(2n, [shareOf(cluster, 2n)])
        if (order === 'between') await attack()
        await post(3n, [shareOf(cluster, 3n)])
        if (order === 'after') await attack()
        expect((await collected(item)).depositSignature).to.equal(null)
        await post(4n, [{ ...shareOf(cluster, 4n), claimedShares: undefined }])
        await expectReady(item)
      })
    }

    it('or many of them: a caller holds a few, and honest nodes still finish', async () => {
      const cluster = createCluster([1n, 2n, 3n, 4n], 3)
      const item = wanted(cluster)
      await collected(item)
      await post(2n, [shareOf(cluster, 2n)])
      for (let i = 0; i < 24; i++) {
        const { claimedShares } = forge(cluster, [1n, 4n])
        await post(
          1n,
          [
            {
              ...shareOf(cluster, 1n),
              claimedShares,
              exitSignature: garbage(i),
              depositSignature: garbage(i),
            },
          ],
          `forger ${i % 20}`,
        )
      }
      const sets = await relayer.database.selectFrom('claimed_sharings').selectAll().execute()
      expect(sets.length).to.be.at.most(16)
      await post(3n, [shareOf(cluster, 3n)])
      await post(4n, [shareOf(cluster, 4n)])
      await expectReady(item)
    })

    it('that does not make the key: it is not kept', async () => {
      const item = wanted(first)
      await collected(item)
      const claimedShares = new Map(
        [...first.validator.shares].map(([index, share]) => [
          index,
          index === 4n ? second.validator.publicKey : share,
        ]),
      )
      await post(1n, [{ ...shareOf(first, 1n), claimedShares }])
      expect(await relayer.database.selectFrom('claimed_sharings').selectAll().execute()).to.deep.equal([])
    })
  })

  it('asks for points and distinct keys', async () => {
    const bad = `0x${'11'.repeat(48)}` as const
    const failing = relayer.service.requestValidators([{ ...wanted(first), publicKey: bad }])
    expect((await failing.catch((error: unknown) => error)) as Error).to.have.property(
      'code',
      'INVALID_PUBLIC_KEY',
    )
    const twice = relayer.service.requestValidators([wanted(first), wanted(first, 1001)])
    expect((await twice.catch((error: unknown) => error)) as Error).to.have.property(
      'code',
      'DUPLICATE_PUBLIC_KEY',
    )
  })
})
