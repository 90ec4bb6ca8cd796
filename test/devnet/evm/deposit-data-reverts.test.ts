import { expect } from 'chai'
import { encodeFunctionData, toFunctionSelector } from 'viem'
import type { Hex } from '../../../core/hex.js'
import { depositDataRegistryAbi, vaultV1Abi } from '../../../core/vault/abi.js'
import { type DepositDataProof, DepositDataTree } from '../../../operator/deposit-data/merkle.js'
import { type Authority, registrationCall } from '../../../operator/registration/call.js'
import {
  bytesOf,
  type Call,
  ContractScene,
  depositOf,
  depositsOf,
  ETH,
  MANAGER,
  network,
  SOMEBODY,
  VAULT,
} from './contract-scene.js'

const registry = network.depositDataRegistry?.address ?? '0x'
const OTHER_ROOT: Hex = `0x${'12'.repeat(32)}`
const ONE = bytesOf(depositsOf(1))

describe('the devnet’s contracts revert where the proof of deposit data', function () {
  this.timeout(120_000)
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
  })
  after(() => scene.anvil.stop())

  const deposits = depositsOf(5)
  const tree = new DepositDataTree(deposits, VAULT)
  const single = { kind: 'one', positions: [0] } as const
  const several = { kind: 'several', positions: [0, 1] } as const

  for (const [by, kind, authority] of [
    ['a vault of version 1', 'v1', { kind: 'own' }],
    ['the registry', 'v5', { kind: 'registry', registry }],
  ] as const) {
    describe(`is checked by ${by}`, () => {
      before(() => scene.place({ kind, ...(kind === 'v5' ? { manager: registry } : {}) }))
      beforeEach(async () => {
        await scene.reset()
        await scene.world.setDepositDataRoot(tree.root)
        await scene.world.fund(64n * ETH)
      })

      const proven = async (positions: readonly number[], changes: Partial<DepositDataProof> = {}) => {
        const bytes = bytesOf(positions.map((position) => deposits[position] ?? depositOf(0)))
        const proof = { ...tree.prove(positions), ...changes }
        const approval = await scene.approve(bytes)
        return scene.revertName(registrationCall(VAULT, { ...authority, proof }, approval, undefined))
      }

      it('and begins at another entry than the next', async () => {
        expect(await proven([1])).to.equal('InvalidProof')
        expect(await proven([1, 2])).to.equal('InvalidProof')
        expect(await proven([0, 2])).to.equal('InvalidProof')
      })

      it('and is of other deposit data', async () => {
        await scene.world.setDepositDataRoot(OTHER_ROOT)
        for (const { positions } of [single, several]) {
          expect(await proven(positions)).to.equal('InvalidProof')
        }
      })

      it('and has another node or other indexes', async () => {
        const { proof, indexes } = tree.prove(several.positions)
        expect(await proven(single.positions, { single: [OTHER_ROOT] })).to.equal('InvalidProof')
        expect(await proven(several.positions, { proof: [OTHER_ROOT, ...proof.slice(1)] })).to.equal(
          'InvalidProof',
        )
        expect(await proven(several.positions, { indexes: indexes.toReversed() })).to.equal('InvalidProof')
        expect(await proven(several.positions, { indexes: [0, 2] })).to.equal('Panic(0x32)')
      })
    })
  }

  it('is right, and a vault of version 1 has too few assets', async () => {
    await scene.place({ kind: 'v1' })
    await scene.world.setDepositDataRoot(tree.root)
    await scene.world.fund(32n * ETH - 1n)
    for (const { positions } of [single, several]) {
      const approval = await scene.approve(bytesOf(deposits.slice(0, positions.length)))
      const authority: Authority = { kind: 'own', proof: tree.prove(positions) }
      const call = registrationCall(VAULT, authority, approval, undefined)
      expect(await scene.revertName(call)).to.equal('InsufficientAssets')
    }
  })

  it('comes with bytes of another length, at a vault of version 1', async () => {
    await scene.place({ kind: 'v1' })
    await scene.world.fund(96n * ETH)
    const approval = await scene.approve(bytesOf(deposits.slice(0, 3)))
    const one = { abi: vaultV1Abi, functionName: 'registerValidator', args: [approval, []] } as const
    const selector = toFunctionSelector('InvalidValidator()')
    expect(await scene.revertData({ to: VAULT, data: encodeFunctionData(one) })).to.equal(selector)
    const authority: Authority = { kind: 'own', proof: tree.prove(several.positions) }
    const call = registrationCall(VAULT, authority, approval, undefined)
    expect(await scene.revertName(call)).to.equal('InvalidValidators')
  })

  it('comes with fewer indexes than validators, at the registry', async () => {
    await scene.place({ kind: 'v5', manager: registry })
    await scene.world.setDepositDataRoot(tree.root)
    await scene.world.fund(96n * ETH)
    const approval = await scene.approve(bytesOf(deposits.slice(0, 3)))
    const revertOf = (proof: DepositDataProof) =>
      scene.revertName(registrationCall(VAULT, { kind: 'registry', registry, proof }, approval, undefined))
    expect(await revertOf(tree.prove(several.positions))).to.equal('InvalidProof')
    expect(await revertOf({ ...tree.prove(several.positions), indexes: [] })).to.equal('InvalidValidators')
  })

  it('is for a vault that the registry does not know, or that is of version 1', async () => {
    const registerAt = async (vault: Hex): Promise<Call> => {
      const args = [vault, await scene.approve(ONE), [...tree.prove([0]).single]] as const
      const call = { abi: depositDataRegistryAbi, functionName: 'registerValidator', args } as const
      return { to: registry, data: encodeFunctionData(call) }
    }
    await scene.place({ kind: 'v5', manager: registry })
    expect(await scene.revertName(await registerAt(SOMEBODY.address))).to.equal('InvalidVault')
    await scene.place({ kind: 'v1' })
    expect(await scene.revertName(await registerAt(VAULT))).to.equal('InvalidVault')
  })

  it('is for a vault whose manager the registry is not', async () => {
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    await scene.world.setDepositDataRoot(tree.root)
    const authority: Authority = { kind: 'registry', registry, proof: tree.prove([0]) }
    const call = registrationCall(VAULT, authority, await scene.approve(ONE), undefined)
    expect(await scene.revertName(call)).to.equal('AccessDenied')
  })
})
