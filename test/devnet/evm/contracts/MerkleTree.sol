// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProofInvalidMultiproof} from "./Errors.sol";

/// Proofs of keccak trees whose pairs are hashed in ascending order, one leaf or several at a time.
library MerkleTree {
    function leaf(bytes memory encoded) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(keccak256(encoded)));
    }

    function root(bytes32 node, bytes32[] calldata proof) internal pure returns (bytes32) {
        for (uint256 i = 0; i < proof.length; i++) node = pair(node, proof[i]);
        return node;
    }

    /// Each flag takes two nodes off the queue (true), or one of the queue and one of the proof (false); the
    /// queue is the leaves and then the nodes made of them.
    function rootOfSeveral(
        bytes32[] memory leaves,
        bool[] calldata flags,
        bytes32[] calldata proof
    ) internal pure returns (bytes32) {
        if (leaves.length + proof.length != flags.length + 1) revert MerkleProofInvalidMultiproof();
        if (flags.length == 0) return leaves.length == 1 ? leaves[0] : proof[0];

        bytes32[] memory queue = new bytes32[](leaves.length + flags.length);
        for (uint256 i = 0; i < leaves.length; i++) queue[i] = leaves[i];
        uint256 head = 0;
        uint256 tail = leaves.length;
        uint256 used = 0;
        for (uint256 i = 0; i < flags.length; i++) {
            bytes32 first = queue[head++];
            bytes32 second = flags[i] ? queue[head++] : proof[used++];
            queue[tail++] = pair(first, second);
        }
        if (used != proof.length) revert MerkleProofInvalidMultiproof();
        return queue[tail - 1];
    }

    function pair(bytes32 one, bytes32 other) private pure returns (bytes32) {
        return one < other ? keccak256(abi.encodePacked(one, other)) : keccak256(abi.encodePacked(other, one));
    }
}
