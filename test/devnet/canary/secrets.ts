/** What must not be found: a register of secrets, each with what it is and the only places where it may be. */

import type { SecretType } from './forms.js'
import type { Place } from './records.js'

/** Whether a secret may be in a place. Anywhere else it is a leak. */
export type Allowance = (place: Place) => boolean

export interface CanarySecret {
  /** Unique among the registered ones. */
  readonly id: number
  readonly type: SecretType
  /** What it is, for people: "key share 2 of obol-4n3t-hoodi/0". */
  readonly name: string
  readonly value: Buffer
  readonly allowances: readonly Allowance[]
}

/** Shorter ones are found by chance. */
const LEAST_LENGTH = 8

export class SecretRegister {
  readonly #secrets = new Map<string, CanarySecret & { readonly allowances: Allowance[] }>()

  /**
   * Adds a secret; one that is known already gets the further allowance.
   * @throws Error where it has fewer than eight bytes, which would be found by chance
   */
  add(type: SecretType, name: string, value: Uint8Array, allowed?: Allowance): void {
    if (value.length < LEAST_LENGTH) throw new Error(`${name} has fewer than ${LEAST_LENGTH} bytes`)
    const bytes = Buffer.from(value)
    const key = bytes.toString('latin1')
    const known = this.#secrets.get(key)
    const secret = known ?? { id: this.#secrets.size, type, name, value: bytes, allowances: [] }
    if (allowed !== undefined) secret.allowances.push(allowed)
    if (known === undefined) this.#secrets.set(key, secret)
  }

  /** A key of 32 bytes, hex with or without 0x. */
  addKey(name: string, hex: string, allowed?: Allowance): void {
    this.add('number', name, Buffer.from(hex.replace(/^0x/, ''), 'hex'), allowed)
  }

  /** A password, token or the like. */
  addText(name: string, text: string, allowed?: Allowance): void {
    this.add('text', name, Buffer.from(text, 'utf8'), allowed)
  }

  has(value: Uint8Array): boolean {
    return this.#secrets.has(Buffer.from(value).toString('latin1'))
  }

  /** Those that were added from the n-th on, in the order in which they came. */
  from(n: number): CanarySecret[] {
    return [...this.#secrets.values()].slice(n)
  }

  get size(): number {
    return this.#secrets.size
  }
}

/** A secret may be in the file that it was given in. */
export function inFile(path: string): Allowance {
  return (place) => place.kind === 'file' && place.path === path
}
