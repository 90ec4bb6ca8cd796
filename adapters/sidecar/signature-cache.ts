/** Signatures that were made before, so that posting again costs nothing. In memory only, bounded. */
export class SignatureCache {
  readonly #signatures = new Map<string, Uint8Array>()
  readonly #most: number

  /** @param most how many are kept; those used longest ago go first */
  constructor(most: number) {
    this.#most = most
  }

  get(id: string): Uint8Array | undefined {
    const signature = this.#signatures.get(id)
    if (signature === undefined) return undefined
    this.#signatures.delete(id)
    this.#signatures.set(id, signature)
    return signature
  }

  set(id: string, signature: Uint8Array): void {
    this.#signatures.delete(id)
    this.#signatures.set(id, signature)
    const [oldest] = this.#signatures.keys()
    if (this.#signatures.size > this.#most && oldest !== undefined) this.#signatures.delete(oldest)
  }

  delete(id: string): void {
    this.#signatures.delete(id)
  }
}
