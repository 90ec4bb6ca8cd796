// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSAInvalidSignature, ECDSAInvalidSignatureS} from "./Errors.sol";

/// EIP-712 digests and who signed them.
library TypedData {
    bytes32 private constant DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    /// The largest s that is not malleable: half the order of secp256k1.
    uint256 private constant GREATEST_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// The digest for the calling contract's domain of this name, version 1.
    function digest(string memory name, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this))
        );
        return keccak256(abi.encodePacked(bytes2(0x1901), domain, structHash));
    }

    /// The signer of 65 bytes r, s, v. Reverts where they are malformed.
    function recover(bytes32 hash, bytes calldata signature) internal pure returns (address signer) {
        uint256 s = uint256(bytes32(signature[32:64]));
        if (s > GREATEST_S) revert ECDSAInvalidSignatureS(bytes32(s));
        signer = ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(s));
        if (signer == address(0)) revert ECDSAInvalidSignature();
    }

    /// Whether the signer made this signature; false where it is malformed.
    function isSignedBy(bytes32 hash, bytes calldata signature, address signer) internal pure returns (bool) {
        if (signature.length != 65 || signer == address(0)) return false;
        if (uint256(bytes32(signature[32:64])) > GREATEST_S) return false;
        return signer == ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
    }
}
