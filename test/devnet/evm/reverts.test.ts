import { expect } from 'chai'
import { concatHex, encodeFunctionData, numberToHex, parseAbi, size } from 'viem'
import type { Hex } from '../../../core/hex.js'
import type { ApprovalParams } from '../../../core/vault/approval-params.js'
import { describeRevert } from '../../../core/vault/revert.js'
import { type Authority, registrationCall } from '../../../operator/registration/call.js'
import {
  type ApprovalChanges,
  bytesOf,
  ContractScene,
  depositOf,
  depositsOf,
  ETH,
  MANAGER,
  MIN_ORACLES,
  network,
  ORACLES,
  SOMEBODY,
  VAULT,
} from './contract-scene.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const sender: Authority = { kind: 'manager', signature: undefined }
const abi = parseAbi([
  'struct ApprovalParams { bytes32 validatorsRegistryRoot; uint256 deadline; bytes validators; bytes signatures; string exitSignaturesIpfsHash; }',
  'function approveValidators(ApprovalParams params)',
  'function fundValidators(bytes validators, bytes validatorsManagerSignature)',
])
const OTHER_ROOT: Hex = `0x${'12'.repeat(32)}`
const ONE = bytesOf(depositsOf(1))

/** A signature's parts, changed. */
function resigned(signatures: Hex, change: (r: Hex, s: bigint, v: number) => [Hex, bigint, number]): Hex {
  const part = (start: number, end: number) => `0x${signatures.slice(2 + 2 * start, 2 + 2 * end)}` as Hex
  const [r, s, v] = change(part(0, 32), BigInt(part(32, 64)), Number(part(64, 65)))
  return concatHex([r, numberToHex(s, { size: 32 }), numberToHex(v, { size: 1 }), part(65, size(signatures))])
}

