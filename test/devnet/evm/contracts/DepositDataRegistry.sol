// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DepositData} from "./DepositData.sol";
import {InvalidVault} from "./Errors.sol";
import {ApprovalParams, HarvestParams, IKeeper, IVault} from "./Interfaces.sol";
import {LegacyMulticall} from "./LegacyMulticall.sol";

/// The deposit data of vaults that leave their registrations to it: anyone may register the next validators.
contract DepositDataRegistry is LegacyMulticall {
    IKeeper private keeper;
    mapping(address => bytes32) public depositDataRoots;
    mapping(address => uint256) public depositDataIndexes;

    modifier onlyValidVault(address vault) {
        if (!keeper.vaults(vault) || IVault(vault).version() < 2) revert InvalidVault();
        _;
    }

    function updateVaultState(address vault, HarvestParams calldata harvestParams) external {
        IVault(vault).updateState(harvestParams);
    }

    function registerValidator(
        address vault,
        ApprovalParams calldata keeperParams,
        bytes32[] calldata proof
    ) external onlyValidVault(vault) {
        uint256 position = depositDataIndexes[vault];
        depositDataIndexes[vault] = position + 1;
        IVault(vault).registerValidators(keeperParams, "");
        DepositData.checkOne(depositDataRoots[vault], position, keeperParams.validators, proof);
    }

    function registerValidators(
        address vault,
        ApprovalParams calldata keeperParams,
        uint256[] calldata indexes,
        bool[] calldata proofFlags,
        bytes32[] calldata proof
    ) external onlyValidVault(vault) {
        uint256 position = depositDataIndexes[vault];
        depositDataIndexes[vault] = position + indexes.length;
        IVault(vault).registerValidators(keeperParams, "");
        DepositData.checkSeveral(
            depositDataRoots[vault],
            position,
            keeperParams.validators,
            indexes,
            proofFlags,
            proof
        );
    }

    // What only the devnet calls.

    function setKeeper(IKeeper keeperContract) external {
        keeper = keeperContract;
    }

    function setDepositDataRoot(address vault, bytes32 root) external {
        depositDataRoots[vault] = root;
        depositDataIndexes[vault] = 0;
    }
}
