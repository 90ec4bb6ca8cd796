import type { PublicKeyHex } from '../../core/hex.js'
import type { DistributedValidator } from '../../core/signer.js'

/** The public shares that the relayer was given: cluster locks and SSV clusters. */
export interface PublicSharesSource {
  /** Every sharing of the key, none where it is in no given cluster. */
  sharingsOf(publicKey: PublicKeyHex): readonly DistributedValidator[]
  /** Calls the listener when sharings came, went or changed. */
  onChange(listener: () => void): void
}

/** No cluster is known: shares are tried. */
export const NO_PUBLIC_SHARES: PublicSharesSource = { sharingsOf: () => [], onChange: () => undefined }

/** The sharings that may be relied on: those given, without the ones that turned out to belong to no key. */
export class Sharings {
  readonly #source: PublicSharesSource
  readonly #distrusted = new WeakSet<DistributedValidator>()
  #version = 0

  constructor(source: PublicSharesSource) {
    this.#source = source
    source.onChange(() => this.#version++)
  }

  /** Changes whenever the answers of `of` may have changed. */
  get version(): number {
    return this.#version
  }

  of(publicKey: PublicKeyHex): readonly DistributedValidator[] {
    return this.#source.sharingsOf(publicKey).filter((sharing) => !this.#distrusted.has(sharing))
  }

  /** Leaves out a sharing whose right shares make no signature of its key. */
  distrust(sharing: DistributedValidator): void {
    this.#distrusted.add(sharing)
    this.#version++
  }
}
