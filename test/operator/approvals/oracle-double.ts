import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { fromHex, type Hex, toHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { NETWORKS } from '../../../core/networks.js'
import { type ProtocolConfig, parseProtocolConfig } from '../../../core/oracles/protocol-config.js'
import type { ApprovalSubject } from '../../../operator/approvals/request.js'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from '../../devnet/http-double.js'

export const NETWORK = loadNetwork('hoodi')
export const CID = 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'
export const OTHER_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
export const PERIOD = 3600

/** A registration of two validators through the registry; its bytes mean nothing. */
export const SUBJECT: ApprovalSubject = {
  validatorIndex: 1_234_567,
  vault: '0xba447498dc4c169f2b4f427b2c4d532320457e89',
  validatorsRoot: `0x${'ab'.repeat(32)}`,
  validators: `0x${'11'.repeat(176)}${'22'.repeat(176)}`,
  publicKeys: [`0x${'11'.repeat(48)}`, `0x${'22'.repeat(48)}`],
  depositSignatures: [`0x${'33'.repeat(96)}`, `0x${'44'.repeat(96)}`],
  publicKeyShards: [[`0x${'55'.repeat(48)}`], [`0x${'66'.repeat(48)}`]],
  exitSignatureShards: [['0x77'], ['0x88']],
  authority: { kind: 'registry', proof: [`0x${'99'.repeat(32)}`], proofFlags: [true], proofIndexes: [1, 0] },
}

/** What an oracle signs, written down here on its own (chain.md, "Signatures"). */
const APPROVAL_TYPES = {
  KeeperValidators: [
    { name: 'validatorsRegistryRoot', type: 'bytes32' },
    { name: 'vault', type: 'address' },
    { name: 'validators', type: 'bytes' },
    { name: 'exitSignaturesIpfsHash', type: 'string' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const

const HOODI_KEEPER = (NETWORKS['hoodi'] as { keeper: { address: Hex } }).keeper.address

/** The approval of any content by any key. */
export function signApproval(
  account: PrivateKeyAccount,
  approval: { readonly ipfsHash?: string; readonly deadline: number; readonly validators?: Hex },
): Promise<Hex> {
  return account.signTypedData({
    domain: { name: 'KeeperOracles', version: '1', chainId: 560_048, verifyingContract: HOODI_KEEPER },
    types: APPROVAL_TYPES,
    primaryType: 'KeeperValidators',
    message: {
      validatorsRegistryRoot: SUBJECT.validatorsRoot,
      vault: SUBJECT.vault,
      validators: approval.validators ?? SUBJECT.validators,
      exitSignaturesIpfsHash: approval.ipfsHash ?? CID,
      deadline: BigInt(approval.deadline),
    },
  })
}

export interface SignedAnswer {
  readonly ipfs_hash: string
  readonly signature: string
  readonly deadline: number
}

/** One replica of an oracle that approves SUBJECT for whatever deadline it is asked. */
export class OracleReplica extends HttpDouble {
  readonly account: PrivateKeyAccount
  /** The requests' bodies, parsed, and the paths that they came to. */
  readonly bodies: { readonly deadline: number; readonly [field: string]: unknown }[] = []
  readonly paths: string[] = []
  /** What it answers; a test replaces it. */
  reply: (deadline: number) => Promise<DoubleAnswer> = async (deadline) => ({
    status: 200,
    body: await this.signed({ deadline }),
  })

  constructor(account: PrivateKeyAccount) {
    super()
    this.account = account
  }

  /** A right answer, or one over what is given. */
  async signed(approval: {
    readonly ipfsHash?: string
    readonly deadline: number
    readonly validators?: Hex
  }): Promise<SignedAnswer> {
    const signature = await signApproval(this.account, approval)
    return { ipfs_hash: approval.ipfsHash ?? CID, signature, deadline: approval.deadline }
  }

  protected override kindOf(request: DoubleRequest): string {
    return request.method
  }

  protected override async answer(request: DoubleRequest): Promise<DoubleAnswer> {
    const body = JSON.parse(request.body)
    this.bodies.push(body)
    this.paths.push(request.path)
    return this.reply(body.deadline)
  }
}

/** Keys of oracles that are the same in every run; their addresses are in no order. */
export function oracleAccount(number: number): PrivateKeyAccount {
  return privateKeyToAccount(`0x${(number + 1).toString(16).padStart(64, '0')}`)
}

/** The protocol config that names the oracles with their replicas' URLs. */
export function configOf(
  oracles: readonly { readonly account: PrivateKeyAccount; readonly endpoints: readonly string[] }[],
  signatureValidityPeriod: number | undefined = PERIOD,
): ProtocolConfig {
  return parseProtocolConfig(
    {
      oracles: oracles.map(({ account, endpoints }) => ({
        public_key: toHex(fromHex(account.publicKey).subarray(1)),
        endpoints,
      })),
      exit_signature_recover_threshold: 1,
      ...(signatureValidityPeriod === undefined
        ? {}
        : { signature_validity_period: signatureValidityPeriod }),
    },
    'test',
  )
}
