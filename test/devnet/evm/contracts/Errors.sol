// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

error AccessDenied();
error CannotTopUpV1Validators();
error DeadlineExpired();
error ECDSAInvalidSignature();
error ECDSAInvalidSignatureS(bytes32 s);
error FailedCall();
error HarvestFailed();
error InsufficientAssets();
error InvalidAssets();
error InvalidOracle();
error InvalidOracles();
error InvalidProof();
error InvalidRewardsRoot();
error InvalidSignatures();
error InvalidValidator();
error InvalidValidators();
error InvalidValidatorsRegistryRoot();
error InvalidVault();
error MerkleProofInvalidMultiproof();
error NotCollateralized();
error NotEnoughSignatures();
error NotHarvested();
