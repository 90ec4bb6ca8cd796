/** The call that registers validators, for each way that a vault has (chain.md, "Which validators"). */
import { encodeFunctionData } from 'viem'
import type { Hex } from '../../core/hex.js'
import { depositDataRegistryAbi, vaultAbi, vaultV1Abi } from '../../core/vault/abi.js'
import type { ApprovalParams, HarvestParams } from '../../core/vault/approval-params.js'
import type { DepositDataProof } from '../deposit-data/merkle.js'

/** Who lets the validators in, with what shows it. */
export type Authority =
  | { readonly kind: 'own'; readonly proof: DepositDataProof }
  | { readonly kind: 'registry'; readonly registry: Hex; readonly proof: DepositDataProof }
  /** Without a signature the sender is the manager. */
  | { readonly kind: 'manager'; readonly signature: Hex | undefined }

export interface RegistrationCall {
  readonly to: Hex
  readonly data: Hex
}

/**
 * @param harvest goes first, in the same transaction
 */
export function registrationCall(
  vault: Hex,
  authority: Authority,
  approval: ApprovalParams,
  harvest: HarvestParams | undefined,
): RegistrationCall {
  if (authority.kind === 'registry') {
    const register = throughRegistry(vault, approval, authority.proof)
    if (harvest === undefined) return { to: authority.registry, data: register }
    const abi = depositDataRegistryAbi
    const update = encodeFunctionData({ abi, functionName: 'updateVaultState', args: [vault, harvest] })
    const data = encodeFunctionData({ abi, functionName: 'multicall', args: [[update, register]] })
    return { to: authority.registry, data }
  }
  const register =
    authority.kind === 'own'
      ? byVaultItself(approval, authority.proof)
      : encodeFunctionData({
          abi: vaultAbi,
          functionName: 'registerValidators',
          args: [approval, authority.signature ?? '0x'],
        })
  if (harvest === undefined) return { to: vault, data: register }
  const update = encodeFunctionData({ abi: vaultAbi, functionName: 'updateState', args: [harvest] })
  const data = encodeFunctionData({ abi: vaultAbi, functionName: 'multicall', args: [[update, register]] })
  return { to: vault, data }
}

function throughRegistry(vault: Hex, approval: ApprovalParams, proof: DepositDataProof): Hex {
  const abi = depositDataRegistryAbi
  if (proof.indexes.length === 1) {
    return encodeFunctionData({
      abi,
      functionName: 'registerValidator',
      args: [vault, approval, proof.single],
    })
  }
  const indexes = proof.indexes.map(BigInt)
  return encodeFunctionData({
    abi,
    functionName: 'registerValidators',
    args: [vault, approval, indexes, proof.proofFlags, proof.proof],
  })
}

function byVaultItself(approval: ApprovalParams, proof: DepositDataProof): Hex {
  const abi = vaultV1Abi
  if (proof.indexes.length === 1) {
    return encodeFunctionData({ abi, functionName: 'registerValidator', args: [approval, proof.single] })
  }
  const indexes = proof.indexes.map(BigInt)
  return encodeFunctionData({
    abi,
    functionName: 'registerValidators',
    args: [approval, indexes, proof.proofFlags, proof.proof],
  })
}
