import { expect } from 'chai'
import { encodeFunctionData } from 'viem'
import type { ValidatorStatus } from '../../../core/clients/beacon.js'
import type { Hex } from '../../../core/hex.js'
import { vaultAbi } from '../../../core/vault/abi.js'
import { consolidationBytes, fundingBytes, withdrawalBytes } from '../../../core/vault/managed-bytes.js'
import { ValidatorsManager } from '../../../relayer/registrations/manager.js'
import {
  bytesOf,
  ContractScene,
  depositsOf,
  ETH,
  MANAGER,
  network,
  SOMEBODY,
  VAULT,
} from '../../devnet/evm/contract-scene.js'
import { until } from '../../doubles/poll.js'

const GWEI_64 = 64_000_000_000n
const deposits = depositsOf(2, '0x02', GWEI_64)
const [first, second] = deposits.map(({ publicKey }) => publicKey)
if (first === undefined || second === undefined) throw new Error('there are two')

describe('what the relayer’s validators manager signs', () => {
  let scene: ContractScene
  let manager: ValidatorsManager

  before(async () => {
    scene = await ContractScene.start()
    await scene.place({ kind: 'v5', manager: MANAGER.address })
    await scene.world.fund(200n * ETH)
    const statuses: ValidatorStatus[] = deposits.map(({ publicKey, withdrawalCredentials }, index) => ({
      index,
      publicKey,
      withdrawalCredentials,
      status: 'active_ongoing',
      balance: GWEI_64,
    }))
    manager = new ValidatorsManager({
      network,
      account: MANAGER,
      execution: scene.execution,
      beacon: {
        validatorStatuses: async (ids) => statuses.filter(({ publicKey }) => ids.includes(publicKey)),
      },
    })
  })
  after(() => scene.anvil.stop())

  /** Somebody who has no rights sends it, with ether for the system contracts' fees. */
  const send = async (data: Hex, value = 0n): Promise<void> => {
    const request = { from: SOMEBODY.address, to: VAULT, data, value }
    await scene.execution.estimateGas(request)
    const transaction = { ...request, value: `0x${value.toString(16)}`, gas: '0x1e8480' }
    const hash = (await scene.anvil.rpc('eth_sendTransaction', [transaction])) as Hex
    await until(async () => (await scene.execution.transactionReceipt(hash)) !== null, 'it is mined')
    expect((await scene.execution.transactionReceipt(hash))?.status).to.equal('success')
  }

  it('the vault takes for registration, top-ups, withdrawals and consolidations, each once', async () => {
    const { world } = scene
    const validators = bytesOf(deposits, '0x02')
    const registration = await manager.signRegistration(VAULT, await world.depositRoot(), validators)
    const approval = await scene.approve(validators)
    await send(
      encodeFunctionData({
        abi: vaultAbi,
        functionName: 'registerValidators',
        args: [approval, registration],
      }),
    )
    expect((await world.registered()).map(({ amount }) => amount)).to.deep.equal([GWEI_64, GWEI_64])
    expect(await world.managerNonce()).to.equal(1n)

    const topUps = [{ publicKey: first, amount: 2_000_000_000n }]
    const funding = await manager.signFunding(VAULT, topUps)
    const fund = encodeFunctionData({
      abi: vaultAbi,
      functionName: 'fundValidators',
      args: [fundingBytes(VAULT, topUps), funding],
    })
    await send(fund)
    expect(await world.managerNonce()).to.equal(2n)

    const exits = [{ publicKey: second, amount: 0n }]
    const withdrawal = await manager.signWithdrawals(VAULT, exits)
    const withdraw = encodeFunctionData({
      abi: vaultAbi,
      functionName: 'withdrawValidators',
      args: [withdrawalBytes(exits), withdrawal],
    })
    await send(withdraw, ETH)
    expect(await world.managerNonce()).to.equal(3n)

    const pairs = [{ source: second, target: first }]
    const consolidation = await manager.signConsolidations(VAULT, pairs)
    const consolidate = encodeFunctionData({
      abi: vaultAbi,
      functionName: 'consolidateValidators',
      args: [consolidationBytes(pairs), consolidation, '0x'],
    })
    await send(consolidate, ETH)
    expect(await world.managerNonce()).to.equal(4n)

    for (const data of [fund, withdraw, consolidate]) {
      expect(await scene.revertName({ to: VAULT, data })).to.equal('AccessDenied')
    }
  })
})
