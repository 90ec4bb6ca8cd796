/** What the relayer asks of its worker threads. Everything crosses as bytes. */

/** A share to check before its post is answered. */
export interface ShareToCheck {
  /** 96 bytes, anything. */
  readonly signature: Uint8Array
  /** What it may verify under, in the order to try; none: only whether it is a point is asked. */
  readonly alternatives: readonly {
    /** Signing root, 32 bytes. */
    readonly message: Uint8Array
    /** 48 bytes. */
    readonly publicShare: Uint8Array
  }[]
}

export type ShareVerdict =
  /** Position of the alternative under which it verifies. */
  | { readonly verdict: 'right'; readonly alternative: number }
  /** A point that verifies under none. */
  | { readonly verdict: 'unproven' }
  /** Off the curve, outside the subgroup, or infinity. */
  | { readonly verdict: 'not-a-point' }

/** An exit whose signature is to be made and split. */
export interface ExitToSplit {
  /** The validator's key, 48 bytes. */
  readonly publicKey: Uint8Array
  /** Signing root, 32 bytes. */
  readonly message: Uint8Array
  readonly shares: readonly { readonly index: bigint; readonly signature: Uint8Array }[]
  readonly threshold: number
  readonly oracles: {
    /** 65 bytes each, in order. */
    readonly publicKeys: readonly Uint8Array[]
    readonly threshold: number
  }
}

/** For each oracle what its part verifies under (48 bytes) and the part, sealed (193 bytes). */
export interface SealedParts {
  readonly publicKeys: readonly Uint8Array[]
  readonly sealed: readonly Uint8Array[]
}

/** Shares to try: subsets of positions in `shares`, each of `threshold` distinct indexes. */
export interface ExitToTry extends ExitToSplit {
  readonly subsets: readonly (readonly number[])[]
}

export type Trial =
  | { readonly outcome: 'failed' }
  | {
      readonly outcome: 'recovered'
      readonly parts: SealedParts
      /** Positions of the shares that the signature proves, and of those that it disproves. */
      readonly right: readonly number[]
      readonly wrong: readonly number[]
    }

export interface ExitCrypto {
  /** Which of the keys (48 bytes) are points of the subgroup. */
  checkPublicKeys(publicKeys: readonly Uint8Array[]): Promise<readonly boolean[]>
  checkShares(shares: readonly ShareToCheck[]): Promise<readonly ShareVerdict[]>
  /**
   * Recovers the exit signature from right shares of one sharing, verifies it, splits and seals it. The
   * signature itself never leaves the worker.
   * @returns null where the shares make no signature of the key
   */
  splitExit(exit: ExitToSplit): Promise<SealedParts | null>
  /** Looks for a subset that makes the signature; splits and seals it then. */
  trySubsets(exit: ExitToTry): Promise<Trial>
  /** Lets what is under way come to its end. */
  close(): Promise<void>
}
