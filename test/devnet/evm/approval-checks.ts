/** What an oracle checks before it approves a registration (the oracles' side of their HTTP API). */
import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { concatHex, isAddressEqual, recoverTypedDataAddress } from 'viem'
import { z } from 'zod'
import { parsePublicKey } from '../../../core/bls/points.js'
import { publicSharesInterpolate } from '../../../core/bls/threshold.js'
import { verifyDepositSignatures } from '../../../core/deposits/deposit-data.js'
import { describeError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { type ValidatorType, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import type { Network } from '../../../core/network.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { hexBytes } from '../../../core/wire/fields.js'
import { type Oracles, openPart } from '../oracles.js'

/** What the oracles see of the chain. */
export interface ApprovalChecks {
  readonly depositRoot: () => Promise<Hex>
  readonly nextIndex: () => Promise<number>
  /** Whether a key was deposited before. */
  readonly isKnown: (publicKey: Hex) => Promise<boolean>
  /** The validators manager that the vault names. */
  readonly manager: () => Promise<Hex>
  /** The root of the deposit data that the vault accepts, and the position of its next entry. */
  readonly depositData: () => Promise<{ readonly root: Hex; readonly position: number }>
  readonly batchLimit: number
  /** Seconds. */
  readonly validityPeriod: number
}

const common = {
  validator_index: z.int().min(0),
  vault_address: hexBytes(20, 'address'),
  validators_root: hexBytes(32, 'root'),
  public_keys: z.array(hexBytes(48, 'public key')).min(1),
  deposit_signatures: z.array(hexBytes(96, 'signature')),
  public_key_shards: z.array(z.array(hexBytes(48, 'public key'))),
  exit_signature_shards: z.array(z.array(z.string().regex(/^0x[0-9a-f]+$/))),
  deadline: z.int(),
}
const schema = z.union([
  z.strictObject({
    ...common,
    proof: z.array(hexBytes(32, 'node')),
    proof_flags: z.array(z.boolean()),
    proof_indexes: z.array(z.int().min(0)),
    validators_manager_signature: z.null(),
  }),
  z.strictObject({
    ...common,
    validators_manager_signature: hexBytes(65, 'signature'),
    amounts: z.array(z.union([z.int(), z.bigint()]).transform(BigInt)).nullable(),
  }),
])

/** That the validators are entries of the deposit data. */
interface Multiproof {
  readonly proof: string[]
  readonly proofFlags: boolean[]
  /** The file position of each leaf. */
  readonly leafPositions: readonly number[]
}

/** A request that has the right shape. */
export interface ApprovalRequest {
  readonly validatorIndex: number
  readonly vault: Hex
  readonly validatorsRoot: Hex
  readonly publicKeys: readonly Hex[]
  readonly depositSignatures: readonly Hex[]
  readonly publicKeyShards: readonly (readonly Hex[])[]
  readonly exitSignatureShards: readonly (readonly string[])[]
  readonly deadline: bigint
  readonly type: ValidatorType
  /** Gwei, one a validator. */
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

/** The request, or what is wrong with its shape. */
export function parseApproval(body: string): ApprovalRequest | string {
  const parsed = schema.safeParse(parseJson(body))
  if (!parsed.success) return `unexpected shape: ${z.prettifyError(parsed.error)}`
  const request = parsed.data
  const count = request.public_keys.length
  const amounts = ('amounts' in request ? request.amounts : null) ?? request.public_keys.map(() => ETH_32)
  const lists = [
    request.deposit_signatures,
    request.public_key_shards,
    request.exit_signature_shards,
    amounts,
    'proof_indexes' in request ? request.proof_indexes : amounts,
  ]
  if (lists.some(({ length }) => length !== count)) return `a list has not the length ${count} of public_keys`
  const type = 'amounts' in request && request.amounts !== null ? '0x02' : '0x01'
  const credentials = withdrawalCredentials(type, request.vault_address)
  const bytes = request.public_keys.map((publicKey, i) =>
    validatorBytes(type, {
      publicKey,
      withdrawalCredentials: credentials,
      amount: amounts[i] ?? 0n,
      signature: request.deposit_signatures[i] ?? '0x',
    }),
  )
  return {
    validatorIndex: request.validator_index,
    vault: request.vault_address,
    validatorsRoot: request.validators_root,
    publicKeys: request.public_keys,
    depositSignatures: request.deposit_signatures,
    publicKeyShards: request.public_key_shards,
    exitSignatureShards: request.exit_signature_shards,
    deadline: BigInt(request.deadline),
    type,
    amounts,
    managerSignature: request.validators_manager_signature ?? undefined,
    multiproof:
      'proof' in request
        ? { proof: request.proof, proofFlags: request.proof_flags, leafPositions: request.proof_indexes }
        : undefined,
    bytes,
    validators: concatHex(bytes),
  }
}

/** Why the oracle at this position refuses; undefined where it approves. */
export async function checkApproval(
  request: ApprovalRequest,
  position: number,
  options: ApprovalChecks & { readonly network: Network; readonly vault: Hex; readonly oracles: Oracles },
): Promise<string | undefined> {
  const { vault, batchLimit, validityPeriod } = options
  const now = BigInt(Math.floor(Date.now() / 1000))
  if (!isAddressEqual(request.vault, vault)) return 'unknown vault'
  if (request.publicKeys.length > batchLimit) return `more than ${batchLimit} validators`
  if (request.deadline <= now) return 'the deadline has passed'
  if (request.deadline > now + BigInt(validityPeriod)) return 'the deadline is too far'
  const root = await options.depositRoot()
  if (request.validatorsRoot !== root) return `validators_root is not ${root}`
  const index = await options.nextIndex()
  if (request.validatorIndex !== index) return `validator_index is not ${index}`
  for (const publicKey of request.publicKeys) {
    if (await options.isKnown(publicKey)) return `${publicKey} was deposited before`
  }
  return (
    checkDeposits(request, options.network) ??
    (await checkManager(request, options)) ??
    (await checkProof(request, options)) ??
    checkExits(request, position, options)
  )
}

function checkDeposits(request: ApprovalRequest, network: Network): string | undefined {
  const credentials = withdrawalCredentials(request.type, request.vault)
  const verdicts = verifyDepositSignatures(
    network,
    request.publicKeys.map((publicKey, i) => ({
      publicKey,
      withdrawalCredentials: credentials,
      amount: request.amounts[i] ?? 0n,
      signature: request.depositSignatures[i] ?? '0x',
    })),
  )
  const wrong = verdicts.indexOf(false)
  return wrong < 0 ? undefined : `the deposit signature of ${request.publicKeys[wrong]} is wrong`
}

async function checkManager(
  { validatorsRoot, validators, managerSignature }: ApprovalRequest,
  { network, vault, manager }: ApprovalChecks & { readonly network: Network; readonly vault: Hex },
): Promise<string | undefined> {
  if (managerSignature === undefined) return undefined
  const message = { validatorsRegistryRoot: validatorsRoot, validators }
  const signer = await recoverTypedDataAddress({
    ...managerTypedData(network, vault, message),
    signature: managerSignature,
  })
  return isAddressEqual(signer, await manager()) ? undefined : `${signer} is not the validators manager`
}

/** The validators must be the next entries of the deposit data, in its order. */
async function checkProof(
  { multiproof, bytes }: ApprovalRequest,
  { depositData }: ApprovalChecks,
): Promise<string | undefined> {
  if (multiproof === undefined) return undefined
  const { root, position } = await depositData()
  const { proof, proofFlags, leafPositions } = multiproof
  const leaves = leafPositions.map((leaf) => [bytes[leaf - position] ?? '0x', String(leaf)])
  if (new Set(leafPositions).size < leaves.length) return 'proof_indexes repeats a position'
  const isProven = StandardMerkleTree.verifyMultiProof(root, ['bytes', 'uint256'], {
    leaves,
    proof,
    proofFlags,
  })
  return isProven ? undefined : 'the proof does not fit the deposit data of the vault'
}

/** Every part that can be opened must be one of the exit for the right index, under the validator's key. */
function checkExits(
  { publicKeys, publicKeyShards, exitSignatureShards, validatorIndex }: ApprovalRequest,
  position: number,
  { network, oracles }: { readonly network: Network; readonly oracles: Oracles },
): string | undefined {
  for (const [i, publicKey] of publicKeys.entries()) {
    const shards = publicKeyShards[i] ?? []
    if (shards.length !== oracles.keys.length) return `${publicKey} has ${shards.length} shards`
    const shares = shards.map((shard, x) => ({ index: BigInt(x + 1), publicKey: parsePublicKey(shard) }))
    if (!publicSharesInterpolate(parsePublicKey(publicKey), shares, oracles.threshold)) {
      return `the public key shards of ${publicKey} do not make it`
    }
    const oracle = oracles.keys[position]
    if (oracle === undefined) return 'there is no such oracle'
    const root = voluntaryExitSigningRoot(network, presignedExit(network, validatorIndex + i))
    try {
      openPart(oracle, exitSignatureShards[i]?.[position] ?? '', shards[position] ?? '', root)
    } catch (error) {
      return `the exit signature's part of ${publicKey}: ${describeError(error)}`
    }
  }
  return undefined
}
