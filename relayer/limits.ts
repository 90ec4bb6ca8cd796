/** How much the relayer takes, and for how long. */
export interface RelayerLimits {
  /** Seconds after the last request for an exit until it is dropped. */
  readonly validatorLifetime: number
  /** Public keys in one request. */
  readonly maxKeysPerRequest: number
  /** Public keys whose exits are kept. */
  readonly maxExits: number
  /** Subsets tried in one round, where public shares are not known. */
  readonly maxTrials: number
}

export const DEFAULT_LIMITS: RelayerLimits = {
  validatorLifetime: 3600,
  maxKeysPerRequest: 1000,
  maxExits: 10_000,
  maxTrials: 2500,
}
