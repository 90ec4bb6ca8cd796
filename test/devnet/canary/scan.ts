/**
 * Finds secrets in bytes, however they are written. Windows of eight bytes of every form are kept in a table with a
 * bit map before it; each position of what is searched costs a hash and a look at the map, whatever the number of
 * secrets.
 */
import { type Form, formsOf } from './forms.js'
import type { Place, Recorded } from './records.js'
import type { CanarySecret, SecretRegister } from './secrets.js'

/** A secret that was found. It says what and where, never the secret. */
export interface Leak {
  readonly secret: string
  readonly form: string
  readonly place: Place
  /** Of the first byte of the run in what was searched. */
  readonly offset: number
  /** Bytes of the form that are there in a row. */
  readonly length: number
}

interface Window {
  readonly secret: CanarySecret
  readonly form: Form
  /** Where the window begins in the form. */
  readonly start: number
}

const WIDTH = 8
const MAP_BITS = 22

export class Scanner {
  readonly #register: SecretRegister
  readonly #windows = new Map<number, Window[]>()
  readonly #map = new Uint8Array(2 ** (MAP_BITS - 3))
  #indexed = 0

  constructor(register: SecretRegister) {
    this.#register = register
  }

  /** Every secret where it may not be, once for each form and place. */
  find({ place, bytes }: Recorded): Leak[] {
    this.#index()
    const leaks = new Map<string, Leak>()
    for (const at of this.#candidates(bytes)) {
      const hash = hashOf(bytes.readInt32BE(at), bytes.readInt32BE(at + 4))
      for (const { secret, form, start } of this.#windows.get(hash) ?? []) {
        const { from, length } = runAround(bytes, at, form.bytes, start)
        if (length < form.leastRun || secret.allowances.some((allowed) => allowed(place))) continue
        const id = `${secret.id} ${form.name}`
        if (!leaks.has(id)) {
          leaks.set(id, { secret: secret.name, form: form.name, place, offset: from, length })
        }
      }
    }
    return [...leaks.values()]
  }

  /** Where windows may begin. Nearly all the time is spent here. */
  #candidates(bytes: Buffer): number[] {
    const map = this.#map
    const found: number[] = []
    let high = 0
    let low = 0
    for (let end = 0; end < bytes.length; end++) {
      high = (high << 8) | (low >>> 24)
      low = (low << 8) | (bytes[end] as number)
      const bit = hashOf(high, low) >>> (32 - MAP_BITS)
      if (((map[bit >>> 3] as number) & (1 << (bit & 7))) !== 0) found.push(end - WIDTH + 1)
    }
    while (found[0] !== undefined && found[0] < 0) found.shift()
    return found
  }

  /** Takes in what was registered since. */
  #index(): void {
    const secrets = this.#register.from(this.#indexed)
    this.#indexed += secrets.length
    for (const secret of secrets) {
      for (const form of formsOf(secret.type, secret.value)) this.#indexForm(secret, form)
    }
  }

  #indexForm(secret: CanarySecret, form: Form): void {
    for (let start = 0; start + WIDTH <= form.bytes.length; start += form.stride) {
      const hash = hashOf(form.bytes.readInt32BE(start), form.bytes.readInt32BE(start + 4))
      const bit = hash >>> (32 - MAP_BITS)
      this.#map[bit >>> 3] = (this.#map[bit >>> 3] as number) | (1 << (bit & 7))
      const others = this.#windows.get(hash)
      if (others === undefined) this.#windows.set(hash, [{ secret, form, start }])
      else others.push({ secret, form, start })
    }
  }
}

/** The upper bits depend on all bytes of a window. */
function hashOf(high: number, low: number): number {
  return (Math.imul(high, 0x9e3779b1) + Math.imul(low ^ (high >>> 15), 0x85ebca77)) >>> 0
}

/** The longest run that both have in common through one place of each. */
function runAround(bytes: Buffer, at: number, form: Buffer, start: number): { from: number; length: number } {
  let before = 0
  while (before < at && before < start && bytes[at - before - 1] === form[start - before - 1]) before++
  let after = 0
  while (start + after < form.length && bytes[at + after] === form[start + after]) after++
  return { from: at - before, length: before + after }
}
