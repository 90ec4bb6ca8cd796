/** How much the relayer takes, and for how long. */
export interface RelayerLimits {
  /** Seconds after the last request for an exit until it is dropped. */
  readonly validatorLifetime: number
  /** Public keys in one request. */
  readonly maxKeysPerRequest: number
  /** Public keys whose exits are kept. */
  readonly maxExits: number
  /**
   * Subsets of unproven shares that one caller's shares cause to be tried at once, and again each minute, where public
   * shares are not known; four times as many for one message.
   */
  readonly maxTrials: number
  /** Sets of public shares that one caller may claim of one key: a cluster that was edited has two. */
  readonly maxSetsPerKey: number
}

export const DEFAULT_LIMITS: RelayerLimits = {
  validatorLifetime: 3600,
  maxKeysPerRequest: 1000,
  maxExits: 10_000,
  maxTrials: 1000,
  maxSetsPerKey: 3,
}
