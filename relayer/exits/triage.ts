/** What a posted share needs, decided before any BLS work. */
import type { PublicKeyHex } from '../../core/hex.js'
import type { DistributedValidator } from '../../core/signer.js'
import { type DisprovenShare, lastAskedFor, type MessageRecord, type ShareRecord } from './records.js'
import type { KeySharings } from './sharings.js'

/** A message and the public share that a posted share may verify under. */
export interface Alternative {
  readonly wanted: MessageRecord
  readonly publicShare: PublicKeyHex
}

export type Triage =
  /** Nobody wants such a message of this key. */
  | { readonly kind: 'unknown-key' }
  /** The same bytes are there already. */
  | { readonly kind: 'repeat' }
  /** The signatures of the key's messages showed that these bytes are wrong. */
  | { readonly kind: 'disproven' }
  /** The message has its signature: the share is noted, unlooked at. */
  | { readonly kind: 'late'; readonly wanted: MessageRecord }
  /** No given sharing of the key has this index. */
  | { readonly kind: 'unknown-share-index' }
  /** Public shares are given: it counts where it verifies, and is wrong where it does not. */
  | { readonly kind: 'verify'; readonly alternatives: readonly Alternative[] }
  /**
   * It counts where it verifies under claimed public shares. Else nothing proves it yet: it is a candidate of
   * every message that waits.
   */
  | {
      readonly kind: 'candidate'
      readonly alternatives: readonly Alternative[]
      readonly waiting: readonly MessageRecord[]
      /** The message asked for last. */
      readonly shown: MessageRecord
    }

export interface KeyState {
  /** The messages of the share's key and kind. */
  readonly messages: readonly MessageRecord[]
  /** The shares of all these messages. */
  readonly shares: readonly ShareRecord[]
  /** What was found wrong for these messages. */
  readonly disproven: readonly DisprovenShare[]
  readonly known: KeySharings
  /** Whether a message has its signature. */
  readonly isReady: (wanted: MessageRecord) => boolean
}

/** Decides about one share by its index and digest. */
export function triageShare(shareIndex: bigint, digest: string, key: KeyState): Triage {
  const shown = lastAskedFor(key.messages)
  if (shown === undefined) return { kind: 'unknown-key' }
  const isSame = (share: DisprovenShare) => share.shareIndex === shareIndex && share.digest === digest
  if (key.shares.some(isSame)) return { kind: 'repeat' }
  const { sharings, given } = key.known
  const publicShares = publicSharesAt(shareIndex, sharings)
  const alternatives = key.messages
    .toSorted((a, b) => b.askedOrder - a.askedOrder)
    .flatMap((wanted) => publicShares.map((publicShare) => ({ wanted, publicShare })))
  if (given) {
    return publicShares.length === 0 ? { kind: 'unknown-share-index' } : { kind: 'verify', alternatives }
  }
  const wrongFor = new Set(key.disproven.filter(isSame).map(({ message }) => message))
  const waiting = key.messages.filter((wanted) => !key.isReady(wanted) && !wrongFor.has(wanted.message))
  const isWrong = wrongFor.has(shown.message)
  if (waiting.includes(shown) || (isWrong && waiting.length > 0)) {
    return { kind: 'candidate', alternatives, waiting, shown }
  }
  return isWrong ? { kind: 'disproven' } : { kind: 'late', wanted: shown }
}

/** The distinct public shares that the sharings of a key have at an index. */
export function publicSharesAt(
  shareIndex: bigint,
  sharings: readonly DistributedValidator[],
): PublicKeyHex[] {
  const entries = sharings.flatMap((sharing) => sharing.shares.get(shareIndex) ?? [])
  return [...new Set(entries)]
}
