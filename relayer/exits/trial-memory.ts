/**
 * What is remembered of a message's trials until all its subsets were tried: those that failed, and who caused how
 * many. It only saves work: after a restart they are tried again.
 */
import type { ShareRecord } from './records.js'

export class TrialMemory {
  readonly #ids = new Map<string, number>()
  readonly #failed = new Set<string>()
  readonly #caused = new Map<string, number>()

  /** How many failed subsets are remembered. */
  get size(): number {
    return this.#failed.size
  }

  /** Trials that each caller's shares caused. */
  get caused(): ReadonlyMap<string, number> {
    return this.#caused
  }

  addCaused(caller: string): void {
    this.#caused.set(caller, (this.#caused.get(caller) ?? 0) + 1)
  }

  /** Names a subset, whatever its order, in a character for each share. */
  nameOf(shares: readonly ShareRecord[]): string {
    const ids = shares.map((share) => this.#idOf(share)).sort((a, b) => a - b)
    return String.fromCodePoint(...ids)
  }

  hasFailed(name: string): boolean {
    return this.#failed.has(name)
  }

  addFailed(names: readonly string[]): void {
    for (const name of names) this.#failed.add(name)
  }

  /** Forgets the subsets: the shares are marked as tried now. */
  forgetFailed(): void {
    this.#failed.clear()
    this.#ids.clear()
  }

  #idOf({ shareIndex, digest }: ShareRecord): number {
    const name = `${shareIndex} ${digest}`
    const id = this.#ids.get(name) ?? this.#ids.size
    this.#ids.set(name, id)
    return id
  }
}
