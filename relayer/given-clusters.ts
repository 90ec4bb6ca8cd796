/** The public shares that the relayer was given, by cluster locks and SSV clusters. */
import type { Hex, PublicKeyHex } from '../core/hex.js'
import type { DistributedValidator } from '../core/signer.js'
import type { PublicSharesSource } from './exits/sharings.js'
import type { PooledKey, PoolSource } from './registrations/pool.js'

/**
 * Sharings by their source. A key may have several: a cluster that was edited, or files old and new. The
 * same sharing from two sources counts once.
 */
export class GivenClusters implements PublicSharesSource, PoolSource {
  readonly #bySource = new Map<string, readonly DistributedValidator[]>()
  readonly #listeners: (() => void)[] = []
  #byKey = new Map<PublicKeyHex, DistributedValidator[]>()

  sharingsOf(publicKey: PublicKeyHex): readonly DistributedValidator[] {
    return this.#byKey.get(publicKey) ?? []
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The validators in the order of their sources, each for the vault that its cluster lock names. */
  *keys(): Generator<PooledKey> {
    for (const [publicKey, sharings] of this.#byKey) yield { publicKey, vault: withdrawalAddressOf(sharings) }
  }

  key(publicKey: PublicKeyHex): PooledKey | undefined {
    const sharings = this.#byKey.get(publicKey)
    return sharings && { publicKey, vault: withdrawalAddressOf(sharings) }
  }

  /** How many validators have a sharing. */
  get size(): number {
    return this.#byKey.size
  }

  /** Takes what a source holds now in place of what it held before. */
  set(source: string, validators: readonly DistributedValidator[]): void {
    this.#bySource.set(source, validators)
    this.#byKey = index([...this.#bySource.values()].flat())
    for (const listener of this.#listeners) listener()
  }
}

function withdrawalAddressOf(sharings: readonly DistributedValidator[]): Hex | undefined {
  return sharings.find(({ withdrawalAddress }) => withdrawalAddress !== undefined)?.withdrawalAddress
}

function index(validators: readonly DistributedValidator[]): Map<PublicKeyHex, DistributedValidator[]> {
  const byKey = new Map<PublicKeyHex, DistributedValidator[]>()
  for (const validator of validators) {
    const others = byKey.get(validator.publicKey) ?? []
    if (others.some((other) => isSameSharing(other, validator))) continue
    byKey.set(validator.publicKey, [...others, validator])
  }
  return byKey
}

function isSameSharing(a: DistributedValidator, b: DistributedValidator): boolean {
  return (
    a.threshold === b.threshold &&
    a.shares.size === b.shares.size &&
    [...a.shares].every(([shareIndex, publicShare]) => b.shares.get(shareIndex) === publicShare)
  )
}
