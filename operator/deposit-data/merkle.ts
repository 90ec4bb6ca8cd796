/** The merkle tree over a deposit data file, whose root the vault's manager has accepted (chain.md). */
import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import type { DepositDataEntry } from '../../core/deposits/deposit-data.js'
import { type Hex, normalizeHex } from '../../core/hex.js'
import { withdrawalCredentials } from '../../core/messages/deposit.js'
import { validatorBytes } from '../../core/vault/validator-bytes.js'

/** That consecutive entries are in the tree, in the forms that contract and oracles want. */
export interface DepositDataProof {
  /** For a single validator: its own proof. */
  readonly single: readonly Hex[]
  /** The multiproof of all, for a single one too. */
  readonly proof: readonly Hex[]
  readonly proofFlags: readonly boolean[]
  /** The file position of each leaf, in the multiproof's order: what the oracles call proof_indexes. */
  readonly leafPositions: readonly number[]
  /** For each validator, in the file's order, which leaf of the multiproof is its own: what the contract wants. */
  readonly indexes: readonly number[]
}

export class DepositDataTree {
  readonly #tree: StandardMerkleTree<[Hex, string]>

  /** A vault's tree has leaves of 0x01 validators alone: other entries only make its root another one. */
  constructor(entries: readonly DepositDataEntry[], vault: Hex) {
    const credentials = withdrawalCredentials('0x01', vault)
    const leaves = entries.map((entry, position): [Hex, string] => [
      validatorBytes('0x01', { ...entry, withdrawalCredentials: credentials }),
      String(position),
    ])
    this.#tree = StandardMerkleTree.of(leaves, ['bytes', 'uint256'])
  }

  get root(): Hex {
    return normalizeHex(this.#tree.root, 32)
  }

  /** @param positions ascending, not empty */
  prove(positions: readonly number[]): DepositDataProof {
    const { leaves, proof, proofFlags } = this.#tree.getMultiProof([...positions])
    const leafPositions = leaves.map(([, position]) => Number(position))
    const [first] = positions
    return {
      single: first === undefined || positions.length > 1 ? [] : (this.#tree.getProof(first) as Hex[]),
      proof: proof as Hex[],
      proofFlags,
      leafPositions,
      indexes: contractIndexes(leafPositions),
    }
  }
}

/** @param leafPositions the file position of each leaf; for example [4, 2, 3] gives [1, 2, 0] */
export function contractIndexes(leafPositions: readonly number[]): number[] {
  return leafPositions.toSorted((a, b) => a - b).map((position) => leafPositions.indexOf(position))
}
