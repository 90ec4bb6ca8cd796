// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    AccessDenied,
    DeadlineExpired,
    InvalidOracle,
    InvalidOracles,
    InvalidValidatorsRegistryRoot,
    NotEnoughSignatures
} from "./Errors.sol";
import {ApprovalParams, IDepositContract} from "./Interfaces.sol";
import {TypedData} from "./TypedData.sol";

/// What the oracles must have approved before a vault may register validators.
abstract contract KeeperValidators {
    event ConfigUpdated(string configIpfsHash);

    bytes32 private constant APPROVAL = keccak256(
        "KeeperValidators(bytes32 validatorsRegistryRoot,address vault,bytes validators,string exitSignaturesIpfsHash,uint256 deadline)"
    );
    uint256 private constant SIGNATURE_LENGTH = 65;

    IDepositContract public depositContract;
    uint256 public validatorsMinOracles;
    mapping(address => bool) public isOracle;
    mapping(address => bool) public vaults;
    address[] private oracles;

    /// Called by the vault that registers.
    function approveValidators(ApprovalParams calldata params) external {
        if (params.deadline < block.timestamp) revert DeadlineExpired();
        if (depositContract.get_deposit_root() != params.validatorsRegistryRoot) {
            revert InvalidValidatorsRegistryRoot();
        }
        if (!vaults[msg.sender]) revert AccessDenied();
        bytes32 approval = keccak256(
            abi.encode(
                APPROVAL,
                params.validatorsRegistryRoot,
                msg.sender,
                keccak256(params.validators),
                keccak256(bytes(params.exitSignaturesIpfsHash)),
                params.deadline
            )
        );
        checkSignatures(TypedData.digest("KeeperOracles", approval), params.signatures);
        collateralize(msg.sender);
    }

    function checkSignatures(bytes32 digest, bytes calldata signatures) private view {
        if (validatorsMinOracles == 0) revert InvalidOracles();
        if (signatures.length < validatorsMinOracles * SIGNATURE_LENGTH) revert NotEnoughSignatures();
        address previous = address(0);
        for (uint256 i = 0; i < validatorsMinOracles; i++) {
            uint256 start = i * SIGNATURE_LENGTH;
            address oracle = TypedData.recover(digest, signatures[start:start + SIGNATURE_LENGTH]);
            if (oracle <= previous || !isOracle[oracle]) revert InvalidOracle();
            previous = oracle;
        }
    }

    function collateralize(address vault) public virtual;

    // What only the devnet calls.

    function setDepositContract(IDepositContract deposits) external {
        depositContract = deposits;
    }

    function setVault(address vault) external {
        vaults[vault] = true;
    }

    function removeVault(address vault) external {
        vaults[vault] = false;
    }

    function setOracles(address[] calldata addresses, uint256 minOracles) external {
        for (uint256 i = 0; i < oracles.length; i++) isOracle[oracles[i]] = false;
        for (uint256 i = 0; i < addresses.length; i++) isOracle[addresses[i]] = true;
        oracles = addresses;
        validatorsMinOracles = minOracles;
    }

    function updateConfig(string calldata configIpfsHash) external {
        emit ConfigUpdated(configIpfsHash);
    }
}
