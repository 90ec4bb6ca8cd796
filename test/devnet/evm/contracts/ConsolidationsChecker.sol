// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InvalidSignatures} from "./Errors.sol";
import {IConsolidationsChecker, IKeeper} from "./Interfaces.sol";
import {TypedData} from "./TypedData.sol";

/// Whether enough oracles let validators be consolidated into keys that the vault does not know as compounding.
contract ConsolidationsChecker is IConsolidationsChecker {
    bytes32 private constant CONSOLIDATIONS = keccak256("ConsolidationsChecker(address vault,bytes validators)");
    uint256 private constant SIGNATURE_LENGTH = 65;

    IKeeper private keeper;

    function verifySignatures(address vault, bytes calldata validators, bytes calldata signatures) external view {
        uint256 wanted = keeper.validatorsMinOracles();
        if (wanted == 0 || signatures.length % SIGNATURE_LENGTH != 0) revert InvalidSignatures();
        if (signatures.length < wanted * SIGNATURE_LENGTH) revert InvalidSignatures();
        bytes32 structHash = keccak256(abi.encode(CONSOLIDATIONS, vault, keccak256(validators)));
        bytes32 digest = TypedData.digest("ConsolidationsChecker", structHash);
        address previous = address(0);
        for (uint256 i = 0; i < wanted; i++) {
            uint256 start = i * SIGNATURE_LENGTH;
            address oracle = TypedData.recover(digest, signatures[start:start + SIGNATURE_LENGTH]);
            if (oracle <= previous || !keeper.isOracle(oracle)) revert InvalidSignatures();
            previous = oracle;
        }
    }

    // What only the devnet calls.

    function setKeeper(IKeeper keeperContract) external {
        keeper = keeperContract;
    }
}
