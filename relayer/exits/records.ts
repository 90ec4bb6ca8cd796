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
 * - doubted: some subset of the message's shares failed, so that one of them is wrong; others are to be tried yet
 * - tried: every subset with it and the shares that were there failed
 * - proven: right, by its public share or by the recovered signature
 * - late: came when the message had its signature, and was not looked at
 */
export type ShareState = 'candidate' | 'doubted' | 'tried' | 'proven' | 'late'

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
  /** The public share that it verifies under; a claimed one may be forged, so that it may be doubted all the same. */
  readonly verifiedUnder: PublicKeyHex | null
  /** Who posted it first: a token's name, else an address (callerOf). Empty for one of an older database. */
  readonly caller: string
}

/** A share that a recovered signature, or given public shares, found wrong: remembered without its bytes. */
export type DisprovenShare = Pick<ShareRecord, 'publicKey' | 'message' | 'shareIndex' | 'digest' | 'caller'>

/** Whether a subset of a message's shares failed: somebody lies, and what is listed may be the lie. */
export function isDisputed(shares: readonly ShareRecord[]): boolean {
  return shares.some(({ state }) => state === 'doubted' || state === 'tried')
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
