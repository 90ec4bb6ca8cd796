// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DepositData} from "./DepositData.sol";
import {InvalidValidator, InvalidValidators} from "./Errors.sol";
import {FixedDeposits} from "./FixedDeposits.sol";
import {ApprovalParams} from "./Interfaces.sol";

/// Has deposit data of its own, and anyone may register the next validators of it.
contract VaultV1 is FixedDeposits {
    bytes32 public validatorsRoot;
    uint256 public validatorIndex;

    function registerValidator(ApprovalParams calldata keeperParams, bytes32[] calldata proof) external {
        checkHarvested();
        keeper.approveValidators(keeperParams);
        checkAssets(1);
        if (keeperParams.validators.length != VALIDATOR_LENGTH) revert InvalidValidator();
        DepositData.checkOne(validatorsRoot, validatorIndex, keeperParams.validators, proof);
        depositEach(keeperParams.validators);
        validatorIndex += 1;
    }

    function registerValidators(
        ApprovalParams calldata keeperParams,
        uint256[] calldata indexes,
        bool[] calldata proofFlags,
        bytes32[] calldata proof
    ) external {
        checkHarvested();
        keeper.approveValidators(keeperParams);
        uint256 count = indexes.length;
        checkAssets(count);
        bytes calldata validators = keeperParams.validators;
        if (count == 0 || validators.length != count * VALIDATOR_LENGTH) revert InvalidValidators();
        depositEach(validators);
        DepositData.checkSeveral(validatorsRoot, validatorIndex, validators, indexes, proofFlags, proof);
        validatorIndex += count;
    }

    // What only the devnet calls.

    function setValidatorsRoot(bytes32 root) external {
        validatorsRoot = root;
        validatorIndex = 0;
    }
}
