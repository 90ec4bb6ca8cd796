// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    AccessDenied,
    CannotTopUpV1Validators,
    InvalidAssets,
    InvalidValidators,
    NotCollateralized
} from "./Errors.sol";
import {ApprovalParams, IConsolidationsChecker} from "./Interfaces.sol";
import {ManagedVault} from "./ManagedVault.sol";
import {Multicall} from "./Multicall.sol";
import {ValidatorRequests} from "./ValidatorRequests.sol";

/// Version 5: validators of type 0x01 or 0x02, told apart by the length of their bytes.
contract VaultV5 is ManagedVault, Multicall {
    event ValidatorRegistered(bytes publicKey);
    event V2ValidatorRegistered(bytes publicKey, uint256 amount);
    event ValidatorFunded(bytes publicKey, uint256 amount);

    uint256 private constant V1_LENGTH = 176;
    uint256 private constant V2_LENGTH = 184;
    uint256 private constant MIN_BALANCE = 32 ether;
    uint256 private constant MAX_BALANCE = 2048 ether;

    uint256 public validatorsManagerNonce;
    mapping(bytes32 => bool) public v2Validators;
    IConsolidationsChecker private consolidationsChecker;

    function validatorsManager() public view override returns (address) {
        return storedManager;
    }

    function registerValidators(
        ApprovalParams calldata keeperParams,
        bytes calldata validatorsManagerSignature
    ) external {
        keeper.approveValidators(keeperParams);
        checkHarvested();
        checkManager(keeperParams.validatorsRegistryRoot, keeperParams.validators, validatorsManagerSignature);
        depositEach(keeperParams.validators, false);
    }

    function fundValidators(bytes calldata validators, bytes calldata validatorsManagerSignature) external {
        checkHarvested();
        checkManager(bytes32(validatorsManagerNonce), validators, validatorsManagerSignature);
        depositEach(validators, true);
    }

    function withdrawValidators(bytes calldata validators, bytes calldata validatorsManagerSignature) external payable {
        checkCollateralized();
        checkManager(bytes32(validatorsManagerNonce), validators, validatorsManagerSignature);
        ValidatorRequests.withdraw(validators);
    }

    /// Oracles' signatures let keys be targets that the vault does not know as compounding.
    function consolidateValidators(
        bytes calldata validators,
        bytes calldata validatorsManagerSignature,
        bytes calldata oracleSignatures
    ) external payable {
        checkCollateralized();
        checkManager(bytes32(validatorsManagerNonce), validators, validatorsManagerSignature);
        bool isApproved = oracleSignatures.length > 0;
        if (isApproved) consolidationsChecker.verifySignatures(address(this), validators, oracleSignatures);
        ValidatorRequests.consolidate(v2Validators, validators, isApproved);
    }

    function checkCollateralized() private view {
        if (!keeper.isCollateralized(address(this))) revert NotCollateralized();
    }

    /// An empty signature means that the sender is the manager; any other must be the manager's, whoever sends it.
    function checkManager(bytes32 rootOrNonce, bytes calldata validators, bytes calldata signature) private {
        if (storedManager == address(0) || validators.length == 0) revert AccessDenied();
        if (signature.length == 0) {
            if (msg.sender != storedManager) revert AccessDenied();
            return;
        }
        if (!isSignedByManager(rootOrNonce, validators, signature)) revert AccessDenied();
        validatorsManagerNonce += 1;
    }

    /// All are looked at before the first is deposited.
    function depositEach(bytes calldata validators, bool isTopUp) private {
        bool isV1 = validators.length % V1_LENGTH == 0;
        bool isV2 = validators.length % V2_LENGTH == 0;
        if (isV1 == isV2) revert InvalidValidators();
        if (isTopUp && isV1) revert CannotTopUpV1Validators();

        uint256 length = isV1 ? V1_LENGTH : V2_LENGTH;
        for (uint256 start = 0; start < validators.length; start += length) {
            bytes calldata publicKey = validators[start:start + 48];
            if (isV1) emit ValidatorRegistered(publicKey);
            else if (isTopUp) fund(publicKey, amountOf(validators[start:start + length]));
            else register(publicKey, amountOf(validators[start:start + length]));
        }
        uint256 available = withdrawableAssets();
        for (uint256 start = 0; start < validators.length; start += length) {
            bytes calldata validator = validators[start:start + length];
            uint256 amount = isV1 ? MIN_BALANCE : amountOf(validator);
            deposit(isV1 ? bytes1(0x01) : bytes1(0x02), validator, amount);
            available -= amount;
        }
    }

    function register(bytes calldata publicKey, uint256 amount) private {
        if (amount < MIN_BALANCE || amount > MAX_BALANCE) revert InvalidAssets();
        v2Validators[keccak256(publicKey)] = true;
        emit V2ValidatorRegistered(publicKey, amount);
    }

    function fund(bytes calldata publicKey, uint256 amount) private {
        if (!v2Validators[keccak256(publicKey)]) revert InvalidValidators();
        emit ValidatorFunded(publicKey, amount);
    }

    function amountOf(bytes calldata validator) private pure returns (uint256) {
        return uint256(uint64(bytes8(validator[V1_LENGTH:]))) * 1 gwei;
    }

    // What only the devnet calls.

    function setConsolidationsChecker(IConsolidationsChecker checker) external {
        consolidationsChecker = checker;
    }
}
