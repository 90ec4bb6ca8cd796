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

/** Public shares that are said to be of one key. */
export interface SharingToCheck {
  /** 48 bytes each. */
  readonly publicKey: Uint8Array
  readonly shares: readonly { readonly index: bigint; readonly publicShare: Uint8Array }[]
  /** The thresholds that it may have, in the order to try. */
  readonly thresholds: readonly number[]
}

export type ShareVerdict =
  /** Position of the alternative under which it verifies. */
  | { readonly verdict: 'right'; readonly alternative: number }
  /** A point that verifies under none. */
  | { readonly verdict: 'unproven' }
  /** Off the curve, outside the subgroup, or infinity. */
  | { readonly verdict: 'not-a-point' }

/** A signature that is to be made of shares: an exit's is split for the oracles, a deposit's is given whole. */
export interface SignatureToMake {
  /** The validator's key, 48 bytes. */
  readonly publicKey: Uint8Array
  /** Signing root, 32 bytes. */
  readonly message: Uint8Array
  readonly shares: readonly { readonly index: bigint; readonly signature: Uint8Array }[]
  readonly threshold: number
  /** For an exit; null for a deposit. */
  readonly oracles: OracleKeys | null
}

export interface OracleKeys {
  /** 65 bytes each, in order. */
  readonly publicKeys: readonly Uint8Array[]
  readonly threshold: number
}

/** For each oracle what its part verifies under (48 bytes) and the part, sealed (193 bytes). */
export interface SealedParts {
  readonly publicKeys: readonly Uint8Array[]
  readonly sealed: readonly Uint8Array[]
}

export type MadeSignature =
  | { readonly kind: 'split'; readonly parts: SealedParts }
  /** 96 bytes. */
  | { readonly kind: 'whole'; readonly signature: Uint8Array }

/** Shares to try: subsets of positions in `shares`, each of `threshold` distinct indexes. */
export interface SignatureToTry extends SignatureToMake {
  readonly subsets: readonly (readonly number[])[]
}

export type Trial =
  | { readonly outcome: 'failed' }
  | {
      readonly outcome: 'recovered'
      readonly made: MadeSignature
      /** Positions of the shares that the signature proves, and of those that it disproves. */
      readonly right: readonly number[]
      readonly wrong: readonly number[]
    }

export interface ExitCrypto {
  /** Which of the keys (48 bytes) are points of the subgroup. */
  checkPublicKeys(publicKeys: readonly Uint8Array[]): Promise<readonly boolean[]>
  checkShares(shares: readonly ShareToCheck[]): Promise<readonly ShareVerdict[]>
  /** For each sharing the first threshold for which all its public shares make the key; null where none does. */
  checkSharings(sharings: readonly SharingToCheck[]): Promise<readonly (number | null)[]>
  /**
   * Recovers the signature from right shares of one sharing and verifies it. An exit's is split and sealed, and
   * never leaves the worker itself.
   * @returns null where the shares make no signature of the key
   */
  makeSignature(wanted: SignatureToMake): Promise<MadeSignature | null>
  /** Looks for a subset that makes the signature, and does the same with it. */
  trySubsets(wanted: SignatureToTry): Promise<Trial>
  /** Lets what is under way come to its end. */
  close(): Promise<void>
}
