import { expect } from 'chai'
import { decodeFunctionData, parseAbi, toFunctionSelector } from 'viem'
import type { Hex } from '../../../core/hex.js'
import type { DepositDataProof } from '../../../operator/deposit-data/merkle.js'
import { type Authority, registrationCall } from '../../../operator/registration/call.js'

/** The contracts' functions as they are deployed, apart from the product's own list of them. */
const abi = parseAbi([
  'struct Approval { bytes32 root; uint256 deadline; bytes validators; bytes signatures; string cid; }',
  'struct Harvest { bytes32 root; int160 reward; uint160 unlocked; bytes32[] proof; }',
  'function registerValidators(Approval approval, bytes managerSignature)',
  'function registerValidator(Approval approval, bytes32[] proof)',
  'function registerValidators(Approval approval, uint256[] indexes, bool[] flags, bytes32[] proof)',
  'function registerValidator(address vault, Approval approval, bytes32[] proof)',
  'function registerValidators(address vault, Approval approval, uint256[] indexes, bool[] flags, bytes32[] proof)',
  'function updateState(Harvest harvest)',
  'function updateVaultState(address vault, Harvest harvest)',
  'function multicall(bytes[] data)',
])
const APPROVAL = '(bytes32,uint256,bytes,bytes,string)'

const VAULT: Hex = '0xba447498DC4c169f2b4f427B2c4D532320457E89'
const REGISTRY: Hex = '0x93a3f880E07B27dacA6Ef2d3C23E77DBd6294487'
const SIGNATURE: Hex = `0x${'5a'.repeat(65)}`
const NODES: Hex[] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`]
const approval = {
  validatorsRegistryRoot: `0x${'aa'.repeat(32)}` as Hex,
  deadline: 1_800_000_000n,
  validators: `0x${'bb'.repeat(176)}` as Hex,
  signatures: `0x${'cc'.repeat(130)}` as Hex,
  exitSignaturesIpfsHash: 'bafycid',
}
const sent = {
  root: approval.validatorsRegistryRoot,
  deadline: approval.deadline,
  validators: approval.validators,
  signatures: approval.signatures,
  cid: approval.exitSignaturesIpfsHash,
}
const harvest = {
  rewardsRoot: `0x${'dd'.repeat(32)}` as Hex,
  reward: -9_007_199_254_740_993n,
  unlockedMevReward: 7n,
  proof: NODES,
}
const harvested = { root: harvest.rewardsRoot, reward: harvest.reward, unlocked: 7n, proof: NODES }

const one: DepositDataProof = {
  single: NODES,
  proof: NODES.toReversed(),
  proofFlags: [false, false],
  leafPositions: [4],
  indexes: [0],
}
const three: DepositDataProof = {
  single: [],
  proof: NODES,
  proofFlags: [true, false, true],
  leafPositions: [4, 2, 3],
  indexes: [1, 2, 0],
}
const WAYS: readonly [what: string, authority: Authority, to: Hex, signature: string, args: unknown[]][] = [
  [
    'the manager itself',
    { kind: 'manager', signature: undefined },
    VAULT,
    `registerValidators(${APPROVAL},bytes)`,
    [sent, '0x'],
  ],
  [
    'the manager’s signature',
    { kind: 'manager', signature: SIGNATURE },
    VAULT,
    `registerValidators(${APPROVAL},bytes)`,
    [sent, SIGNATURE],
  ],
  [
    'a vault of version 1, one validator',
    { kind: 'own', proof: one },
    VAULT,
    `registerValidator(${APPROVAL},bytes32[])`,
    [sent, NODES],
  ],
  [
    'a vault of version 1, several',
    { kind: 'own', proof: three },
    VAULT,
    `registerValidators(${APPROVAL},uint256[],bool[],bytes32[])`,
    [sent, [1n, 2n, 0n], [true, false, true], NODES],
  ],
  [
    'the registry, one validator',
    { kind: 'registry', registry: REGISTRY, proof: one },
    REGISTRY,
    `registerValidator(address,${APPROVAL},bytes32[])`,
    [VAULT, sent, NODES],
  ],
  [
    'the registry, several',
    { kind: 'registry', registry: REGISTRY, proof: three },
    REGISTRY,
    `registerValidators(address,${APPROVAL},uint256[],bool[],bytes32[])`,
    [VAULT, sent, [1n, 2n, 0n], [true, false, true], NODES],
  ],
]

describe('the call that registers', () => {
  for (const [what, authority, to, signature, args] of WAYS) {
    it(`by ${what}`, () => {
      const call = registrationCall(VAULT, authority, approval, undefined)
      expect(call.to).to.equal(to)
      expect(call.data.slice(0, 10)).to.equal(toFunctionSelector(signature))
      expect(decodeFunctionData({ abi, data: call.data }).args).to.deep.equal(args)
    })

    it(`by ${what}, after the harvest in one transaction of the same sender`, () => {
      const alone = registrationCall(VAULT, authority, approval, undefined)
      const call = registrationCall(VAULT, authority, approval, harvest)
      expect(call.to).to.equal(to)
      const { functionName, args: calls } = decodeFunctionData({ abi, data: call.data })
      expect(functionName).to.equal('multicall')
      const [update, register, ...more] = calls[0] as Hex[]
      expect(more).to.deep.equal([])
      expect(register).to.equal(alone.data)
      const expected =
        to === REGISTRY
          ? { functionName: 'updateVaultState', args: [VAULT, harvested] }
          : { functionName: 'updateState', args: [harvested] }
      expect(decodeFunctionData({ abi, data: update ?? '0x' })).to.deep.equal(expected)
    })
  }
})
