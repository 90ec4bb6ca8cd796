/** Which messages have their result, and the results: kept in memory as long as nothing changes. */
import type { Hex } from '../core/hex.js'
import type { ProtocolConfig } from '../core/oracles/protocol-config.js'
import type { OraclesSource } from '../core/oracles/source.js'
import { type MessageId, messageName } from './exits/records.js'
import type { OracleShares } from './exits/service.js'
import { currentOracles } from './recovery-goal.js'
import type { ExitStore } from './store/exit-store.js'

export interface ReadinessParts {
  readonly store: ExitStore
  readonly oracles: OraclesSource
  /** Grows with each stored change. */
  readonly version: () => number
  /** Oracle parts kept beyond twice those that are ready. */
  readonly spare: number
}

export class Readiness {
  readonly #parts: ReadinessParts
  /** Parts never change once they are made, so each is read from the store once. */
  readonly #shares = new Map<string, OracleShares>()
  #exits: { readonly version: number; readonly setHash: Hex; readonly names: Set<string> } | undefined
  #deposits: { readonly version: number; readonly names: Set<string> } | undefined

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  /** The names of the exits that have their parts for these oracles; none where the oracles are not known. */
  async exits(config?: ProtocolConfig): Promise<ReadonlySet<string>> {
    const { store, oracles, version, spare } = this.#parts
    const { setHash } = config ?? (await currentOracles(oracles)) ?? {}
    if (setHash === undefined) return new Set()
    const now = version()
    if (this.#exits?.version === now && this.#exits.setHash === setHash) return this.#exits.names
    const names = await store.readyExits(setHash)
    this.#exits = { version: now, setHash, names }
    if (this.#shares.size > 2 * names.size + spare) this.#shares.clear()
    return names
  }

  /** The names of the deposits that have their signature. */
  async deposits(): Promise<ReadonlySet<string>> {
    const now = this.#parts.version()
    if (this.#deposits?.version === now) return this.#deposits.names
    const names = await this.#parts.store.readyDeposits()
    this.#deposits = { version: now, names }
    return names
  }

  /** Tells of any message. */
  async check(): Promise<(wanted: MessageId) => boolean> {
    const [exits, deposits] = await Promise.all([this.exits(), this.deposits()])
    return (wanted) => exits.has(messageName(wanted)) || deposits.has(messageName(wanted))
  }

  /** The oracles' parts of each exit, null where there are none. */
  async oracleShares(exits: readonly MessageId[], config: ProtocolConfig): Promise<(OracleShares | null)[]> {
    const ready = await this.exits(config)
    const missing = exits.filter(
      (exit) => ready.has(messageName(exit)) && !this.#shares.has(cached(exit, config)),
    )
    const found = await this.#parts.store.partsOf(
      missing.map(({ publicKey }) => publicKey),
      config.setHash,
    )
    for (const exit of missing) {
      const parts = found.get(messageName(exit))
      if (parts !== undefined) this.#shares.set(cached(exit, config), parts)
    }
    return exits.map((exit) =>
      ready.has(messageName(exit)) ? (this.#shares.get(cached(exit, config)) ?? null) : null,
    )
  }

  /** It may be a new exit in the place of a dropped one, whose parts are others. */
  forget(exit: MessageId, config: ProtocolConfig): void {
    this.#shares.delete(cached(exit, config))
  }

  /** The oracles are others now. */
  forgetAll(): void {
    this.#shares.clear()
  }
}

function cached(exit: MessageId, config: ProtocolConfig): string {
  return `${config.setHash} ${messageName(exit)}`
}
