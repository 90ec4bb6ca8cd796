import type { PublicKeyHex } from '../../core/hex.js'
import type { MessageName } from './message.js'

/** Names one message of a key: an exit for each index that it was asked for at, and deposits. */
export interface MessageId {
  readonly publicKey: PublicKeyHex
  readonly message: MessageName
}

/** A message that somebody wants signed. */
export interface MessageRecord extends MessageId {
  /** Seconds since 1970. */
  readonly createdAt: number
  /** Seconds since 1970, of the last request for it. */
  readonly askedAt: number
  /** Grows with each request: of a key's exits, or deposits, the one with the highest was asked for last. */
  readonly askedOrder: number
}

/**
 * What is known of a share.
 * - candidate: a point, nothing more
 * - tried: every subset with it and the shares that were there failed
 * - proven: right, by its public share or by the recovered signature
 * - late: came when the message had its signature, and was not looked at
 */
export type ShareState = 'candidate' | 'tried' | 'proven' | 'late'

/** A share that is kept, without its bytes. */
export interface ShareRecord extends MessageId {
  readonly shareIndex: bigint
  /** Tells equal shares without opening them; names this share among those of its index. */
  readonly digest: string
  /** Grows with each share of a message. */
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

/** A name of a key's message for maps. */
export function messageName({ publicKey, message }: MessageId): string {
  return `${publicKey}/${message}`
}

/** The message that is shown for a key: of the given ones, which are of one kind, that asked for last. */
export function lastAskedFor<T extends MessageRecord>(messages: readonly T[]): T | undefined {
  return messages.reduce<T | undefined>(
    (last, record) => (last === undefined || record.askedOrder > last.askedOrder ? record : last),
    undefined,
  )
}

/** Rows by the key that they belong to. */
export function byPublicKey<T extends MessageId>(rows: readonly T[]): Map<PublicKeyHex, T[]> {
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
