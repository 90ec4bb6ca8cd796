import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { expect } from 'chai'
import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem'
import type { Hex } from '../../../core/hex.js'
import { depositDataRegistryAbi, keeperAbi, vaultAbi } from '../../../core/vault/abi.js'
import type { HarvestParams } from '../../../core/vault/approval-params.js'
import { describeRevert } from '../../../core/vault/revert.js'
import { DepositDataTree } from '../../../operator/deposit-data/merkle.js'
import { type Authority, registrationCall } from '../../../operator/registration/call.js'
import {
  bytesOf,
  ContractScene,
  depositOf,
  depositsOf,
  ETH,
  MANAGER,
  network,
  VAULT,
} from './contract-scene.js'

const registry = network.depositDataRegistry?.address ?? '0x'
const keeper = network.keeper.address
/** Wei above 2^53 that a double cannot hold. */
const REWARD = 12_345_678_901_234_567_891n
const asManager: Authority = { kind: 'manager', signature: undefined }
const abi = parseAbi([
  'struct HarvestParams { bytes32 rewardsRoot; int160 reward; uint160 unlockedMevReward; bytes32[] proof; }',
  'function fundValidators(bytes validators, bytes validatorsManagerSignature)',
  'function harvest(HarvestParams params) returns (int256 assetsDelta, uint256 unlockedMevDelta, bool harvested)',
])

/** What the oracles have voted for, with another vault beside. */
function rewardsOf(reward: bigint, unlockedMevReward = 0n): HarvestParams {
  const other = `0x${'0a'.repeat(20)}`
  const tree = StandardMerkleTree.of(
    [
      [VAULT, reward, unlockedMevReward],
      [other, 5n, 0n],
    ],
    ['address', 'int160', 'uint160'],
  )
  return { rewardsRoot: tree.root as Hex, reward, unlockedMevReward, proof: tree.getProof(0) as Hex[] }
}

