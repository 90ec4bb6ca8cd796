import { expect } from 'chai'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { rewardsFile, updateRewards } from './rewards.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')
/** Wei above 2^53 that a double cannot hold. */
const CONSENSUS = 12_345_678_901_234_567_891n
const LOCKED = 987_654_321_987_654_321n
const OTHER: Hex = `0x${'0a'.repeat(20)}`

describe('an agent whose vault has rewards to take', function () {
  this.timeout(120_000)
  let scene: Scene | undefined

  afterEach(async () => {
    await scene?.close()
    scene = undefined
  })

  const managers: readonly NonNullable<SceneOptions['manager']>[] = ['registry', 'wallet', 'another']
  for (const updates of [1, 2]) {
    for (const sharedMev of [false, true]) {
      for (const manager of managers) {
        it(`${updates} updates behind, ${sharedMev ? 'with shared' : 'with its own'} MEV, takes them and registers in one transaction (${manager})`, async () => {
          const validators = validatorsOf(hoodi, { count: 2 })
          scene = await Scene.start({ kind: 'v5', manager, sharedMev, validators, assets: 30n * ETH })
          const { world } = scene.devnet
          await world.collateralize()
          await world.fundEscrow(2n * ETH)
          for (let i = 1; i <= updates; i++) {
            const rewards = { consensus: CONSENSUS + BigInt(i), locked: LOCKED, unlocked: 2n * ETH }
            await updateRewards(scene, rewards, sharedMev)
          }

          await scene.registered()

          expect(await scene.publicKeys()).to.deep.equal([validators[0]?.deposit.publicKey])
          expect(await world.withdrawableAssets()).to.equal(0n)
        })
      }
    }
  }

  it('of version 1 takes them by its own multicall', async () => {
    const validators = validatorsOf(hoodi, { count: 1 })
    scene = await Scene.start({ kind: 'v1', validators, assets: 31n * ETH })
    await scene.devnet.world.collateralize()
    await scene.devnet.world.fundEscrow(ETH)
    for (const consensus of [CONSENSUS, CONSENSUS + 1n]) {
      await updateRewards(scene, { consensus, locked: 0n, unlocked: 0n }, false)
    }
    await scene.registered()
    expect(await scene.publicKeys()).to.have.length(1)
  })

  for (const [kind, manager] of [
    ['v5', 'registry'],
    ['v2', 'wallet'],
    ['v1', 'registry'],
  ] as const) {
    it(`names what its registration would revert with, where the multicall of ${kind} (${manager}) hides it`, async () => {
      const validators = validatorsOf(hoodi, { count: 1 })
      scene = await Scene.start({ kind, manager, validators, assets: 32n * ETH })
      const { world, oracleServers } = scene.devnet
      await world.collateralize()
      await updateRewards(scene, { consensus: CONSENSUS, locked: 0n, unlocked: 0n }, false)
      // A vault of version 1 that is two behind says nothing else before it is harvested.
      if (kind !== 'v1')
        await updateRewards(scene, { consensus: CONSENSUS + 1n, locked: 0n, unlocked: 0n }, false)
      let changed: Promise<void> | undefined
      for (const oracle of oracleServers.all) {
        oracle.beforeAnswer = () => {
          changed ??= world.setOracles([OTHER], 1)
          return changed
        }
      }
      const { code, message } = await scene.notNow()
      expect(code).to.equal('WOULD_REVERT')
      expect(message).to.include('InvalidOracle')
    })
  }

  it('that the rewards file does not name yet goes on without, as long as the contract lets it', async () => {
    const validators = validatorsOf(hoodi, { count: 1 })
    scene = await Scene.start({ kind: 'v5', validators, assets: 32n * ETH })
    const { world, ipfs } = scene.devnet
    await world.collateralize()
    await world.updateRewards({ root: `0x${'11'.repeat(32)}`, cid: ipfs.add('{"vaults": []}') })
    await scene.registered()
    expect(await scene.publicKeys()).to.have.length(1)
  })

  it('gets garbage or another file from IPFS: says so, sends nothing, and goes on when the file is right', async () => {
    const validators = validatorsOf(hoodi, { count: 1 })
    scene = await Scene.start({ kind: 'v5', validators, assets: 32n * ETH })
    const { world, ipfs } = scene.devnet
    await world.collateralize()
    const right = rewardsFile({ consensus: CONSENSUS, locked: 0n, unlocked: 0n }, false)
    const other = rewardsFile({ consensus: CONSENSUS + 1n, locked: 0n, unlocked: 0n }, false)
    const cid = ipfs.add(right.text)
    for (const content of ['<html>sign in</html>', '{}', other.text]) {
      ipfs.put(cid, content)
      if (content === '<html>sign in</html>') await world.updateRewards({ root: right.root, cid })
      const error = await scene.run().then(
        ({ kind }) => `it went on: ${kind}`,
        (reason: Error) => reason.message,
      )
      expect(error).to.include(cid).and.not.include('\n')
      expect(await scene.publicKeys()).to.deep.equal([])
    }
    ipfs.put(cid, right.text)
    await scene.registered()
  })
})