describe('the devnet’s contracts revert', function () {
  this.timeout(120_000)
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
  })
  after(() => scene.anvil.stop())

  /** What the registration of these validators reverts with, by the manager unless another sends. */
  const nameOf = async (
    validators: Hex,
    changes: Partial<ApprovalParams> &
      ApprovalChanges & { readonly from?: Hex; readonly signature?: Hex } = {},
  ): Promise<string> => {
    const { signed, by, from = MANAGER.address, signature, ...changed } = changes
    const approved = await scene.approve(validators, {
      ...(signed === undefined ? {} : { signed }),
      ...(by === undefined ? {} : { by }),
    })
    const authority: Authority = { kind: 'manager', signature }
    return scene.revertName(registrationCall(VAULT, authority, { ...approved, ...changed }, undefined), from)
  }

  describe('where the Keeper', () => {
    before(() => scene.place({ kind: 'v5', manager: MANAGER.address }))
    beforeEach(async () => {
      await scene.reset()
      await scene.world.fund(64n * ETH)
    })

    it('sees that another deposit landed first', async () => {
      const approval = await scene.approve(ONE)
      await scene.world.deposit(depositOf(9))
      const call = registrationCall(VAULT, sender, approval, undefined)
      expect(await scene.revertName(call, MANAGER.address)).to.equal('InvalidValidatorsRegistryRoot')
    })

    it('sees that the deadline passed', async () => {
      expect(await nameOf(ONE, { deadline: 1n })).to.equal('DeadlineExpired')
    })

    for (const [what, changes] of [
      ['in another order', { by: ORACLES.slice(0, MIN_ORACLES).toReversed() }],
      ['one of them twice', { by: [ORACLES[0], ORACLES[0], ORACLES[1]] }],
      ['not all oracles’', { by: [SOMEBODY, ORACLES[0], ORACLES[1]] }],
      ['for another vault', { signed: { vault: SOMEBODY.address } }],
      ['for another deadline', { signed: { deadline: 5n } }],
      ['for other validators', { signed: { validators: '0x12' } }],
      ['for another root', { signed: { validatorsRegistryRoot: OTHER_ROOT } }],
      ['for other exit signatures', { signed: { exitSignaturesIpfsHash: 'other' } }],
    ] as [string, ApprovalChanges][]) {
      it(`finds signatures that are ${what}`, async () => {
        expect(await nameOf(ONE, changes)).to.equal('InvalidOracle')
      })
    }

    it('finds no longer an oracle among the signers', async () => {
      const addresses = ORACLES.map(({ address }) => address)
      await scene.world.setOracles([...addresses.slice(1), SOMEBODY.address], MIN_ORACLES)
      expect(await nameOf(ONE)).to.equal('InvalidOracle')
    })

    it('finds malformed signatures', async () => {
      const { signatures } = await scene.approve(ONE)
      const malformed = [
        resigned(signatures, (r, s, v) => [r, s, v - 27]),
        resigned(signatures, (r, s) => [r, s, 29]),
        resigned(signatures, (_, s, v) => [`0x${'00'.repeat(32)}`, s, v]),
      ]
      for (const given of malformed) {
        expect(await nameOf(ONE, { signatures: given })).to.equal('ECDSAInvalidSignature')
      }
      const upper = resigned(signatures, (r, s, v) => [r, ORDER - s, v === 27 ? 28 : 27])
      expect(await nameOf(ONE, { signatures: upper })).to.equal('ECDSAInvalidSignatureS')
    })

    it('finds too few signatures', async () => {
      expect(await nameOf(ONE, { by: ORACLES.slice(0, MIN_ORACLES - 1) })).to.equal('NotEnoughSignatures')
      const { signatures } = await scene.approve(ONE)
      expect(await nameOf(ONE, { signatures: `${signatures.slice(0, -2) as Hex}` })).to.equal(
        'NotEnoughSignatures',
      )
      expect(await nameOf(ONE, { signatures: '0x' })).to.equal('NotEnoughSignatures')
    })

    it('does not know the vault', async () => {
      const approval = await scene.approve(ONE, { signed: { vault: SOMEBODY.address } })
      const data = encodeFunctionData({ abi, functionName: 'approveValidators', args: [approval] })
      expect(await scene.revertName({ to: network.keeper.address, data })).to.equal('AccessDenied')
    })
  })

  describe('where a vault of version 5', () => {
    before(() => scene.place({ kind: 'v5', manager: MANAGER.address }))
    beforeEach(() => scene.reset())

    it('has another manager than the sender or the signer', async () => {
      expect(await nameOf(ONE, { from: SOMEBODY.address })).to.equal('AccessDenied')
      const ofAnother = await scene.managerSignature(ONE, undefined, SOMEBODY)
      expect(await nameOf(ONE, { signature: ofAnother })).to.equal('AccessDenied')
      const forOther = await scene.managerSignature('0x12')
      expect(await nameOf(ONE, { signature: forOther })).to.equal('AccessDenied')
      const forRoot = await scene.managerSignature(ONE, OTHER_ROOT)
      expect(await nameOf(ONE, { signature: forRoot, from: SOMEBODY.address })).to.equal('AccessDenied')
      expect(await nameOf(ONE, { signature: '0xabcd' })).to.equal('AccessDenied')
    })

    it('has no manager at all', async () => {
      const nobody: Hex = `0x${'00'.repeat(20)}`
      await scene.world.setManager(nobody)
      await scene.world.fund(32n * ETH)
      for (const from of [MANAGER.address, nobody]) {
        expect(await nameOf(ONE, { from })).to.equal('AccessDenied')
      }
    })

    it('is given no validators', async () => {
      expect(await nameOf('0x')).to.equal('AccessDenied')
    })

    for (const [what, validators] of [
      ['one byte less than one', `0x${ONE.slice(4)}`],
      ['one byte more than one', `${ONE}00`],
      ['one of each type', concatHex([ONE, bytesOf([depositOf(2, '0x02')], '0x02')])],
      ['23 of type 0x01', bytesOf(depositsOf(23))],
      ['22 of type 0x02', bytesOf(depositsOf(22, '0x02'), '0x02')],
    ] as [string, Hex][]) {
      it(`is given ${what}`, async () => {
        await scene.world.fund(1000n * ETH)
        expect(await nameOf(validators)).to.equal('InvalidValidators')
      })
    }

    for (const gwei of [31_999_999_999n, 2_048_000_000_001n, 0n]) {
      it(`is given a validator of type 0x02 with ${gwei} Gwei, before it looks at its balance`, async () => {
        const both = [depositOf(1, '0x02'), depositOf(2, '0x02', gwei)]
        expect(await nameOf(bytesOf(both, '0x02'))).to.equal('InvalidAssets')
      })
    }

    it('is to top up what it has not registered, or a validator of type 0x01', async () => {
      await scene.world.fund(1000n * ETH)
      const fund = (validators: Hex) => {
        const args = [validators, '0x'] as const
        return { to: VAULT, data: encodeFunctionData({ abi, functionName: 'fundValidators', args }) }
      }
      const revertOf = (validators: Hex) => scene.revertName(fund(validators), MANAGER.address)
      expect(await revertOf(bytesOf([depositOf(1, '0x02')], '0x02'))).to.equal('InvalidValidators')
      expect(await revertOf(ONE)).to.equal('CannotTopUpV1Validators')
      expect(await revertOf(bytesOf(depositsOf(22, '0x02'), '0x02'))).to.equal('InvalidValidators')
      expect(await scene.revertName(fund(ONE), SOMEBODY.address)).to.equal('AccessDenied')
    })

    it('has not the balance', async () => {
      await scene.world.fund(32n * ETH - 1n)
      const call = registrationCall(VAULT, sender, await scene.approve(ONE), undefined)
      expect(await scene.revertData(call, MANAGER.address)).to.equal('0x')
      expect(await nameOf(ONE)).to.equal('no reason')
    })

    it('has the balance, and reserves it for the exit queue', async () => {
      await scene.world.fund(64n * ETH)
      await scene.world.reserve(32n * ETH + 1n)
      expect(await nameOf(ONE)).to.equal('Panic(0x11)')
    })

    it('is given another deposit data root', async () => {
      await scene.world.fund(32n * ETH)
      const wrong: Hex = `0x${ONE.slice(2, -64)}${OTHER_ROOT.slice(2)}`
      const call = registrationCall(VAULT, sender, await scene.approve(wrong), undefined)
      const { name, meaning } = describeRevert(await scene.revertData(call, MANAGER.address))
      expect(name).to.equal('Error')
      expect(meaning).to.match(/the deposit data has another root/)
    })
  })

  describe('where a vault of version 2', () => {
    before(() => scene.place({ kind: 'v2', manager: MANAGER.address }))
    beforeEach(() => scene.reset())

    it('has too few assets, for one and for two', async () => {
      await scene.world.fund(64n * ETH - 1n)
      expect(await nameOf(bytesOf(depositsOf(2)))).to.equal('InsufficientAssets')
      await scene.world.reserve(32n * ETH)
      expect(await nameOf(ONE)).to.equal('InsufficientAssets')
    })

    it('has another manager than the sender and the signer', async () => {
      expect(await nameOf(ONE, { from: SOMEBODY.address })).to.equal('AccessDenied')
      const signature = await scene.managerSignature('0x12')
      expect(await nameOf(ONE, { from: SOMEBODY.address, signature })).to.equal('AccessDenied')
    })

    it('is given no validators, or bytes of another length', async () => {
      for (const validators of ['0x', `${ONE}00`, bytesOf(depositsOf(1, '0x02'), '0x02')] as const) {
        expect(await nameOf(validators)).to.equal('InvalidValidators')
      }
    })
  })
})
