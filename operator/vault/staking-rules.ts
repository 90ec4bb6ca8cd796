import type { Network } from '../../core/network.js'

/** What differs between the networks that stake ETH and those that stake GNO. */
export interface StakingRules {
  readonly token: 'ETH' | 'GNO'
  /** Gwei that validators count in (mGNO on Gnosis) for one Gwei of the vault's assets. */
  readonly perAsset: bigint
  /** The unit that validators count in. */
  readonly unit: 'ETH' | 'mGNO'
  /** Gwei: most that a 0x02 validator gets where the operator sets nothing else. */
  readonly maxValidatorBalance: bigint
  /** Wei per gas: the limit where the operator sets none. */
  readonly defaultMaxFee: bigint
  /** Wei per gas: the least priority fee that gets a transaction mined. */
  readonly minPriorityFee: bigint
}

const GWEI = 1_000_000_000n

const ETH: StakingRules = {
  token: 'ETH',
  perAsset: 1n,
  unit: 'ETH',
  maxValidatorBalance: 1945n * GWEI,
  defaultMaxFee: 10n * GWEI,
  minPriorityFee: 0n,
}
/** 32 mGNO are 1 GNO. */
const GNO: StakingRules = {
  token: 'GNO',
  perAsset: 32n,
  unit: 'mGNO',
  maxValidatorBalance: 1800n * GWEI,
  defaultMaxFee: 2n * GWEI,
  minPriorityFee: GWEI,
}

/** The rules of a network (chain.md, "How many validators" and "Sending"). */
export function stakingRulesOf({ stakingToken }: Network): StakingRules {
  return stakingToken === 'GNO' ? GNO : ETH
}

/** What validators can be registered with, in Gwei of the unit that they count in. @param assets wei */
export function depositableGwei({ perAsset }: StakingRules, assets: bigint): bigint {
  return (assets * perAsset) / GWEI
}
