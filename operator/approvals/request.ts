/** What the oracles are asked to approve, and the request that says so (chain.md, "Oracles' HTTP"). */
import { getAddress } from 'viem'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import { stringifyJson } from '../../core/json.js'

/** By whose right the validators are registered: a proof that the registry knows them, or the manager's word. */
export type RegistrationAuthority =
  | {
      readonly kind: 'registry'
      /** The multiproof's nodes, 32 bytes each; a multiproof even for one validator. */
      readonly proof: readonly Hex[]
      readonly proofFlags: readonly boolean[]
      /** Position in the deposit data file of the multiproof's k-th leaf. */
      readonly proofIndexes: readonly number[]
    }
  | {
      readonly kind: 'manager'
      /** The manager's EIP-712 signature over root and validators, 65 bytes. */
      readonly signature: Hex
      /** Gwei, one a validator; null for validators of type 0x01. */
      readonly amounts: readonly bigint[] | null
    }

/** One batch of validators, at one root and index. Lists have one item a validator, in order. */
export interface ApprovalSubject {
  /** The index that the first of the validators will get. */
  readonly validatorIndex: number
  readonly vault: Hex
  /** The deposit contract's root that the index holds for, 32 bytes. */
  readonly validatorsRoot: Hex
  /** The bytes that the oracles sign: 176 or 184 a validator. */
  readonly validators: Hex
  readonly publicKeys: readonly PublicKeyHex[]
  /** 96 bytes each. */
  readonly depositSignatures: readonly Hex[]
  /** For each validator the public keys of the oracles' shares, in the protocol config's order, 48 bytes each. */
  readonly publicKeyShards: readonly (readonly Hex[])[]
  /** For each validator the oracles' shares of its exit signature, each sealed for its oracle. */
  readonly exitSignatureShards: readonly (readonly Hex[])[]
  readonly authority: RegistrationAuthority
}

/**
 * The body of an approval request, as JSON text: with the registry's proof as the Python operator v3 sends it,
 * with the manager's signature as v4 does.
 * @param deadline seconds since 1970
 */
export function approvalRequestBody(subject: ApprovalSubject, deadline: bigint): string {
  return stringifyJson({
    validator_index: subject.validatorIndex,
    vault_address: getAddress(subject.vault),
    validators_root: subject.validatorsRoot,
    public_keys: subject.publicKeys,
    deposit_signatures: subject.depositSignatures,
    public_key_shards: subject.publicKeyShards,
    exit_signature_shards: subject.exitSignatureShards,
    deadline,
    ...authorityFields(subject.authority),
  })
}

function authorityFields(authority: RegistrationAuthority) {
  if (authority.kind === 'manager') {
    return { validators_manager_signature: authority.signature, amounts: authority.amounts }
  }
  return {
    proof: authority.proof,
    proof_flags: authority.proofFlags,
    proof_indexes: authority.proofIndexes,
    validators_manager_signature: null,
  }
}
