/** What an oracle takes for a request to approve a registration, stricter than it must be (chain.md: "Oracles' HTTP"). */
import { concatHex, isAddress } from 'viem'
import { z } from 'zod'
import { describeError } from '../../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { type ValidatorType, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { describeShapeIssues } from '../../../core/shape-issues.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'

/** That the validators are entries of the deposit data. */
export interface Multiproof {
  readonly proof: string[]
  readonly proofFlags: boolean[]
  /** The file position of each leaf. */
  readonly leafPositions: readonly number[]
}

/** A request that has the right shape. Lists have one item a validator. */
export interface ApprovalRequest {
  readonly validatorIndex: number
  readonly vault: Hex
  readonly validatorsRoot: Hex
  readonly publicKeys: readonly PublicKeyHex[]
  readonly depositSignatures: readonly Hex[]
  readonly publicKeyShards: readonly (readonly Hex[])[]
  readonly exitSignatureShards: readonly (readonly Hex[])[]
  /** Seconds since 1970. */
  readonly deadline: bigint
  readonly type: ValidatorType
  /** Gwei. */
  readonly amounts: readonly bigint[]
  /** Absent for vaults that register by a merkle proof. */
  readonly managerSignature: Hex | undefined
  /** Absent where the manager signs. */
  readonly multiproof: Multiproof | undefined
  /** Each validator's bytes. */
  readonly bytes: readonly Hex[]
  /** Their bytes, one after the other. */
  readonly validators: Hex
}

const ETH_32 = 32_000_000_000n

/** Hex as the product must send it: with 0x, lowercase. */
function hex(pattern: string, what: string) {
  return z
    .string()
    .regex(new RegExp(`^0x${pattern}$`), `expected ${what} in lowercase hex with 0x`)
    .transform((text) => text as Hex)
}

const root = hex('[0-9a-f]{64}', '32 bytes')
const publicKey = hex('[0-9a-f]{96}', '48 bytes')
const common = {
  validator_index: z.int().min(0),
  vault_address: z
    .string()
    .refine((text) => isAddress(text), 'expected an address, with a right checksum if it has one')
    .transform((text) => text.toLowerCase() as Hex),
  validators_root: root,
  public_keys: z.array(publicKey).min(1),
  deposit_signatures: z.array(hex('[0-9a-f]{192}', '96 bytes')),
  public_key_shards: z.array(z.array(publicKey)),
  exit_signature_shards: z.array(z.array(hex('(?:[0-9a-f]{2})+', 'bytes'))),
  deadline: z.int(),
}
const byProof = z.strictObject({
  ...common,
  proof: z.array(root),
  proof_flags: z.array(z.boolean()),
  proof_indexes: z.array(z.int().min(0)),
  validators_manager_signature: z.null(),
})
const byManager = z.strictObject({
  ...common,
  validators_manager_signature: hex('[0-9a-f]{130}', '65 bytes'),
  amounts: z.array(z.union([z.int(), z.bigint()]).transform(BigInt)).nullable(),
})

/** The request, or what is wrong with its shape. */
export function parseApproval(body: string): ApprovalRequest | string {
  let json: unknown
  try {
    json = parseJson(body)
  } catch (error) {
    return `not JSON: ${describeError(error)}`
  }
  const hasProof = typeof json === 'object' && json !== null && 'proof' in json
  const parsed = hasProof ? byProof.safeParse(json) : byManager.safeParse(json)
  return parsed.success ? toRequest(parsed.data) : `unexpected shape: ${describeShapeIssues(parsed.error)}`
}

function toRequest(fields: z.infer<typeof byProof> | z.infer<typeof byManager>): ApprovalRequest | string {
  const { public_keys: publicKeys, deposit_signatures: depositSignatures, vault_address: vault } = fields
  const ofManager = 'amounts' in fields ? fields.amounts : null
  const amounts = ofManager ?? publicKeys.map(() => ETH_32)
  const lists = {
    deposit_signatures: depositSignatures,
    public_key_shards: fields.public_key_shards,
    exit_signature_shards: fields.exit_signature_shards,
    amounts,
    proof_indexes: 'proof' in fields ? fields.proof_indexes : amounts,
  }
  for (const [name, { length }] of Object.entries(lists)) {
    if (length !== publicKeys.length) return `${length} ${name} for ${publicKeys.length} public_keys`
  }
  const type = ofManager === null ? '0x01' : '0x02'
  const bytes = bytesOf(type, vault, { publicKeys, depositSignatures, amounts })
  if (typeof bytes === 'string') return bytes
  return {
    validatorIndex: fields.validator_index,
    vault,
    validatorsRoot: fields.validators_root,
    publicKeys,
    depositSignatures,
    publicKeyShards: fields.public_key_shards,
    exitSignatureShards: fields.exit_signature_shards,
    deadline: BigInt(fields.deadline),
    type,
    amounts,
    managerSignature: fields.validators_manager_signature ?? undefined,
    multiproof:
      'proof' in fields
        ? { proof: fields.proof, proofFlags: fields.proof_flags, leafPositions: fields.proof_indexes }
        : undefined,
    bytes,
    validators: concatHex(bytes),
  }
}

/** Each validator's bytes, or why there are none: an amount that does not fit its 8 bytes. */
function bytesOf(
  type: ValidatorType,
  vault: Hex,
  request: Pick<ApprovalRequest, 'publicKeys' | 'depositSignatures' | 'amounts'>,
): Hex[] | string {
  const { publicKeys, depositSignatures, amounts } = request
  if (amounts.some((amount) => amount < 0n || amount >= 2n ** 64n)) return 'an amount is out of range'
  const credentials = withdrawalCredentials(type, vault)
  return publicKeys.map((key, i) =>
    validatorBytes(type, {
      publicKey: key,
      withdrawalCredentials: credentials,
      amount: amounts[i] ?? 0n,
      signature: depositSignatures[i] ?? '0x',
    }),
  )
}
