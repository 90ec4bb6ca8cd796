/** What a relayer has acknowledged, and so must never lose or change. */
import type { PublicKeyHex } from '../../../../core/hex.js'

/** An exit or a deposit of a key, by the name that the relayer's database gives it. */
export interface Message {
  readonly publicKey: PublicKeyHex
  /** `exit/INDEX` or `deposit/VAULT/TYPE/AMOUNT` */
  readonly message: string
}

/** Deposits of a key that are surely kept when a further one is asked for: the relayer keeps four. */
const DEPOSITS_KEPT = 3

export const nameOf = ({ publicKey, message }: Message) => `${publicKey} ${message}`

export class Ledger {
  /** Messages that were asked for and answered 200. */
  readonly asked = new Map<string, Message>()
  /** The share indexes that were posted, answered 200 and not rejected, by message. */
  readonly shares = new Map<string, Set<string>>()
  /** What was served for each message: oracles' parts or a deposit's signature, as JSON. */
  readonly served = new Map<string, string>()
  /** What contradicts an earlier answer. */
  readonly contradictions: string[] = []
  readonly #deposits = new Map<PublicKeyHex, string[]>()

  noteAsked(message: Message): void {
    const name = nameOf(message)
    if (this.asked.has(name)) return
    this.asked.set(name, message)
    if (!message.message.startsWith('deposit/')) return
    const deposits = [...(this.#deposits.get(message.publicKey) ?? []), name]
    for (const old of deposits.slice(0, -DEPOSITS_KEPT)) this.#forget(old)
    this.#deposits.set(message.publicKey, deposits.slice(-DEPOSITS_KEPT))
  }

  /** A share of a message that another request has replaced meanwhile is nobody's loss. */
  noteShare(message: Message, shareIndex: bigint): void {
    const name = nameOf(message)
    if (!this.asked.has(name)) return
    const indexes = this.shares.get(name) ?? new Set()
    this.shares.set(name, indexes.add(String(shareIndex)))
  }

  noteServed(message: Message, content: unknown): void {
    const name = nameOf(message)
    const text = JSON.stringify(content)
    const before = this.served.get(name)
    if (before === undefined) this.served.set(name, text)
    else if (before !== text) this.contradictions.push(`${name} was served as ${before}, then as ${text}`)
  }

  /** It was served before, and is not ready now. */
  noteMissing(message: Message): void {
    const name = nameOf(message)
    if (this.served.has(name)) this.contradictions.push(`${name} was served, and is not ready any more`)
  }

  #forget(name: string): void {
    this.asked.delete(name)
    this.shares.delete(name)
    this.served.delete(name)
  }
}
