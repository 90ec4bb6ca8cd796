// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessDenied, InvalidProof, InvalidRewardsRoot} from "./Errors.sol";
import {HarvestParams, IMevEscrow} from "./Interfaces.sol";
import {KeeperValidators} from "./KeeperValidators.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// The rewards that the oracles have voted for, and which of them each vault has taken.
abstract contract KeeperRewards is KeeperValidators {
    event RewardsUpdated(
        address indexed caller,
        bytes32 indexed rewardsRoot,
        uint256 avgRewardPerSecond,
        uint64 updateTimestamp,
        uint64 nonce,
        string rewardsIpfsHash
    );

    struct Reward {
        int192 assets;
        uint64 nonce;
    }

    struct UnlockedMevReward {
        uint192 assets;
        uint64 nonce;
    }

    bytes32 public rewardsRoot;
    bytes32 public prevRewardsRoot;
    /// The nonce that the next update will have; 0 stands for 1, so that a contract without a constructor starts there.
    uint64 private nextNonce;
    mapping(address => Reward) public rewards;
    mapping(address => UnlockedMevReward) public unlockedMevRewards;
    IMevEscrow public sharedMevEscrow;

    function rewardsNonce() public view returns (uint64) {
        return nextNonce == 0 ? 1 : nextNonce;
    }

    function isCollateralized(address vault) external view returns (bool) {
        return rewards[vault].nonce != 0;
    }

    function canHarvest(address vault) external view returns (bool) {
        uint64 nonce = rewards[vault].nonce;
        return nonce != 0 && nonce < rewardsNonce();
    }

    function isHarvestRequired(address vault) external view returns (bool) {
        uint64 nonce = rewards[vault].nonce;
        return nonce != 0 && nonce + 1 < rewardsNonce();
    }

    /// Called by the vault. Answers what has come since it last took rewards.
    function harvest(
        HarvestParams calldata params
    ) external returns (int256 assetsDelta, uint256 unlockedMevDelta, bool harvested) {
        if (!vaults[msg.sender]) revert AccessDenied();
        uint64 nonce = rewardsNonce();
        if (params.rewardsRoot != rewardsRoot) {
            if (params.rewardsRoot != prevRewardsRoot) revert InvalidRewardsRoot();
            nonce -= 1;
        }
        bytes32 leaf = MerkleTree.leaf(abi.encode(msg.sender, params.reward, params.unlockedMevReward));
        if (MerkleTree.root(leaf, params.proof) != params.rewardsRoot) revert InvalidProof();

        Reward storage reward = rewards[msg.sender];
        if (reward.nonce >= nonce) return (0, 0, false);
        assetsDelta = params.reward - reward.assets;
        rewards[msg.sender] = Reward(params.reward, nonce);
        if (sharedMevEscrow.sharesMev(msg.sender)) {
            unlockedMevDelta = params.unlockedMevReward - unlockedMevRewards[msg.sender].assets;
            unlockedMevRewards[msg.sender] = UnlockedMevReward(params.unlockedMevReward, nonce);
        }
        return (assetsDelta, unlockedMevDelta, true);
    }

    /// A vault's first validators make it take part in the rewards from the next update on.
    function collateralize(address vault) public override {
        if (rewards[vault].nonce == 0) rewards[vault].nonce = rewardsNonce();
    }

    // What only the devnet calls.

    function setSharedMevEscrow(IMevEscrow escrow) external {
        sharedMevEscrow = escrow;
    }

    function updateRewards(bytes32 root, string calldata rewardsIpfsHash) external {
        uint64 nonce = rewardsNonce();
        prevRewardsRoot = rewardsRoot;
        rewardsRoot = root;
        nextNonce = nonce + 1;
        emit RewardsUpdated(msg.sender, root, 0, uint64(block.timestamp), nonce, rewardsIpfsHash);
    }
}
