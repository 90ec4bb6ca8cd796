import { expect } from 'chai'
import { concatHex, encodeFunctionData, numberToHex } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Hex } from '../../../core/hex.js'
import { vaultAbi } from '../../../core/vault/abi.js'
import { consolidationBytes, withdrawalBytes } from '../../../core/vault/managed-bytes.js'
import { describeRevert } from '../../../core/vault/revert.js'
import { consolidationTypedData } from '../../../core/vault/signatures.js'
import { ContractScene, MANAGER, MIN_ORACLES, network, ORACLES, SOMEBODY, VAULT } from './contract-scene.js'

const KEY: Hex = `0x${'aa'.repeat(48)}`
const OTHER_KEY: Hex = `0x${'bb'.repeat(48)}`
const VALUE = 100n
const WITHDRAWAL = withdrawalBytes([{ publicKey: KEY, amount: 5n }])
const SWITCH = consolidationBytes([{ source: KEY, target: KEY }])

describe('the devnet’s vault, asked to withdraw or to consolidate,', function () {
  this.timeout(120_000)
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
    await scene.place({ kind: 'v5', manager: MANAGER.address })
  })
  beforeEach(async () => {
    await scene.reset()
    await scene.world.collateralize()
  })
  after(() => scene.anvil.stop())

  const withdraw = (validators: Hex, signature: Hex = '0x') =>
    encodeFunctionData({
      abi: vaultAbi,
      functionName: 'withdrawValidators',
      args: [validators, signature],
    })
  const consolidate = (validators: Hex, oracles: Hex, signature: Hex = '0x') =>
    encodeFunctionData({
      abi: vaultAbi,
      functionName: 'consolidateValidators',
      args: [validators, signature, oracles],
    })
  const approvals = async (
    by: readonly PrivateKeyAccount[],
    validators = SWITCH,
    vault = VAULT,
  ): Promise<Hex> => {
    const checker = network.consolidationsChecker?.address ?? '0x'
    const typedData = consolidationTypedData(network, checker, { vault, validators })
    return concatHex(await Promise.all(by.map((oracle) => oracle.signTypedData(typedData))))
  }
  /** The name of the error that a call with a value reverts with; undefined where it goes through. */
  const outcome = async (data: Hex, from: Hex = MANAGER.address, value = VALUE) => {
    try {
      await scene.execution.simulate({ from, to: VAULT, data, value })
      return undefined
    } catch (error) {
      return describeRevert((error as { data?: Hex }).data).name
    }
  }
  const nonce = async () => numberToHex(await scene.world.managerNonce(), { size: 32 })

  it('believes the manager, or its signature over the nonce, and nobody else', async () => {
    const signature = await scene.managerSignature(WITHDRAWAL, await nonce())
    expect(await outcome(withdraw(WITHDRAWAL))).to.equal(undefined)
    expect(await outcome(withdraw(WITHDRAWAL, signature), SOMEBODY.address)).to.equal(undefined)
    expect(await outcome(withdraw(WITHDRAWAL), SOMEBODY.address)).to.equal('AccessDenied')
    const stale = await scene.managerSignature(WITHDRAWAL, numberToHex(7n, { size: 32 }))
    expect(await outcome(withdraw(WITHDRAWAL, stale))).to.equal('AccessDenied')
    const others = await scene.managerSignature(WITHDRAWAL, await nonce(), SOMEBODY)
    expect(await outcome(withdraw(WITHDRAWAL, others))).to.equal('AccessDenied')
    expect(await outcome(withdraw('0x'))).to.equal('AccessDenied')
  })

  it('wants whole requests, and their fees', async () => {
    expect(await outcome(withdraw(concatHex([WITHDRAWAL, '0x00'])))).to.equal('InvalidValidators')
    await scene.world.setRequestFee(VALUE)
    expect(await outcome(withdraw(WITHDRAWAL))).to.equal(undefined)
    const two = concatHex([WITHDRAWAL, WITHDRAWAL])
    expect(await outcome(withdraw(two))).to.equal('FailedCall')
    expect(await outcome(withdraw(two), MANAGER.address, 2n * VALUE)).to.equal(undefined)
  })

  it('does nothing before it has a validator', async () => {
    await scene.reset()
    expect(await outcome(withdraw(WITHDRAWAL))).to.equal('NotCollateralized')
    expect(await outcome(consolidate(SWITCH, '0x'))).to.equal('NotCollateralized')
  })

  it('takes targets that it does not know only with enough oracles’ signatures, in their order', async () => {
    const right = ORACLES.slice(0, MIN_ORACLES)
    expect(await outcome(consolidate(SWITCH, await approvals(right)))).to.equal(undefined)
    expect(await outcome(consolidate(SWITCH, '0x'))).to.equal('InvalidValidators')
    for (const wrong of [
      await approvals(right.slice(1)),
      await approvals(right.toReversed()),
      await approvals([...right.slice(1), SOMEBODY]),
      await approvals(right, consolidationBytes([{ source: KEY, target: OTHER_KEY }])),
      await approvals(right, SWITCH, SOMEBODY.address),
    ]) {
      expect(await outcome(consolidate(SWITCH, wrong))).to.equal('InvalidSignatures')
    }
  })
})
