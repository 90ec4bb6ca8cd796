// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessDenied, NotHarvested} from "./Errors.sol";
import {HarvestParams, IDepositContract, IKeeper, IMevEscrow} from "./Interfaces.sol";

/// What vaults of all versions have in common.
abstract contract Vault {
    uint8 public version;
    IKeeper internal keeper;
    IDepositContract internal depositContract;
    address internal depositDataRegistry;
    address public mevEscrow;
    bool internal sharesMev;
    /// What the exit queue keeps for those who leave.
    uint256 public reserved;

    receive() external payable {}

    function receiveFromMevEscrow() external payable {
        if (msg.sender != mevEscrow) revert AccessDenied();
    }

    function withdrawableAssets() public view returns (uint256) {
        return address(this).balance > reserved ? address(this).balance - reserved : 0;
    }

    function updateState(HarvestParams calldata harvestParams) external {
        (, uint256 unlockedMevDelta, bool harvested) = keeper.harvest(harvestParams);
        if (!harvested) return;
        uint256 unlocked = sharesMev ? unlockedMevDelta : mevEscrow.balance;
        if (unlocked > 0) IMevEscrow(mevEscrow).harvest(unlocked);
    }

    function checkHarvested() internal view {
        if (keeper.isHarvestRequired(address(this))) revert NotHarvested();
    }

    /// One validator's bytes begin with its public key, signature and deposit data root.
    function deposit(bytes1 credentialsType, bytes calldata validator, uint256 amount) internal {
        depositContract.deposit{value: amount}(
            validator[:48],
            abi.encodePacked(credentialsType, bytes11(0), address(this)),
            validator[48:144],
            bytes32(validator[144:176])
        );
    }

    // What only the devnet calls.

    function initialize(
        uint8 vaultVersion,
        IKeeper keeperContract,
        IDepositContract deposits,
        address registry,
        address escrow,
        bool shared
    ) external {
        version = vaultVersion;
        keeper = keeperContract;
        depositContract = deposits;
        depositDataRegistry = registry;
        mevEscrow = escrow;
        sharesMev = shared;
    }

    function reserve(uint256 assets) external {
        reserved = assets;
    }
}
