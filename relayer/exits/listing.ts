/** What `GET /exits` and `GET /validators` show: for each key the exit, and the deposit, asked for last. */
import type { PublicKeyHex } from '../../core/hex.js'
import type { ListedValidator, WantedDeposit } from '../validators/service.js'
import { isExit, parseMessage, validatorIndexOf } from './message.js'
import {
  byPublicKey,
  groupBy,
  lastAskedFor,
  type MessageId,
  type MessageRecord,
  messageName,
} from './records.js'
import type { ListedExit } from './service.js'

/** All that is wanted, and the shares whose index is shown. */
export interface Listing {
  readonly messages: readonly MessageRecord[]
  readonly shares: readonly (MessageId & { readonly shareIndex: bigint })[]
}

/** What is shown of one key. */
interface Shown {
  readonly publicKey: PublicKeyHex
  readonly exit: MessageRecord
  readonly deposit: MessageRecord | undefined
}

/**
 * The wanted exits, keys in the order in which they were first asked for.
 * @param ready names (messageName) of the exits that have their oracle parts
 */
export function listShownExits({ messages, shares }: Listing, ready: ReadonlySet<string>): ListedExit[] {
  const indexes = groupBy(shares, messageName)
  return shownOf(messages).map(({ publicKey, exit }) => ({
    publicKey,
    validatorIndex: validatorIndexOf(exit.message),
    isExitSignatureReady: ready.has(messageName(exit)),
    createdAt: exit.createdAt,
    shareIndexesReady: ascending([...indexesOf(indexes.get(messageName(exit)))]),
  }))
}

export interface ValidatorListing extends Listing {
  /** Names of the exits that have their oracle parts. */
  readonly readyExits: ReadonlySet<string>
  /** Names of the deposits that have their signature. */
  readonly readyDeposits: { has(name: string): boolean }
  /** The deposit of a key of which only the exit was asked for; undefined where none is known. */
  readonly depositOf: (publicKey: PublicKeyHex) => WantedDeposit | undefined
}

/** The same exits with the deposits that belong to them; those whose deposit nobody knows are left out. */
export function listShownValidators(listing: ValidatorListing): ListedValidator[] {
  const { readyExits, readyDeposits, depositOf } = listing
  const indexes = groupBy(listing.shares, messageName)
  return shownOf(listing.messages).flatMap(({ publicKey, exit, deposit }) => {
    const wanted = deposit === undefined ? depositOf(publicKey) : wantedDepositOf(deposit)
    if (wanted === undefined) return []
    const ofExit = indexesOf(indexes.get(messageName(exit)))
    const ofDeposit = deposit === undefined ? ofExit : indexesOf(indexes.get(messageName(deposit)))
    const hasDeposit = deposit === undefined || readyDeposits.has(messageName(deposit))
    return {
      publicKey,
      validatorIndex: validatorIndexOf(exit.message),
      deposit: wanted,
      isReady: readyExits.has(messageName(exit)) && hasDeposit,
      createdAt: exit.createdAt,
      shareIndexesReady: ascending([...ofExit].filter((index) => ofDeposit.has(index))),
    }
  })
}

function shownOf(messages: readonly MessageRecord[]): Shown[] {
  const exits = messages.filter(({ message }) => isExit(message)).sort(byAge)
  const deposits = byPublicKey(messages.filter(({ message }) => !isExit(message)))
  return [...byPublicKey(exits)].flatMap(([publicKey, ofKey]) => {
    const exit = lastAskedFor(ofKey)
    return exit === undefined ? [] : { publicKey, exit, deposit: lastAskedFor(deposits.get(publicKey) ?? []) }
  })
}

function byAge(a: MessageRecord, b: MessageRecord): number {
  const age = a.createdAt - b.createdAt || a.askedOrder - b.askedOrder
  return age || validatorIndexOf(a.message) - validatorIndexOf(b.message)
}

function wantedDepositOf({ message }: MessageRecord): WantedDeposit | undefined {
  const parsed = parseMessage(message)
  return parsed.kind === 'deposit' ? parsed.deposit : undefined
}

function indexesOf(shares: readonly { readonly shareIndex: bigint }[] = []): Set<bigint> {
  return new Set(shares.map(({ shareIndex }) => shareIndex))
}

function ascending(indexes: readonly bigint[]): bigint[] {
  return indexes.toSorted((a, b) => (a < b ? -1 : 1))
}
