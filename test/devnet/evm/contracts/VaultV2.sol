// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessDenied, InvalidValidators} from "./Errors.sol";
import {FixedDeposits} from "./FixedDeposits.sol";
import {ApprovalParams} from "./Interfaces.sol";
import {ManagedVault} from "./ManagedVault.sol";

/// Versions 2 to 4: the deposit data registry manages the validators where nobody else does.
contract VaultV2 is FixedDeposits, ManagedVault {
    function validatorsManager() public view override returns (address) {
        return storedManager == address(0) ? depositDataRegistry : storedManager;
    }

    function registerValidators(
        ApprovalParams calldata keeperParams,
        bytes calldata validatorsManagerSignature
    ) external {
        keeper.approveValidators(keeperParams);
        checkHarvested();
        bytes calldata validators = keeperParams.validators;
        if (
            msg.sender != validatorsManager() &&
            !isSignedByManager(keeperParams.validatorsRegistryRoot, validators, validatorsManagerSignature)
        ) revert AccessDenied();
        uint256 count = validators.length / VALIDATOR_LENGTH;
        if (count == 0 || validators.length % VALIDATOR_LENGTH != 0) revert InvalidValidators();
        checkAssets(count);
        depositEach(validators);
    }
}
