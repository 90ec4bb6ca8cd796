/** What a posted share needs, decided before any BLS work. */
import type { PublicKeyHex } from '../../core/hex.js'
import type { DistributedValidator } from '../../core/signer.js'
import { type ExitRecord, lastAskedFor, type ShareRecord } from './records.js'

/** An exit and the public share that a posted share may verify under. */
export interface Alternative {
  readonly exit: ExitRecord
  readonly publicShare: PublicKeyHex
}

export type Triage =
  /** Nobody wants an exit of this key. */
  | { readonly kind: 'unknown-key' }
  /** The same bytes are there already. */
  | { readonly kind: 'repeat' }
  /** The exit is ready: the share is noted, unlooked at. */
  | { readonly kind: 'late'; readonly exit: ExitRecord }
  /** No known sharing of the key has this index. */
  | { readonly kind: 'unknown-share-index' }
  /** Public shares are known: it counts where it verifies, and is wrong where it does not. */
  | { readonly kind: 'verify'; readonly alternatives: readonly Alternative[] }
  /** Nothing proves it yet: a candidate of every exit that waits; the last asked for lists it. */
  | { readonly kind: 'candidate'; readonly exits: readonly ExitRecord[]; readonly shown: ExitRecord }

export interface KeyState {
  /** The exits of the share's key. */
  readonly exits: readonly ExitRecord[]
  /** The shares of all these exits. */
  readonly shares: readonly ShareRecord[]
  /** The known sharings of the key, none where there are none. */
  readonly sharings: readonly DistributedValidator[]
  /** Whether an exit has its oracle parts. */
  readonly isReady: (exit: ExitRecord) => boolean
}

/** Decides about one share by its index and digest. */
export function triageShare(shareIndex: bigint, digest: string, key: KeyState): Triage {
  const shown = lastAskedFor(key.exits)
  if (shown === undefined) return { kind: 'unknown-key' }
  if (key.shares.some((share) => share.shareIndex === shareIndex && share.digest === digest)) {
    return { kind: 'repeat' }
  }
  const publicShares = publicSharesAt(shareIndex, key.sharings)
  if (key.sharings.length > 0 && publicShares.length === 0) return { kind: 'unknown-share-index' }
  const waiting = key.exits.filter((exit) => !key.isReady(exit))
  if (waiting.length === 0) return { kind: 'late', exit: shown }
  if (publicShares.length === 0) {
    return waiting.includes(shown)
      ? { kind: 'candidate', exits: waiting, shown }
      : { kind: 'late', exit: shown }
  }
  const exits = key.exits.toSorted((a, b) => b.askedOrder - a.askedOrder)
  return {
    kind: 'verify',
    alternatives: exits.flatMap((exit) => publicShares.map((publicShare) => ({ exit, publicShare }))),
  }
}

/** The distinct public shares that the sharings of a key have at an index. */
export function publicSharesAt(
  shareIndex: bigint,
  sharings: readonly DistributedValidator[],
): PublicKeyHex[] {
  const entries = sharings.flatMap((sharing) => sharing.shares.get(shareIndex) ?? [])
  return [...new Set(entries)]
}
