// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InvalidProof, InvalidValidators} from "./Errors.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// Whether validators are the next ones of the deposit data with this root.
library DepositData {
    function checkOne(bytes32 root, uint256 position, bytes calldata validator, bytes32[] calldata proof) internal pure {
        if (MerkleTree.root(leaf(validator, position), proof) != root) revert InvalidProof();
    }

    /// indexes[i] is where the proof has the i-th validator among its leaves.
    function checkSeveral(
        bytes32 root,
        uint256 position,
        bytes calldata validators,
        uint256[] calldata indexes,
        bool[] calldata proofFlags,
        bytes32[] calldata proof
    ) internal pure {
        bytes32[] memory leaves = leavesOf(position, validators, indexes);
        if (MerkleTree.rootOfSeveral(leaves, proofFlags, proof) != root) revert InvalidProof();
    }

    function leavesOf(
        uint256 position,
        bytes calldata validators,
        uint256[] calldata indexes
    ) private pure returns (bytes32[] memory leaves) {
        uint256 count = indexes.length;
        if (count == 0) revert InvalidValidators();
        uint256 length = validators.length / count;
        if (length == 0) revert InvalidValidators();
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            leaves[indexes[i]] = leaf(validators[i * length:(i + 1) * length], position + i);
        }
    }

    function leaf(bytes calldata validator, uint256 position) private pure returns (bytes32) {
        return MerkleTree.leaf(abi.encode(validator, position));
    }
}
