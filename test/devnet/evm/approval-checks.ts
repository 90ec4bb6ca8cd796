/** What an oracle checks before it approves a registration. */
import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { isAddressEqual, recoverTypedDataAddress } from 'viem'
import { parsePublicKey } from '../../../core/bls/points.js'
import { publicSharesInterpolate } from '../../../core/bls/threshold.js'
import { verifyDepositSignatures } from '../../../core/deposits/deposit-data.js'
import { describeError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { withdrawalCredentials } from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import type { Network } from '../../../core/network.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import { type Oracles, openPart } from '../oracles.js'
import type { ApprovalRequest, Multiproof } from './approval-request.js'

/** What the oracles see of the chain. */
export interface ApprovalChecks {
  readonly depositRoot: () => Promise<Hex>
  readonly nextIndex: () => Promise<number>
  /** Whether a key was deposited before. */
  readonly isKnown: (publicKey: Hex) => Promise<boolean>
  /** The validators manager that the vault names; rejects for a vault of version 1, which has none. */
  readonly manager: () => Promise<Hex>
  /** The root of the deposit data that the vault accepts, and the position of its next entry. */
  readonly depositData: () => Promise<{ readonly root: Hex; readonly position: number }>
  readonly batchLimit: number
  /** Seconds. */
  readonly validityPeriod: number
  /** Milliseconds since 1970; the system's clock unless given. */
  readonly now?: () => number
}

/** For whom the oracles check. */
export interface CheckedVault extends ApprovalChecks {
  readonly network: Network
  readonly vault: Hex
  readonly oracles: Oracles
}

/**
 * Why the oracle at this position refuses; undefined where it approves.
 * @throws what the chain's functions throw
 */
export async function checkApproval(
  request: ApprovalRequest,
  position: number,
  checked: CheckedVault,
): Promise<string | undefined> {
  return (
    checkBatch(request, checked) ??
    (await checkChain(request, checked)) ??
    checkDeposits(request, checked.network) ??
    (await checkAuthority(request, checked)) ??
    checkExits(request, position, checked)
  )
}

/** What needs no chain. */
function checkBatch(
  { vault, publicKeys, deadline }: ApprovalRequest,
  { vault: own, batchLimit, validityPeriod, now = Date.now }: CheckedVault,
): string | undefined {
  const seconds = BigInt(Math.floor(now() / 1000))
  if (!isAddressEqual(vault, own)) return 'unknown vault'
  if (publicKeys.length > batchLimit) return `more than ${batchLimit} validators`
  if (new Set(publicKeys).size < publicKeys.length) return 'a public key is asked for twice'
  if (deadline <= seconds) return 'the deadline has passed'
  if (deadline > seconds + BigInt(validityPeriod)) return 'the deadline is too far'
  return undefined
}

async function checkChain(
  { validatorsRoot, validatorIndex, publicKeys }: ApprovalRequest,
  { depositRoot, nextIndex, isKnown }: CheckedVault,
): Promise<string | undefined> {
  const root = await depositRoot()
  if (validatorsRoot !== root) return `validators_root is not ${root}`
  const index = await nextIndex()
  if (validatorIndex !== index) return `validator_index is not ${index}`
  for (const publicKey of publicKeys) {
    if (await isKnown(publicKey)) return `${publicKey} was deposited before`
  }
  return undefined
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

/** The manager must have signed, or the deposit data be proven, as the vault wants it. */
async function checkAuthority(request: ApprovalRequest, checked: CheckedVault): Promise<string | undefined> {
  const { network, manager } = checked
  if (request.multiproof === undefined) return checkManager(request, checked, await manager())
  // Version 1 has no manager: asking it reverts, and its own deposit data counts.
  const named = await manager().catch(() => undefined)
  const registry = network.depositDataRegistry?.address
  const takesProofs = named === undefined || (registry !== undefined && isAddressEqual(named, registry))
  if (!takesProofs) return `the vault wants the signature of its validators manager ${named}, not a proof`
  return checkProof(request.bytes, request.multiproof, await checked.depositData())
}

async function checkManager(
  { validatorsRoot, validators, managerSignature }: ApprovalRequest,
  { network, vault }: CheckedVault,
  manager: Hex,
): Promise<string | undefined> {
  const message = { validatorsRegistryRoot: validatorsRoot, validators }
  try {
    const signer = await recoverTypedDataAddress({
      ...managerTypedData(network, vault, message),
      signature: managerSignature ?? '0x',
    })
    if (isAddressEqual(signer, manager)) return undefined
    return `validators_manager_signature is by ${signer}, not by the validators manager ${manager}`
  } catch (error) {
    return `validators_manager_signature is malformed: ${describeError(error)}`
  }
}

/** The validators must be the next entries of the deposit data, in its order. */
function checkProof(
  bytes: readonly Hex[],
  { proof, proofFlags, leafPositions }: Multiproof,
  { root, position }: { readonly root: Hex; readonly position: number },
): string | undefined {
  if (new Set(leafPositions).size < leafPositions.length) return 'proof_indexes repeats a position'
  const leaves = leafPositions.map((leaf) => [bytes[leaf - position] ?? '0x', String(leaf)])
  const refusal = `the proof does not fit the vault's deposit data from position ${position} on`
  try {
    const multiproof = { leaves, proof, proofFlags }
    const isProven = StandardMerkleTree.verifyMultiProof(root, ['bytes', 'uint256'], multiproof)
    return isProven ? undefined : refusal
  } catch (error) {
    return `${refusal}: ${describeError(error)}`
  }
}

/** Every part that can be opened must be one of the exit for the right index, under the validator's key. */
function checkExits(
  { publicKeys, publicKeyShards, exitSignatureShards, validatorIndex }: ApprovalRequest,
  position: number,
  { network, oracles }: CheckedVault,
): string | undefined {
  for (const [i, publicKey] of publicKeys.entries()) {
    const [shards = [], sealed = []] = [publicKeyShards[i], exitSignatureShards[i]]
    const root = voluntaryExitSigningRoot(network, presignedExit(network, validatorIndex + i))
    try {
      const refusal = checkShards(publicKey, shards, sealed, oracles)
      if (refusal !== undefined) return refusal
      openPart(oracleAt(oracles, position), sealed[position] ?? '', shards[position] ?? '', root)
    } catch (error) {
      return `the exit signature's part of ${publicKey}: ${describeError(error)}`
    }
  }
  return undefined
}

/** @throws DvtExitError where a shard is no point */
function checkShards(
  publicKey: Hex,
  shards: readonly Hex[],
  sealed: readonly Hex[],
  { keys, threshold }: Oracles,
): string | undefined {
  if (shards.length !== keys.length) return `${publicKey} has ${shards.length} public key shards`
  if (sealed.length !== keys.length) return `${publicKey} has ${sealed.length} exit signature shards`
  const shares = shards.map((shard, x) => ({ index: BigInt(x + 1), publicKey: parsePublicKey(shard) }))
  if (publicSharesInterpolate(parsePublicKey(publicKey), shares, threshold)) return undefined
  return `the public key shards of ${publicKey} do not make it`
}

function oracleAt({ keys }: Oracles, position: number) {
  const key = keys[position]
  if (key === undefined) throw new Error(`there is no oracle ${position}`)
  return key
}
