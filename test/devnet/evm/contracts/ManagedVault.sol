// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TypedData} from "./TypedData.sol";
import {Vault} from "./Vault.sol";

/// Vaults whose validators are registered by a manager.
abstract contract ManagedVault is Vault {
    bytes32 private constant VALIDATORS = keccak256("VaultValidators(bytes32 validatorsRegistryRoot,bytes validators)");

    address internal storedManager;

    function validatorsManager() public view virtual returns (address);

    function isSignedByManager(
        bytes32 rootOrNonce,
        bytes calldata validators,
        bytes calldata signature
    ) internal view returns (bool) {
        bytes32 structHash = keccak256(abi.encode(VALIDATORS, rootOrNonce, keccak256(validators)));
        return
            TypedData.isSignedBy(TypedData.digest("VaultValidators", structHash), signature, validatorsManager());
    }

    // What only the devnet calls.

    function setValidatorsManager(address manager) external {
        storedManager = manager;
    }
}