describe('a harvest on the devnet', function () {
  this.timeout(120_000)
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
  })
  after(() => scene.anvil.stop())

  const voteFor = ({ rewardsRoot }: HarvestParams) =>
    scene.world.updateRewards({ root: rewardsRoot, cid: 'rewards' })
  const ask = async (functionName: 'canHarvest' | 'isHarvestRequired'): Promise<boolean> => {
    const data = encodeFunctionData({ abi: keeperAbi, functionName, args: [VAULT] })
    return decodeFunctionResult({
      abi: keeperAbi,
      functionName,
      data: await scene.execution.call(keeper, data),
    })
  }
  const due = async () => [await ask('canHarvest'), await ask('isHarvestRequired')]
  const updateState = (params: HarvestParams) => ({
    to: VAULT,
    data: encodeFunctionData({ abi: vaultAbi, functionName: 'updateState', args: [params] }),
  })

  describe('of a vault that registers by its manager', () => {
    before(() => scene.place({ kind: 'v5', manager: MANAGER.address }))
    beforeEach(async () => {
      await scene.reset()
      await scene.world.collateralize()
    })

    it('can be made one update behind, and must be two behind', async () => {
      expect(await due()).to.deep.equal([false, false])
      await voteFor(rewardsOf(1n))
      expect(await due()).to.deep.equal([true, false])
      await voteFor(rewardsOf(2n))
      expect(await due()).to.deep.equal([true, true])
    })

    it('is nothing that a vault without validators needs', async () => {
      await scene.reset()
      for (const reward of [1n, 2n]) await voteFor(rewardsOf(reward))
      expect(await due()).to.deep.equal([false, false])
    })

    it('with the update before the last leaves the last to be made', async () => {
      const [first, second] = [rewardsOf(1n), rewardsOf(2n)]
      for (const rewards of [first, second]) await voteFor(rewards)
      await scene.send(updateState(first))
      expect(await due()).to.deep.equal([true, false])
      await scene.send(updateState(second))
      expect(await due()).to.deep.equal([false, false])
    })

    it('brings all that the vault’s own escrow has, once, in the transaction that registers', async () => {
      const { world } = scene
      await world.fund(30n * ETH)
      await world.fundEscrow(2n * ETH)
      for (const reward of [1n, REWARD]) await voteFor(rewardsOf(reward))
      const approval = await scene.approve(bytesOf(depositsOf(1)))
      await scene.send(registrationCall(VAULT, asManager, approval, rewardsOf(REWARD)), MANAGER.address)
      expect(await world.registered()).to.have.length(1)
      expect(await world.withdrawableAssets()).to.equal(0n)

      await world.fundEscrow(ETH)
      await scene.send(updateState(rewardsOf(REWARD)))
      expect(await world.withdrawableAssets()).to.equal(0n)
    })

    it('takes a loss', async () => {
      await voteFor(rewardsOf(-REWARD))
      await scene.send(updateState(rewardsOf(-REWARD)))
      expect(await due()).to.deep.equal([false, false])
    })

    it('is refused with another root, reward or proof than was voted for', async () => {
      const right = rewardsOf(REWARD, 7n)
      for (const rewards of [rewardsOf(1n), rewardsOf(2n), right]) await voteFor(rewards)
      const nameOf = (params: HarvestParams) => scene.revertName(updateState(params))
      expect(await nameOf(rewardsOf(3n))).to.equal('InvalidRewardsRoot')
      expect(await nameOf(rewardsOf(1n))).to.equal('InvalidRewardsRoot')
      expect(await nameOf({ ...right, reward: BigInt(Number(REWARD)) })).to.equal('InvalidProof')
      expect(await nameOf({ ...right, unlockedMevReward: 8n })).to.equal('InvalidProof')
      expect(await nameOf({ ...right, proof: [] })).to.equal('InvalidProof')
      await scene.send(updateState(right))
    })

    it('is demanded of registrations and top-ups two updates behind', async () => {
      await scene.world.fund(32n * ETH)
      for (const reward of [1n, 2n]) await voteFor(rewardsOf(reward))
      const approval = await scene.approve(bytesOf(depositsOf(1)))
      const call = registrationCall(VAULT, asManager, approval, undefined)
      expect(await scene.revertName(call, MANAGER.address)).to.equal('NotHarvested')
      const topUp = encodeFunctionData({ abi, functionName: 'fundValidators', args: ['0x12', '0x'] })
      expect(await scene.revertName({ to: VAULT, data: topUp }, MANAGER.address)).to.equal('NotHarvested')
    })

    it('is no stranger’s business', async () => {
      const data = encodeFunctionData({ abi, functionName: 'harvest', args: [rewardsOf(1n)] })
      expect(await scene.revertName({ to: keeper, data })).to.equal('AccessDenied')
    })

    it('and a registration in one multicall say what went wrong as they do alone', async () => {
      await scene.world.fund(32n * ETH)
      await voteFor(rewardsOf(1n))
      const approval = await scene.approve(bytesOf(depositsOf(1)))
      const nameOf = (changes: object, harvest = rewardsOf(1n)) =>
        scene.revertName(
          registrationCall(VAULT, asManager, { ...approval, ...changes }, harvest),
          MANAGER.address,
        )
      expect(await nameOf({ deadline: 1n })).to.equal('DeadlineExpired')
      expect(await nameOf({}, rewardsOf(2n))).to.equal('InvalidRewardsRoot')
      await scene.world.reserve(ETH)
      expect(await nameOf({})).to.equal('Panic(0x11)')
    })

    it('and a registration beyond the balance fail without a word of the deposit’s own', async () => {
      await voteFor(rewardsOf(1n))
      const approval = await scene.approve(bytesOf(depositsOf(1)))
      const call = registrationCall(VAULT, asManager, approval, rewardsOf(1n))
      expect(await scene.revertData(call, MANAGER.address)).to.equal('0xd6bda275')
    })
  })

  describe('of a vault with shared MEV that registers through the registry', () => {
    const deposits = depositsOf(3)
    const tree = new DepositDataTree(deposits, VAULT)
    const next: Authority = { kind: 'registry', registry, proof: tree.prove([0]) }

    before(() => scene.place({ kind: 'v5', manager: registry, sharedMev: true }))
    beforeEach(async () => {
      await scene.reset()
      await scene.world.collateralize()
      await scene.world.setDepositDataRoot(tree.root)
    })

    it('brings what was unlocked since the last, in the transaction that registers', async () => {
      const { world } = scene
      await world.fund(60n * ETH)
      await world.fundEscrow(10n * ETH)
      for (const unlocked of [1n, 2n]) await voteFor(rewardsOf(REWARD, unlocked * ETH))
      const approval = await scene.approve(bytesOf(deposits.slice(0, 1)))
      await scene.send(registrationCall(VAULT, next, approval, rewardsOf(REWARD, 2n * ETH)))
      expect(await world.withdrawableAssets()).to.equal(30n * ETH)
      expect(await world.depositDataIndex()).to.equal(1)

      await voteFor(rewardsOf(REWARD, 5n * ETH))
      await scene.send(updateState(rewardsOf(REWARD, 5n * ETH)))
      expect(await world.withdrawableAssets()).to.equal(33n * ETH)
    })

    it('and a registration in one multicall lose every error but a text', async () => {
      await scene.world.fund(32n * ETH)
      await voteFor(rewardsOf(1n))
      const approval = await scene.approve(bytesOf(deposits.slice(0, 1)))
      const dataOf = (changes: object, harvest = rewardsOf(1n)) =>
        scene.revertData(registrationCall(VAULT, next, { ...approval, ...changes }, harvest))
      expect(await dataOf({ deadline: 1n })).to.equal('0x')
      expect(await dataOf({}, rewardsOf(2n))).to.equal('0x')
      await scene.world.reserve(ETH)
      expect(await dataOf({})).to.equal('0x')

      await scene.world.reserve(0n)
      const wrong: Hex = `${bytesOf([depositOf(1)]).slice(0, -64) as Hex}${'12'.repeat(32)}`
      expect(describeRevert(await dataOf(await scene.approve(wrong))).meaning).to.include('another root')
    })
  })

  for (const [kind, authority] of [
    ['v1', { kind: 'own', proof: new DepositDataTree(depositsOf(1), VAULT).prove([0]) }],
    ['v2', asManager],
  ] as const) {
    it(`of a vault of ${kind} registers in the same transaction, and loses every error`, async () => {
      await scene.place({ kind, ...(kind === 'v2' ? { manager: MANAGER.address } : {}) })
      const { world } = scene
      await world.setDepositDataRoot(new DepositDataTree(depositsOf(1), VAULT).root)
      await world.collateralize()
      await world.fund(31n * ETH)
      await world.fundEscrow(ETH)
      for (const reward of [1n, REWARD]) await voteFor(rewardsOf(reward))
      const approval = await scene.approve(bytesOf(depositsOf(1)))
      const without = registrationCall(VAULT, authority, approval, undefined)
      expect(await scene.revertName(without, MANAGER.address)).to.equal('NotHarvested')
      const late = registrationCall(VAULT, authority, { ...approval, deadline: 1n }, rewardsOf(REWARD))
      expect(await scene.revertData(late, MANAGER.address)).to.equal('0x')
      await scene.send(registrationCall(VAULT, authority, approval, rewardsOf(REWARD)), MANAGER.address)
      expect(await world.registered()).to.have.length(1)
      expect(await world.withdrawableAssets()).to.equal(0n)
    })
  }

  it('in the registry’s multicall is the vault’s own updateState', async () => {
    await scene.place({ kind: 'v5', manager: registry })
    await scene.world.collateralize()
    await scene.world.fundEscrow(ETH)
    await voteFor(rewardsOf(1n))
    const abi = depositDataRegistryAbi
    const data = encodeFunctionData({ abi, functionName: 'updateVaultState', args: [VAULT, rewardsOf(1n)] })
    await scene.send({ to: registry, data })
    expect(await scene.world.withdrawableAssets()).to.equal(ETH)
  })
})
