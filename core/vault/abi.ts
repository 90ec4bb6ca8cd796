/** The functions, events and errors of StakeWise's contracts that the product uses, by the contract that has them. */
import { parseAbi } from 'viem'

const APPROVAL_PARAMS =
  'struct ApprovalParams { bytes32 validatorsRegistryRoot; uint256 deadline; bytes validators; bytes signatures; string exitSignaturesIpfsHash; }'
const HARVEST_PARAMS =
  'struct HarvestParams { bytes32 rewardsRoot; int160 reward; uint160 unlockedMevReward; bytes32[] proof; }'

/** A vault of any version; those of version 1 and of later ones differ in how they register. */
export const vaultAbi = parseAbi([
  APPROVAL_PARAMS,
  HARVEST_PARAMS,
  'function version() view returns (uint8)',
  'function validatorsManager() view returns (address)',
  'function validatorsManagerNonce() view returns (uint256)',
  'function mevEscrow() view returns (address)',
  'function withdrawableAssets() view returns (uint256)',
  'function updateState(HarvestParams harvestParams)',
  'function multicall(bytes[] data) returns (bytes[] results)',
  'function registerValidators(ApprovalParams keeperParams, bytes validatorsManagerSignature)',
  'function v2Validators(bytes32 publicKeyHash) view returns (bool)',
  'function fundValidators(bytes validators, bytes validatorsManagerSignature)',
  'function withdrawValidators(bytes validators, bytes validatorsManagerSignature) payable',
  'function consolidateValidators(bytes validators, bytes validatorsManagerSignature, bytes oracleSignatures) payable',
  'event V2ValidatorRegistered(bytes publicKey, uint256 amount)',
  'event ValidatorFunded(bytes publicKey, uint256 amount)',
  'event ValidatorConsolidationSubmitted(bytes fromPublicKey, bytes toPublicKey, uint256 feePaid)',
])

/** What only a vault of version 1 has: deposit data and registration of its own. */
export const vaultV1Abi = parseAbi([
  APPROVAL_PARAMS,
  'function validatorsRoot() view returns (bytes32)',
  'function validatorIndex() view returns (uint256)',
  'function registerValidator(ApprovalParams keeperParams, bytes32[] proof)',
  'function registerValidators(ApprovalParams keeperParams, uint256[] indexes, bool[] proofFlags, bytes32[] proof)',
])

export const depositDataRegistryAbi = parseAbi([
  APPROVAL_PARAMS,
  HARVEST_PARAMS,
  'function depositDataRoots(address vault) view returns (bytes32)',
  'function depositDataIndexes(address vault) view returns (uint256)',
  'function updateVaultState(address vault, HarvestParams harvestParams)',
  'function multicall(bytes[] data) returns (bytes[] results)',
  'function registerValidator(address vault, ApprovalParams keeperParams, bytes32[] proof)',
  'function registerValidators(address vault, ApprovalParams keeperParams, uint256[] indexes, bool[] proofFlags, bytes32[] proof)',
])

export const keeperAbi = parseAbi([
  'event RewardsUpdated(address indexed caller, bytes32 indexed rewardsRoot, uint256 avgRewardPerSecond, uint64 updateTimestamp, uint64 nonce, string rewardsIpfsHash)',
  'function validatorsMinOracles() view returns (uint256)',
  'function canHarvest(address vault) view returns (bool)',
  'function isHarvestRequired(address vault) view returns (bool)',
])

/** What a registration can revert with, whichever contract on the way it comes from. */
export const revertAbi = parseAbi([
  'error InvalidValidatorsRegistryRoot()',
  'error DeadlineExpired()',
  'error InvalidOracle()',
  'error InvalidOracles()',
  'error ECDSAInvalidSignature()',
  'error ECDSAInvalidSignatureLength(uint256 length)',
  'error ECDSAInvalidSignatureS(bytes32 s)',
  'error NotEnoughSignatures()',
  'error AccessDenied()',
  'error InvalidValidator()',
  'error InvalidValidators()',
  'error InvalidAssets()',
  'error CannotTopUpV1Validators()',
  'error InvalidProof()',
  'error NotHarvested()',
  'error NotCollateralized()',
  'error InvalidRewardsRoot()',
  'error InsufficientAssets()',
  'error InvalidVault()',
  'error InvalidSignatures()',
  'error MerkleProofInvalidMultiproof()',
  'error FailedCall()',
  'error Error(string reason)',
  'error Panic(uint256 code)',
])
