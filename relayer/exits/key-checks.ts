import { fromHex, type PublicKeyHex } from '../../core/hex.js'
import { RequestedKeyError } from './errors.js'

/** Keys remembered as valid. */
const REMEMBERED = 100_000

/**
 * Refuses a key that is given twice: it would get two indexes.
 * @throws RequestedKeyError DUPLICATE_PUBLIC_KEY
 */
export function assertDistinctKeys(publicKeys: readonly PublicKeyHex[]): void {
  const seen = new Set<PublicKeyHex>()
  for (const [position, publicKey] of publicKeys.entries()) {
    if (seen.has(publicKey)) {
      throw new RequestedKeyError(
        'DUPLICATE_PUBLIC_KEY',
        publicKey,
        position,
        'is given twice',
        'Ask for each key once: each gets an index of its own',
      )
    }
    seen.add(publicKey)
  }
}

/** Refuses keys that are no points, and looks at each key once only: an operator polls every second. */
export class KeyChecks {
  readonly #check: (publicKeys: readonly Uint8Array[]) => Promise<readonly boolean[]>
  readonly #valid = new Set<PublicKeyHex>()

  /** @param check tells which keys (48 bytes) are points of the subgroup */
  constructor(check: (publicKeys: readonly Uint8Array[]) => Promise<readonly boolean[]>) {
    this.#check = check
  }

  /** @throws RequestedKeyError INVALID_PUBLIC_KEY for the first one that is no point */
  async assertValid(publicKeys: readonly PublicKeyHex[]): Promise<void> {
    const unknown = publicKeys.filter((publicKey) => !this.#valid.has(publicKey))
    if (unknown.length === 0) return
    if (this.#valid.size + unknown.length > REMEMBERED) this.#valid.clear()
    const verdicts = await this.#check(unknown.map((publicKey) => fromHex(publicKey, 48)))
    for (const [i, publicKey] of unknown.entries()) if (verdicts[i] === true) this.#valid.add(publicKey)
    const bad = unknown.find((_, i) => verdicts[i] !== true)
    if (bad === undefined) return
    throw new RequestedKeyError(
      'INVALID_PUBLIC_KEY',
      bad,
      publicKeys.indexOf(bad),
      'is not a valid BLS public key',
      'Check the deposit data',
    )
  }
}
