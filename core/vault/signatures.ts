/** What is signed with EIP-712 when validators are registered (chain.md, "Signatures"). */
import type { Hex } from '../hex.js'
import type { Network } from '../network.js'

/** What an oracle approves. */
export interface OracleApproval {
  readonly validatorsRegistryRoot: Hex
  readonly vault: Hex
  /** The validators' bytes, one after the other. */
  readonly validators: Hex
  readonly exitSignaturesIpfsHash: string
  /** Seconds since 1970. */
  readonly deadline: bigint
}

/** An oracle's approval as typed data: domain KeeperOracles of the network's Keeper. */
export function oracleApprovalTypedData(network: Network, message: OracleApproval) {
  return {
    domain: {
      name: 'KeeperOracles',
      version: '1',
      chainId: network.chainId,
      verifyingContract: network.keeper.address,
    },
    types: {
      KeeperValidators: [
        { name: 'validatorsRegistryRoot', type: 'bytes32' },
        { name: 'vault', type: 'address' },
        { name: 'validators', type: 'bytes' },
        { name: 'exitSignaturesIpfsHash', type: 'string' },
        { name: 'deadline', type: 'uint256' },
      ],
    },
    primaryType: 'KeeperValidators',
    message,
  } as const
}

/**
 * The validators manager's word as typed data: domain VaultValidators of the vault.
 * @param message.validatorsRegistryRoot the root for a registration; the vault's validatorsManagerNonce as 32
 *   bytes for everything else
 */
export function managerTypedData(
  network: Network,
  vault: Hex,
  message: { readonly validatorsRegistryRoot: Hex; readonly validators: Hex },
) {
  return {
    domain: { name: 'VaultValidators', version: '1', chainId: network.chainId, verifyingContract: vault },
    types: {
      VaultValidators: [
        { name: 'validatorsRegistryRoot', type: 'bytes32' },
        { name: 'validators', type: 'bytes' },
      ],
    },
    primaryType: 'VaultValidators',
    message,
  } as const
}

/**
 * That an oracle lets validators be consolidated into keys that the vault does not know as compounding: domain
 * ConsolidationsChecker (v3-core, ConsolidationsChecker).
 * @param checker the contract's address
 */
export function consolidationTypedData(
  network: Network,
  checker: Hex,
  message: { readonly vault: Hex; readonly validators: Hex },
) {
  return {
    domain: {
      name: 'ConsolidationsChecker',
      version: '1',
      chainId: network.chainId,
      verifyingContract: checker,
    },
    types: {
      ConsolidationsChecker: [
        { name: 'vault', type: 'address' },
        { name: 'validators', type: 'bytes' },
      ],
    },
    primaryType: 'ConsolidationsChecker',
    message,
  } as const
}
