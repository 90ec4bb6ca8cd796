import type { PublicKeyHex } from '../../core/hex.js'

/** Names one exit: a key has one for each index that it was asked for at. */
export interface ExitId {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
}

/** An exit that somebody wants signed. */
export interface ExitRecord extends ExitId {
  /** Seconds since 1970. */
  readonly createdAt: number
  /** Seconds since 1970, of the last request for it. */
  readonly askedAt: number
  /** Grows with each request: of a key's exits the one with the highest was asked for last. */
  readonly askedOrder: number
}

/**
 * What is known of a share.
 * - candidate: a point, nothing more
 * - tried: every subset with it and the shares that were there failed
 * - proven: right, by its public share or by the recovered signature
 * - late: came when the exit was ready, and was not looked at
 */
export type ShareState = 'candidate' | 'tried' | 'proven' | 'late'

/** A share that is kept, without its bytes. */
export interface ShareRecord extends ExitId {
  readonly shareIndex: bigint
  /** Tells equal shares without opening them; names this share among those of its index. */
  readonly digest: string
  /** Grows with each share of an exit. */
  readonly order: number
  readonly state: ShareState
  /** Whether its index is shown as there, so that the sidecar need not post again. */
  readonly listed: boolean
  /** The public share that it verified under, where that is how it was proven. */
  readonly verifiedUnder: PublicKeyHex | null
}

/** A share with its 96 bytes. */
export interface OpenShare extends ShareRecord {
  readonly signature: Uint8Array
}

/** A name of an exit for maps. */
export function exitName({ publicKey, validatorIndex }: ExitId): string {
  return `${publicKey}/${validatorIndex}`
}

/** The exit that is shown for a key: of the given ones, that asked for last. */
export function lastAskedFor<T extends ExitRecord>(exits: readonly T[]): T | undefined {
  return exits.reduce<T | undefined>(
    (last, exit) => (last === undefined || exit.askedOrder > last.askedOrder ? exit : last),
    undefined,
  )
}

/** Rows by the key that they belong to. */
export function byPublicKey<T extends ExitId>(rows: readonly T[]): Map<PublicKeyHex, T[]> {
  return groupBy(rows, (row) => row.publicKey)
}

/** Items by a key of theirs, in their order. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
