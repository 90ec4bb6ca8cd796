import type { PublicKeyHex } from '../../core/hex.js'
import type { DistributedValidator } from '../../core/signer.js'

/** The public shares that the relayer was given: cluster locks and SSV clusters. */
export interface PublicSharesSource {
  /** Every sharing of the key, none where it is in no given cluster. */
  sharingsOf(publicKey: PublicKeyHex): readonly DistributedValidator[]
  /** Calls the listener when sharings came, went or changed. */
  onChange(listener: () => void): void
}

/** Nothing is known: shares are tried. */
export const NO_PUBLIC_SHARES: PublicSharesSource = { sharingsOf: () => [], onChange: () => undefined }

/** The sharings of a key. */
export interface KeySharings {
  readonly sharings: readonly DistributedValidator[]
  /**
   * Whether they were given: then there are no others, and a share that fits none is wrong. Of claimed ones some
   * may be forged, and a share that fits none may belong to a node that claims nothing.
   */
  readonly given: boolean
}

/** The sharings that may be relied on: those given, without the ones that turned out to belong to no key. */
export class Sharings {
  readonly #given: PublicSharesSource
  readonly #claimed: PublicSharesSource
  readonly #distrusted = new WeakSet<DistributedValidator>()
  #version = 0

  /** @param claimed what sidecars say; it counts for keys of no given cluster */
  constructor(given: PublicSharesSource, claimed: PublicSharesSource = NO_PUBLIC_SHARES) {
    this.#given = given
    this.#claimed = claimed
    for (const source of [given, claimed]) source.onChange(() => this.#version++)
  }

  /** Changes whenever the answers of `of` may have changed. */
  get version(): number {
    return this.#version
  }

  of(publicKey: PublicKeyHex): KeySharings {
    const given = this.#trusted(this.#given.sharingsOf(publicKey))
    if (given.length > 0) return { sharings: given, given: true }
    return { sharings: this.#trusted(this.#claimed.sharingsOf(publicKey)), given: false }
  }

  /** Leaves out a sharing whose right shares make no signature of its key. */
  distrust(sharing: DistributedValidator): void {
    this.#distrusted.add(sharing)
    this.#version++
  }

  #trusted(sharings: readonly DistributedValidator[]): DistributedValidator[] {
    return sharings.filter((sharing) => !this.#distrusted.has(sharing))
  }
}
