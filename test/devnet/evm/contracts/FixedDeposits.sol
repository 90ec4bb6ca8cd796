// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InsufficientAssets} from "./Errors.sol";
import {LegacyMulticall} from "./LegacyMulticall.sol";
import {Vault} from "./Vault.sol";

/// Vaults of versions 1 to 4: validators of type 0x01 with 32 ether each.
abstract contract FixedDeposits is Vault, LegacyMulticall {
    event ValidatorRegistered(bytes publicKey);

    uint256 internal constant VALIDATOR_LENGTH = 176;
    uint256 private constant DEPOSIT = 32 ether;

    function checkAssets(uint256 count) internal view {
        if (withdrawableAssets() < count * DEPOSIT) revert InsufficientAssets();
    }

    function depositEach(bytes calldata validators) internal {
        for (uint256 start = 0; start < validators.length; start += VALIDATOR_LENGTH) {
            bytes calldata validator = validators[start:start + VALIDATOR_LENGTH];
            deposit(0x01, validator, DEPOSIT);
            emit ValidatorRegistered(validator[:48]);
        }
    }
}
