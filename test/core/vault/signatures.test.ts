import { expect } from 'chai'
import { concatHex, encodeAbiParameters, hashTypedData, keccak256, stringToHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { managerTypedData, oracleApprovalTypedData } from '../../../core/vault/signatures.js'

const VAULT: Hex = '0xba447498DC4c169f2b4f427B2c4D532320457E89'
const ROOT: Hex = `0x${'ab'.repeat(32)}`
const VALIDATORS: Hex = `0x${'0102'.repeat(176)}`
const CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
const DEADLINE = 1_800_000_000n
const text = (value: string) => keccak256(stringToHex(value))

/** EIP-712 as the standard says, with nothing of viem's own typed data. */
function digestOf(
  domain: { name: string; chainId: number; contract: Hex },
  type: string,
  fields: readonly [type: 'bytes32' | 'address' | 'uint256', value: Hex | bigint][],
): Hex {
  const separator = keccak256(
    encodeAbiParameters(
      [
        { type: 'bytes32' },
        { type: 'bytes32' },
        { type: 'bytes32' },
        { type: 'uint256' },
        { type: 'address' },
      ],
      [
        text('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
        text(domain.name),
        text('1'),
        BigInt(domain.chainId),
        domain.contract,
      ],
    ),
  )
  const struct = keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, ...fields.map(([name]) => ({ type: name }))],
      [text(type), ...fields.map(([, value]) => value)],
    ),
  )
  return keccak256(concatHex(['0x1901', separator, struct]))
}

describe('what oracles and managers sign', () => {
  for (const name of ['mainnet', 'hoodi', 'gnosis']) {
    const network = loadNetwork(name)

    it(`an oracle's approval on ${name} is over root, vault, validators, file and deadline`, () => {
      const message = {
        validatorsRegistryRoot: ROOT,
        vault: VAULT,
        validators: VALIDATORS,
        exitSignaturesIpfsHash: CID,
        deadline: DEADLINE,
      }
      const expected = digestOf(
        { name: 'KeeperOracles', chainId: network.chainId, contract: network.keeper.address },
        'KeeperValidators(bytes32 validatorsRegistryRoot,address vault,bytes validators,string exitSignaturesIpfsHash,uint256 deadline)',
        [
          ['bytes32', ROOT],
          ['address', VAULT],
          ['bytes32', keccak256(VALIDATORS)],
          ['bytes32', text(CID)],
          ['uint256', DEADLINE],
        ],
      )
      expect(hashTypedData(oracleApprovalTypedData(network, message))).to.equal(expected)
    })

    it(`the manager's word on ${name} is over root and validators, for its vault`, () => {
      const message = { validatorsRegistryRoot: ROOT, validators: VALIDATORS }
      const expected = digestOf(
        { name: 'VaultValidators', chainId: network.chainId, contract: VAULT },
        'VaultValidators(bytes32 validatorsRegistryRoot,bytes validators)',
        [
          ['bytes32', ROOT],
          ['bytes32', keccak256(VALIDATORS)],
        ],
      )
      expect(hashTypedData(managerTypedData(network, VAULT, message))).to.equal(expected)
    })
  }

  it('are signed as the digest by hand is', async () => {
    const network = loadNetwork('hoodi')
    const account = privateKeyToAccount(`0x${'2a'.repeat(32)}`)
    const message = { validatorsRegistryRoot: ROOT, validators: VALIDATORS }
    const hash = digestOf(
      { name: 'VaultValidators', chainId: 560_048, contract: VAULT },
      'VaultValidators(bytes32 validatorsRegistryRoot,bytes validators)',
      [
        ['bytes32', ROOT],
        ['bytes32', keccak256(VALIDATORS)],
      ],
    )
    expect(await account.signTypedData(managerTypedData(network, VAULT, message))).to.equal(
      await account.sign({ hash }),
    )
  })
})
