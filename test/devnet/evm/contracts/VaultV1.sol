// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DepositData} from "./DepositData.sol";
import {InvalidValidators} from "./Errors.sol";
import {FixedDeposits} from "./FixedDeposits.sol";
import {ApprovalParams} from "./Interfaces.sol";

/// Has deposit data of its own, and anyone may register the next validators of it.
contract VaultV1 is FixedDeposits {
    bytes32 public validatorsRoot;
    uint256 public validatorIndex;

    function registerValidator(ApprovalParams calldata keeperParams, bytes32[] calldata proof) external {
        keeper.approveValidators(keeperParams);
        checkHarvested();
        if (keeperParams.validators.length != VALIDATOR_LENGTH) revert InvalidValidators();
        DepositData.checkOne(validatorsRoot, validatorIndex, keeperParams.validators, proof);
        validatorIndex += 1;
        depositEach(keeperParams.validators);
    }

    function registerValidators(
        ApprovalParams calldata keeperParams,
        uint256[] calldata indexes,
        bool[] calldata proofFlags,
        bytes32[] calldata proof
    ) external {
        keeper.approveValidators(keeperParams);
        checkHarvested();
        if (keeperParams.validators.length != indexes.length * VALIDATOR_LENGTH) revert InvalidValidators();
        DepositData.checkSeveral(
            validatorsRoot,
            validatorIndex,
            keeperParams.validators,
            indexes,
            proofFlags,
            proof
        );
        validatorIndex += indexes.length;
        depositEach(keeperParams.validators);
    }

    // What only the devnet calls.

    function setValidatorsRoot(bytes32 root) external {
        validatorsRoot = root;
        validatorIndex = 0;
    }
}
