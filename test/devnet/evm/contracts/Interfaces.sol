// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

struct ApprovalParams {
    bytes32 validatorsRegistryRoot;
    uint256 deadline;
    bytes validators;
    bytes signatures;
    string exitSignaturesIpfsHash;
}

struct HarvestParams {
    bytes32 rewardsRoot;
    int160 reward;
    uint160 unlockedMevReward;
    bytes32[] proof;
}

interface IDepositContract {
    function get_deposit_root() external view returns (bytes32);

    function deposit(
        bytes calldata pubkey,
        bytes calldata withdrawal_credentials,
        bytes calldata signature,
        bytes32 deposit_data_root
    ) external payable;
}

interface IKeeper {
    function vaults(address vault) external view returns (bool);

    function isHarvestRequired(address vault) external view returns (bool);

    function isCollateralized(address vault) external view returns (bool);

    function isOracle(address account) external view returns (bool);

    function validatorsMinOracles() external view returns (uint256);

    function approveValidators(ApprovalParams calldata params) external;

    function harvest(
        HarvestParams calldata params
    ) external returns (int256 assetsDelta, uint256 unlockedMevDelta, bool harvested);
}

interface IVault {
    function version() external view returns (uint8);

    function updateState(HarvestParams calldata harvestParams) external;

    function registerValidators(ApprovalParams calldata keeperParams, bytes calldata validatorsManagerSignature) external;

    function receiveFromMevEscrow() external payable;
}

interface IConsolidationsChecker {
    function verifySignatures(address vault, bytes calldata validators, bytes calldata signatures) external view;
}

interface IMevEscrow {
    function sharesMev(address vault) external view returns (bool);

    function harvest(uint256 assets) external;
}
