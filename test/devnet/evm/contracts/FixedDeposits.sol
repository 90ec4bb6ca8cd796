// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InsufficientAssets, InvalidValidators} from "./Errors.sol";
import {Vault} from "./Vault.sol";

/// Vaults of versions 1 to 4: validators of type 0x01 with 32 ether each.
abstract contract FixedDeposits is Vault {
    event ValidatorRegistered(bytes publicKey);

    uint256 internal constant VALIDATOR_LENGTH = 176;
    uint256 private constant DEPOSIT = 32 ether;

    function depositEach(bytes calldata validators) internal {
        uint256 count = validators.length / VALIDATOR_LENGTH;
        if (count == 0 || validators.length % VALIDATOR_LENGTH != 0) revert InvalidValidators();
        if (withdrawableAssets() < count * DEPOSIT) revert InsufficientAssets();
        for (uint256 i = 0; i < count; i++) {
            bytes calldata validator = validators[i * VALIDATOR_LENGTH:(i + 1) * VALIDATOR_LENGTH];
            deposit(0x01, validator, DEPOSIT);
            emit ValidatorRegistered(validator[:48]);
        }
    }
}
