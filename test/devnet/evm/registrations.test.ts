import { expect } from 'chai'
import { concatHex, encodeFunctionData, numberToHex, parseAbi } from 'viem'
import type { Hex } from '../../../core/hex.js'
import type { SignedDeposit } from '../../../core/vault/validator-bytes.js'
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
  SOMEBODY,
  VAULT,
} from './contract-scene.js'
import type { VaultKind } from './contracts.js'

const registry = network.depositDataRegistry?.address ?? '0x'
const ETH_64 = 64_000_000_000n
const fundAbi = parseAbi(['function fundValidators(bytes validators, bytes validatorsManagerSignature)'])

describe('the devnet’s vaults', function () {
  this.timeout(120_000)
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
  })
  after(() => scene.anvil.stop())

  const registered = async (): Promise<Hex[]> =>
    (await scene.world.registered()).map(({ publicKey }) => publicKey)
  const keysOf = (deposits: readonly SignedDeposit[]): Hex[] => deposits.map(({ publicKey }) => publicKey)

  /** Registers 0x01 validators with all approvals; the sender is nobody special unless given. */
  const register = async (
    deposits: readonly SignedDeposit[],
    authority: Authority,
    from?: Hex,
  ): Promise<void> => {
    const approval = await scene.approve(bytesOf(deposits))
    await scene.send(registrationCall(VAULT, authority, approval, undefined), from)
  }

  for (const [kind, authority] of [
    ['v1', { kind: 'own' }],
    ['v2', { kind: 'registry', registry }],
    ['v5', { kind: 'registry', registry }],
  ] as const satisfies [VaultKind, object][]) {
    it(`${kind} registers the next entries of its deposit data by their proofs (${authority.kind})`, async () => {
      await scene.place({ kind, ...(kind === 'v5' ? { manager: registry } : {}) })
      const { world } = scene
      const deposits = depositsOf(7)
      const tree = new DepositDataTree(deposits, VAULT)
      await world.setDepositDataRoot(tree.root)
      await world.fund(7n * 32n * ETH)

      for (const positions of [[0], [1, 2, 3], [4, 5], [6]]) {
        const batch = positions.map((position) => deposits[position] ?? depositOf(0))
        await register(batch, { ...authority, proof: tree.prove(positions) })
        expect(await world.depositDataIndex()).to.equal((positions.at(-1) ?? 0) + 1)
      }

      expect(await registered()).to.deep.equal(keysOf(deposits))
      expect(await world.withdrawableAssets()).to.equal(0n)
    })
  }

  it('v2 names the registry as its manager where nobody else is', async () => {
    await scene.place({ kind: 'v2' })
    expect(await scene.world.validatorsManager()).to.equal(registry)
    await scene.world.setManager(MANAGER.address)
    expect(await scene.world.validatorsManager()).to.equal(MANAGER.address)
  })

  it('v2 registers for its manager whatever the signature, and for others with the manager’s', async () => {
    await scene.place({ kind: 'v2', manager: MANAGER.address })
    await scene.world.fund(96n * ETH)
    const [one, two, three] = depositsOf(3).map((deposit) => [deposit])
    const batches = [one ?? [], two ?? [], three ?? []] as const
    await register(batches[0], { kind: 'manager', signature: undefined }, MANAGER.address)
    await register(batches[1], { kind: 'manager', signature: '0xabcd' }, MANAGER.address)
    const signature = await scene.managerSignature(bytesOf(batches[2]))
    await register(batches[2], { kind: 'manager', signature })
    expect(await registered()).to.deep.equal(keysOf(depositsOf(3)))
  })

  it('v5 registers for its manager without a signature, and counts those it is given', async () => {
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    const { world } = scene
    await world.fund(6n * 32n * ETH)
    const [first, second, third] = [depositsOf(1), depositsOf(3).slice(1), depositsOf(6).slice(3)]

    await register(first, { kind: 'manager', signature: undefined }, MANAGER.address)
    expect(await world.managerNonce()).to.equal(0n)
    await register(second, { kind: 'manager', signature: await scene.managerSignature(bytesOf(second)) })
    expect(await world.managerNonce()).to.equal(1n)
    const signature = await scene.managerSignature(bytesOf(third))
    await register(third, { kind: 'manager', signature }, MANAGER.address)
    expect(await world.managerNonce()).to.equal(2n)

    expect(await registered()).to.deep.equal(keysOf(depositsOf(6)))
  })

  for (const [count, type, gwei] of [
    [22, '0x01', 32_000_000_000n],
    [21, '0x02', ETH_64],
  ] as const) {
    it(`v5 registers ${count} of type ${type} at once`, async () => {
      await scene.place({ kind: 'v5', manager: MANAGER.address })
      await scene.world.fund(BigInt(count) * gwei * 1_000_000_000n)
      const deposits = depositsOf(count, type, gwei)
      const approval = await scene.approve(bytesOf(deposits, type))
      const authority = { kind: 'manager', signature: undefined } as const
      await scene.send(registrationCall(VAULT, authority, approval, undefined), MANAGER.address)
      expect(await registered()).to.deep.equal(keysOf(deposits))
    })
  }

  it('v5 registers 0x02 with each amount from 32 to 2048 ETH, and tops them up', async () => {
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    const { world } = scene
    const deposits = [32n, 64n, 2048n].map((ether, i) => depositOf(i + 1, '0x02', ether * 1_000_000_000n))
    await world.fund((32n + 64n + 2048n + 10n + 10n) * ETH)
    const approval = await scene.approve(bytesOf(deposits, '0x02'))
    const authority = { kind: 'manager', signature: undefined } as const
    await scene.send(registrationCall(VAULT, authority, approval, undefined), MANAGER.address)

    const topUp = { ...depositOf(1, '0x02', 10_000_000_000n), signature: `0x${'00'.repeat(96)}` } as const
    const bytes = bytesOf([topUp], '0x02')
    const fund = (signature: Hex) =>
      encodeFunctionData({ abi: fundAbi, functionName: 'fundValidators', args: [bytes, signature] })
    const nonce = numberToHex(await world.managerNonce(), { size: 32 })
    await scene.send({ to: VAULT, data: fund(await scene.managerSignature(bytes, nonce)) })
    await scene.send({ to: VAULT, data: fund('0x') }, MANAGER.address)

    expect(await world.registered()).to.deep.equal(
      [...deposits, topUp, topUp].map(({ publicKey, amount, withdrawalCredentials: credentials }) => ({
        publicKey,
        amount,
        credentials,
      })),
    )
    expect(await world.managerNonce()).to.equal(1n)
  })

  it('do not notice a public key that is registered twice', async () => {
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    await scene.world.fund(64n * ETH)
    const twice = [depositOf(1), depositOf(1)]
    await register(twice, { kind: 'manager', signature: undefined }, MANAGER.address)
    expect(await registered()).to.deep.equal(keysOf(twice))
  })

  it('take more signatures than must be, and read the first ones only', async () => {
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    await scene.world.fund(32n * ETH)
    const approval = await scene.approve(bytesOf(depositsOf(1)))
    const signatures = concatHex([approval.signatures, `0x${'ee'.repeat(65)}`])
    const authority = { kind: 'manager', signature: undefined } as const
    await scene.send(
      registrationCall(VAULT, authority, { ...approval, signatures }, undefined),
      MANAGER.address,
    )
    expect(await registered()).to.have.length(1)
  })

  it('leave what the exit queue reserves', async () => {
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    const { world } = scene
    await world.fund(40n * ETH)
    await world.reserve(8n * ETH)
    expect(await world.withdrawableAssets()).to.equal(32n * ETH)
    await register(depositsOf(1), { kind: 'manager', signature: undefined }, MANAGER.address)
    expect(await world.withdrawableAssets()).to.equal(0n)
    expect(await scene.execution.balance(VAULT)).to.equal(8n * ETH)
    await world.reserve(40n * ETH)
    expect(await world.withdrawableAssets()).to.equal(0n)
  })

  it('meta registers nothing', async () => {
    await scene.place({ kind: 'meta' })
    await scene.world.fund(32n * ETH)
    const approval = await scene.approve(bytesOf(depositsOf(1)))
    const authority = { kind: 'manager', signature: undefined } as const
    const call = registrationCall(VAULT, authority, approval, undefined)
    expect(await scene.revertName(call, SOMEBODY.address)).to.equal('no reason')
  })
})
