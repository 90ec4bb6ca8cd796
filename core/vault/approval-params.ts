import type { Hex } from '../hex.js'

/** What the Keeper checks of a registration (chain.md, "Which validators"). */
export interface ApprovalParams {
  /** The deposit contract's root, which must not have moved: 32 bytes. */
  readonly validatorsRegistryRoot: Hex
  /** Seconds since 1970. */
  readonly deadline: bigint
  /** The validators' bytes, one after the other. */
  readonly validators: Hex
  /** The oracles' signatures, 65 bytes each, in ascending order of the signers' addresses. */
  readonly signatures: Hex
  /** Where the oracles have put the exit signatures. */
  readonly exitSignaturesIpfsHash: string
}

/** What a vault is told of its rewards. Wei. */
export interface HarvestParams {
  readonly rewardsRoot: Hex
  readonly reward: bigint
  readonly unlockedMevReward: bigint
  readonly proof: readonly Hex[]
}
