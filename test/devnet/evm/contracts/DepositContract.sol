// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// The validators' deposits, as a merkle tree of depth 32 that is only ever appended to.
contract DepositContract {
    event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index);

    uint256 private constant DEPTH = 32;

    /// The left nodes that still wait for their right sibling, by height.
    bytes32[DEPTH] private waiting;
    uint256 private count;

    function get_deposit_root() external view returns (bytes32) {
        bytes32 node;
        bytes32 empty;
        uint256 remaining = count;
        for (uint256 height = 0; height < DEPTH; height++) {
            node = remaining % 2 == 1 ? pair(waiting[height], node) : pair(node, empty);
            empty = pair(empty, empty);
            remaining /= 2;
        }
        return sha256(abi.encodePacked(node, littleEndian(count), bytes24(0)));
    }

    function get_deposit_count() external view returns (bytes memory) {
        return abi.encodePacked(littleEndian(count));
    }

    function deposit(
        bytes calldata pubkey,
        bytes calldata withdrawal_credentials,
        bytes calldata signature,
        bytes32 deposit_data_root
    ) external payable {
        require(pubkey.length == 48, "DepositContract: a public key has 48 bytes");
        require(withdrawal_credentials.length == 32, "DepositContract: withdrawal credentials have 32 bytes");
        require(signature.length == 96, "DepositContract: a signature has 96 bytes");
        require(msg.value >= 1 ether, "DepositContract: less than 1 ether");
        require(msg.value % 1 gwei == 0, "DepositContract: not a multiple of 1 gwei");
        require(msg.value / 1 gwei <= type(uint64).max, "DepositContract: too much");
        bytes8 amount = littleEndian(msg.value / 1 gwei);
        bytes32 root = dataRoot(pubkey, withdrawal_credentials, amount, signature);
        require(root == deposit_data_root, "DepositContract: the deposit data has another root");
        require(count < 2 ** DEPTH - 1, "DepositContract: the tree is full");

        emit DepositEvent(
            pubkey,
            withdrawal_credentials,
            abi.encodePacked(amount),
            signature,
            abi.encodePacked(littleEndian(count))
        );
        append(root);
    }

    function append(bytes32 node) private {
        uint256 position = count;
        count = position + 1;
        uint256 height = 0;
        for (; position % 2 == 1; position /= 2) {
            node = pair(waiting[height], node);
            height++;
        }
        waiting[height] = node;
    }

    /// hash_tree_root of the consensus layer's DepositData.
    function dataRoot(
        bytes calldata pubkey,
        bytes calldata credentials,
        bytes8 amount,
        bytes calldata signature
    ) private pure returns (bytes32) {
        bytes32 key = sha256(abi.encodePacked(pubkey, bytes16(0)));
        bytes32 signed = pair(sha256(signature[:64]), sha256(abi.encodePacked(signature[64:], bytes32(0))));
        bytes32 left = pair(key, bytes32(credentials));
        return pair(left, pair(bytes32(amount), signed));
    }

    function pair(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(left, right));
    }

    function littleEndian(uint256 value) private pure returns (bytes8) {
        uint64 reversed = 0;
        for (uint256 byteIndex = 0; byteIndex < 8; byteIndex++) {
            reversed = (reversed << 8) | uint64((value >> (8 * byteIndex)) & 0xff);
        }
        return bytes8(reversed);
    }
}
