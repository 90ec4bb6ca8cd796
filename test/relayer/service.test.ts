import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { bls } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { toHex } from '../../core/hex.js'
import type { RejectedShare } from '../../relayer/exits/service.js'
import {
  exitRoot,
  fourNodeValidators,
  type GoldenExit,
  garbage,
  obolExits,
  ssvExits,
  type TestValidator,
} from './clusters.js'
import {
  combineParts,
  createOracles,
  inThisThread,
  type TestRelayer,
  type TestRelayerOptions,
  TestWorld,
} from './relayer.js'

const [first, second, third] = fourNodeValidators as [TestValidator, TestValidator, TestValidator]
/** All nodes post from one address. */
const CALLER = '10.0.0.1'
const keyOf = (validator: TestValidator) => validator.validator.publicKey

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code,
  )
}

describe('relayer service', () => {
  let world: TestWorld
  let relayer: TestRelayer
  beforeEach(async () => {
    world = new TestWorld()
    relayer = await world.open()
  })
  afterEach(() => relayer.close())

  /** Replaces the relayer by one with other options. */
  const reopen = async (options: TestRelayerOptions) => {
    await relayer.close()
    relayer = await world.open(options)
  }
  const ask = (...validators: TestValidator[]) => relayer.service.requestExits(validators.map(keyOf))
  const post = async (
    validator: TestValidator,
    shareIndex: number | bigint,
    signature = validator.sign(BigInt(shareIndex), world.nextIndex),
  ): Promise<readonly RejectedShare[]> => {
    const shares = [{ publicKey: keyOf(validator), signature }]
    const rejected = await relayer.service.postShares(BigInt(shareIndex), shares, CALLER)
    await relayer.service.idle()
    return rejected
  }
  const shown = async (validator: TestValidator) => {
    const exits = await relayer.service.listExits()
    const own = exits.filter((exit) => exit.publicKey === keyOf(validator))
    expect(own).to.have.length(1)
    const [exit] = own
    if (exit === undefined) throw new Error('no exit')
    return {
      index: exit.validatorIndex,
      ready: exit.isExitSignatureReady,
      listed: exit.shareIndexesReady.map(Number),
    }
  }
  /** Asks for the exit and checks that the oracles’ parts make a right signature for its index. */
  const expectReady = async (...validators: TestValidator[]) => {
    for (const [i, exit] of (await ask(...validators)).entries()) {
      expect(exit.validatorIndex).to.equal(world.nextIndex + i)
      if (exit.oracleShares === null) throw new Error(`${exit.publicKey} is not ready`)
      const signature = combineParts(world.oracles, exit.oracleShares, exit.publicKey, exit.validatorIndex)
      const message = exitRoot(exit.validatorIndex)
      expect(
        bls.verify({
          message,
          publicKey: parsePublicKey(exit.publicKey),
          signature: parseSignature(signature),
        }),
      ).to.equal(true)
    }
  }
  const knowPublicShares = () => {
    world.sharings = fourNodeValidators.map(({ validator }) => validator)
  }

  describe('requests', () => {
    it('give the i-th key the index start + i', async () => {
      const exits = await ask(third, first, second)
      expect(exits.map((exit) => [exit.publicKey, exit.validatorIndex, exit.oracleShares])).to.deep.equal([
        [keyOf(third), 1_000, null],
        [keyOf(first), 1_001, null],
        [keyOf(second), 1_002, null],
      ])
    })

    it('refuse duplicates, points outside the subgroup, deposited keys, and name them', async () => {
      expect(await codeOf(ask(first, second, first))).to.equal('DUPLICATE_PUBLIC_KEY')
      const infinity = `0xc0${'00'.repeat(47)}` as const
      for (const bad of [infinity, `0x${'11'.repeat(48)}` as const]) {
        const error = await relayer.service
          .requestExits([keyOf(first), bad])
          .catch((caught: unknown) => caught)
        expect(error).to.include({ code: 'INVALID_PUBLIC_KEY', position: 1, publicKey: bad })
      }
      world.known = [keyOf(second)]
      const error = await ask(first, second).catch((caught: unknown) => caught)
      expect(error).to.include({ code: 'KNOWN_VALIDATOR', position: 1, publicKey: keyOf(second) })
      expect(await relayer.service.listExits()).to.have.length(0)
    })

    it('are refused above the limits, and nothing of them is stored', async () => {
      await reopen({ limits: { maxKeysPerRequest: 2, maxExits: 2 } })
      expect(await codeOf(ask(first, second, third))).to.equal('TOO_MANY_EXITS')
      await ask(first)
      expect(await codeOf(ask(second, third))).to.equal('TOO_MANY_EXITS')
      expect(await relayer.service.listExits()).to.have.length(1)
      world.nextIndex += 5
      await ask(first, second)
    })

    it('fail while chain or oracles cannot be asked, and go on afterwards', async () => {
      world.chainUp = false
      expect(await codeOf(ask(first))).to.equal('ALL_ENDPOINTS_FAILED')
      world.chainUp = true
      world.currentOracles = undefined
      expect(await codeOf(ask(first))).to.equal('ORACLES_UNKNOWN')
      world.currentOracles = world.oracles.config
      await ask(first)
    })

    it('write nothing and change no version when polled', async () => {
      await ask(first, second)
      const version = relayer.service.listVersion
      for (let poll = 0; poll < 3; poll++) await ask(first, second)
      expect(relayer.service.listVersion).to.equal(version)
    })

    it('may come at the same time', async () => {
      const answers = await Promise.all([ask(first, second), ask(second, first), ask(first, second)])
      for (const exits of answers) {
        expect(exits.map((exit) => exit.validatorIndex)).to.deep.equal([1_000, 1_001])
      }
      expect(await relayer.service.listExits()).to.have.length(2)
    })
  })

  for (const known of [true, false]) {
    describe(known ? 'with known public shares' : 'without public shares', () => {
      beforeEach(() => {
        if (known) knowPublicShares()
      })

      it('any three of four nodes make the exit, in any order', async () => {
        const validators = fourNodeValidators.slice(0, 4)
        await ask(...validators)
        for (const [i, validator] of validators.entries()) {
          const nodes = [1n, 2n, 3n, 4n].filter((node) => node !== BigInt(i + 1)).reverse()
          for (const node of nodes) {
            expect(await post(validator, node, validator.sign(node, 1_000 + i))).to.deep.equal([])
          }
        }
        await expectReady(...validators)
      })

      it('two of four are not enough', async () => {
        await ask(first)
        await post(first, 1)
        await post(first, 4)
        expect(await shown(first)).to.deep.equal({ index: 1_000, ready: false, listed: [1, 4] })
      })

      for (const bad of [1n, 2n, 3n, 4n]) {
        for (const posts of ['first', 'last']) {
          it(`a wrong share of node ${bad}, posted ${posts}, stops nobody`, async () => {
            await ask(first)
            const honest = [1n, 2n, 3n, 4n].filter((node) => node !== bad)
            const order = posts === 'first' ? [bad, ...honest] : [...honest, bad]
            for (const node of order) {
              const rejected = await post(first, node, node === bad ? garbage(1) : first.sign(node, 1_000))
              const checked = known && node === bad
              expect(rejected).to.deep.equal(
                checked ? [{ publicKey: keyOf(first), reason: 'wrong-signature' }] : [],
              )
            }
            await expectReady(first)
          })
        }
      }

      it('a stranger who posts garbage for every node before anyone else stops nobody', async () => {
        await ask(first)
        for (const node of [1n, 2n, 3n, 4n]) await post(first, node, garbage(Number(node)))
        expect((await shown(first)).listed).to.deep.equal([])
        for (const node of [1n, 2n, 3n]) await post(first, node)
        await expectReady(first)
      })

      it('what is no point is rejected', async () => {
        await ask(first)
        const infinity = new Uint8Array(96)
        infinity[0] = 0xc0
        for (const signature of [infinity, new Uint8Array(96).fill(0x11), new Uint8Array(96)]) {
          expect(await post(first, 1, signature)).to.deep.equal([
            { publicKey: keyOf(first), reason: 'not-a-point' },
          ])
        }
        expect((await shown(first)).listed).to.deep.equal([])
      })

      it('shares of unknown keys are ignored before any BLS work', async () => {
        const crypto = inThisThread()
        await reopen({ crypto })
        expect(await post(first, 1)).to.deep.equal([])
        expect(crypto.work.checked).to.equal(0)
      })

      it('the same bytes again cost no BLS work, right or wrong, before the exit is ready and after', async () => {
        const crypto = inThisThread()
        await reopen({ crypto })
        await ask(first)
        const posts = async () => {
          await post(first, 1)
          await post(first, 2, garbage(2))
          await post(first, 3)
        }
        await posts()
        const before = { ...crypto.work }
        await posts()
        await posts()
        expect(crypto.work).to.deep.equal(before)
        await post(first, 4)
        const ready = { ...crypto.work }
        await posts()
        await post(first, 4)
        expect(crypto.work).to.deep.equal(ready)
        await expectReady(first)
      })

      it('a late share changes nothing but the list, and the same bytes come at each request', async () => {
        await ask(first)
        for (const node of [1, 2, 3]) await post(first, node)
        const before = await ask(first)
        expect(await post(first, 4)).to.deep.equal([])
        expect(await ask(first)).to.deep.equal(before)
        expect(await shown(first)).to.deep.equal({ index: 1_000, ready: true, listed: [1, 2, 3, 4] })
      })

      it('another order, a part, and back again lose nothing', async () => {
        await ask(first, second)
        await post(first, 1)
        await post(first, 2)
        for (const node of [1n, 2n, 3n]) await post(second, node, second.sign(node, 1_001))
        await ask(second, first)
        expect(await shown(first)).to.deep.equal({ index: 1_001, ready: false, listed: [] })
        expect(await shown(second)).to.deep.equal({ index: 1_000, ready: false, listed: [] })
        await ask(second)
        await ask(first, second)
        expect(await shown(first)).to.deep.equal({ index: 1_000, ready: false, listed: [1, 2] })
        expect((await shown(second)).ready).to.equal(true)
        await post(first, 4)
        await expectReady(first, second)
      })

      it('a share for the old index that comes when the index has moved counts there', async () => {
        await ask(first)
        await post(first, 1)
        await post(first, 2)
        world.nextIndex = 1_001
        await ask(first)
        await post(first, 3, first.sign(3n, 1_000))
        world.nextIndex = 1_000
        await ask(first)
        await relayer.service.idle()
        await expectReady(first)
        world.nextIndex = 1_001
        await ask(first)
        expect((await shown(first)).listed, 'shares of the old index are not the new one’s').to.deep.equal([])
        for (const node of [1, 2, 3]) await post(first, node)
        await expectReady(first)
      })

      it('keeps the four indexes asked for last', async () => {
        for (let index = 1_000; index < 1_005; index++) {
          world.nextIndex = index
          await ask(first)
          await post(first, 1)
        }
        expect(await shown(first)).to.deep.equal({ index: 1_004, ready: false, listed: [1] })
        for (const [index, listed] of [
          [1_001, [1]],
          [1_000, []],
        ] as const) {
          world.nextIndex = index
          await ask(first)
          expect(await shown(first)).to.deep.equal({ index, ready: false, listed })
        }
      })

      it('drops an exit when nobody asked for it during its lifetime, not while it is asked for', async () => {
        await ask(first, second)
        for (let hour = 0; hour < 3; hour++) {
          world.now += 3_000
          await ask(first)
        }
        expect((await relayer.service.listExits()).map((exit) => exit.publicKey)).to.deep.equal([
          keyOf(first),
        ])
        world.now += 3_601
        expect(await relayer.service.listExits()).to.deep.equal([])
        expect(await relayer.database.selectFrom('signature_shares').selectAll().execute()).to.deep.equal([])
      })

      it('drops shares and parts when the validator has its deposit', async () => {
        await ask(first, second)
        for (const node of [1, 2, 3]) await post(first, node)
        world.known = [keyOf(first)]
        await relayer.service.sweep()
        expect((await relayer.service.listExits()).map((exit) => exit.publicKey)).to.deep.equal([
          keyOf(second),
        ])
        for (const table of ['signature_shares', 'sealed_parts'] as const) {
          expect(await relayer.database.selectFrom(table).selectAll().execute()).to.deep.equal([])
        }
      })

      it('makes the parts anew when the oracles change, and has the old ones when they change back', async () => {
        await ask(first)
        for (const node of [1, 2, 3]) await post(first, node)
        const before = await ask(first)
        const old = world.oracles
        Object.assign(world, { oracles: createOracles(5, 3) })
        world.currentOracles = world.oracles.config
        world.announceOracles()
        await relayer.service.idle()
        const [exit] = await ask(first)
        expect(exit?.oracleShares?.publicKeys).to.have.length(5)
        await expectReady(first)
        Object.assign(world, { oracles: old })
        world.currentOracles = old.config
        world.announceOracles()
        await relayer.service.idle()
        expect(await ask(first)).to.deep.equal(before)
      })

      it('goes on after a restart at any point', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'relayer-'))
        const file = join(folder, 'relayer.db')
        try {
          await reopen({ file })
          await ask(first)
          await post(first, 1)
          await reopen({ file })
          expect((await shown(first)).listed).to.deep.equal([1])
          await post(first, 2)
          // The oracles are away: the third share is stored, and its recovery is left to the next start.
          world.currentOracles = undefined
          await post(first, 4)
          world.currentOracles = world.oracles.config
          await reopen({ file })
          await relayer.service.idle()
          await expectReady(first)
          const before = await ask(first)
          await reopen({ file })
          expect(await ask(first)).to.deep.equal(before)
        } finally {
          await relayer.close()
          rmSync(folder, { recursive: true })
          relayer = await world.open()
        }
      })
    })
  }

  describe('golden clusters', () => {
    const goldens: [string, GoldenExit, bigint[]][] = [
      ...obolExits('obol-4n3t-hoodi').map((golden): [string, GoldenExit, bigint[]] => [
        'obol-4n3t',
        golden,
        [1n, 2n, 4n],
      ]),
      ...obolExits('obol-16n10t-hoodi').map((golden): [string, GoldenExit, bigint[]] => [
        'obol-16n10t',
        golden,
        [1n, 3n, 4n, 6n, 7n, 9n, 10n, 12n, 15n, 16n],
      ]),
      ...ssvExits().map((golden): [string, GoldenExit, bigint[]] => ['ssv-4op', golden, [350n, 11n, 42n]]),
    ]
    for (const known of [true, false]) {
      for (const [name, golden, nodes] of goldens) {
        const { validator, validatorIndex } = golden
        const how = known ? 'with' : 'without'
        it(`${name} ${validator.publicKey.slice(0, 10)} ${how} public shares: nodes ${nodes}`, async () => {
          if (known) world.sharings = [validator]
          await reopen({ signatureThreshold: validator.threshold })
          world.nextIndex = validatorIndex
          await relayer.service.requestExits([validator.publicKey])
          for (const node of nodes) {
            const signature = golden.shares.get(node)
            if (signature === undefined) throw new Error(`no share of node ${node}`)
            const shares = [{ publicKey: validator.publicKey, signature }]
            const rejected = await relayer.service.postShares(node, shares, CALLER)
            expect(rejected).to.deep.equal([])
          }
          await relayer.service.idle()
          const [exit] = await relayer.service.requestExits([validator.publicKey])
          if (exit?.oracleShares == null) throw new Error('not ready')
          const made = combineParts(world.oracles, exit.oracleShares, validator.publicKey, validatorIndex)
          expect(made).to.equal(golden.signature)
        })
      }
    }

    it('sixteen nodes without public shares: two bad ones that post other garbage again and again', async () => {
      const [golden] = obolExits('obol-16n10t-hoodi')
      if (golden === undefined) throw new Error('no golden exit')
      await reopen({ signatureThreshold: 10 })
      world.nextIndex = golden.validatorIndex
      await relayer.service.requestExits([golden.validator.publicKey])
      const postAs = async (node: bigint, signature: Uint8Array) => {
        const shares = [{ publicKey: golden.validator.publicKey, signature }]
        await relayer.service.postShares(node, shares, CALLER)
        await relayer.service.idle()
      }
      const bad = [2n, 9n]
      for (const [node, share] of golden.shares) {
        if (node > 12n) continue
        await postAs(node, bad.includes(node) ? garbage(Number(node)) : share)
        if (bad.includes(node)) await postAs(node, garbage(100 + Number(node)))
      }
      const [exit] = await relayer.service.requestExits([golden.validator.publicKey])
      if (exit?.oracleShares == null) throw new Error('not ready')
      const shares = await relayer.store.sharesOf([golden.validator.publicKey])
      expect(shares.every((share) => share.state === 'proven')).to.equal(true)
      expect(shares.map((share) => Number(share.shareIndex))).to.have.members([
        1, 3, 4, 5, 6, 7, 8, 10, 11, 12,
      ])
    })
  })

  describe('sharings', () => {
    /** A sharing of the second validator’s nodes, as if it were one of the first’s key. */
    const forged = () => ({ ...second.validator, publicKey: keyOf(first), source: 'forged' })

    it('that are known refuse an index that they do not have', async () => {
      knowPublicShares()
      await ask(first)
      expect(await post(first, 5, garbage(5))).to.deep.equal([
        { publicKey: keyOf(first), reason: 'unknown-share-index' },
      ])
    })

    it('never mix', async () => {
      world.sharings = [first.validator, forged()]
      await ask(first)
      await post(first, 1)
      await post(first, 2)
      await post(first, 3, second.sign(3n, 1_000))
      expect((await shown(first)).listed).to.deep.equal([1, 2, 3])
      expect((await ask(first))[0]?.oracleShares).to.equal(null)
      await post(first, 4)
      await expectReady(first)
    })

    it('that belong to another key are found out, and the shares are tried without them', async () => {
      world.sharings = [forged()]
      await ask(first)
      for (const node of [1n, 2n, 3n]) await post(first, node, second.sign(node, 1_000))
      expect((await ask(first))[0]?.oracleShares).to.equal(null)
      for (const node of [1, 2, 3]) await post(first, node)
      await expectReady(first)
    })

    it('that become known later prove and disprove the shares that are there', async () => {
      await ask(first)
      await post(first, 1)
      await post(first, 2, garbage(2))
      knowPublicShares()
      world.announceSharings()
      await relayer.service.idle()
      expect((await shown(first)).listed).to.deep.equal([1])
      await post(first, 2)
      await post(first, 4)
      await expectReady(first)
    })

    it('are not needed again when they go away', async () => {
      knowPublicShares()
      await ask(first)
      await post(first, 1)
      world.sharings = []
      world.announceSharings()
      await post(first, 2)
      await post(first, 3)
      await expectReady(first)
    })
  })

  describe('without public shares', () => {
    it('unlists the unproven when no subset recovers, and lists again only what is new', async () => {
      await ask(first)
      await post(first, 1, garbage(1))
      await post(first, 2)
      expect((await shown(first)).listed).to.deep.equal([1, 2])
      await post(first, 3)
      expect((await shown(first)).listed).to.deep.equal([])
      await post(first, 2)
      expect((await shown(first)).listed).to.deep.equal([])
      await post(first, 1, garbage(2))
      expect((await shown(first)).listed).to.deep.equal([])
      await post(first, 4)
      expect(await shown(first)).to.deep.equal({ index: 1_000, ready: true, listed: [2, 3, 4] })
    })

    it('tries no subset twice', async () => {
      const crypto = inThisThread()
      await reopen({ crypto })
      await ask(first)
      for (const node of [1n, 2n, 3n]) await post(first, node, garbage(Number(node)))
      expect(crypto.work.trials).to.equal(1)
      await post(first, 4, garbage(4))
      expect(crypto.work.trials).to.equal(4)
      await post(first, 1)
      expect(crypto.work.trials, 'with any two of 2, 3 and 4').to.equal(7)
    })

    it('tries nothing for an index that is not asked for any more', async () => {
      const crypto = inThisThread()
      await reopen({ crypto })
      await ask(first)
      world.nextIndex = 1_001
      await ask(first)
      for (const node of [1n, 2n, 3n]) await post(first, node, garbage(Number(node)))
      expect(crypto.work.trials).to.equal(1)
      world.nextIndex = 1_000
      await ask(first)
      await relayer.service.idle()
      expect(crypto.work.trials, 'asked for again').to.equal(2)
    })

    it('goes on when the oracles become known', async () => {
      await ask(first)
      world.currentOracles = undefined
      for (const node of [1, 2, 3]) await post(first, node)
      expect((await shown(first)).ready).to.equal(false)
      world.currentOracles = world.oracles.config
      world.announceOracles()
      await relayer.service.idle()
      await expectReady(first)
    })

    it('bounds the trials that a caller causes, and the shares kept of it', async () => {
      const crypto = inThisThread()
      await reopen({ crypto, limits: { maxTrials: 10 } })
      await ask(first)
      for (let node = 1; node <= 70; node++) await post(first, node, garbage(node))
      expect(await relayer.store.sharesOf([keyOf(first)])).to.have.length(32)
      expect(crypto.work.trials).to.equal(10)
      world.now += 30
      await post(first, 71, garbage(71))
      expect(crypto.work.trials, 'half a minute gives half of it back').to.equal(15)
    })

    it('never lets full signatures or shares into the database in the clear', async () => {
      await ask(first)
      for (const node of [1, 2, 3]) await post(first, node)
      const rows = JSON.stringify([
        await relayer.database.selectFrom('signature_shares').selectAll().execute(),
        await relayer.database.selectFrom('sealed_parts').selectAll().execute(),
      ])
      for (const node of [1n, 2n, 3n]) {
        expect(rows).not.to.include(toHex(first.sign(node, 1_000)).slice(2))
      }
    })
  })
})
