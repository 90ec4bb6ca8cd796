/** The oracles' parts of exits: enough of them are an exit, so each in the clear is a secret as a node's share is. */
import { DvtExitError } from '../../../core/errors.js'
import { openAsOracle } from '../../../core/oracles/seal.js'
import type { Recorded } from './records.js'
import type { SecretRegister } from './secrets.js'

/** The sealed parts of one exit in an answer, in the oracles' order. */
const SEALED = /"encrypted_exit_signatures":\s*\[([^\]]*)\]/g

export class OracleParts {
  readonly #secrets: SecretRegister
  readonly #sets: (readonly Uint8Array[])[] = []
  readonly #opened = new Set<string>()

  constructor(secrets: SecretRegister) {
    this.#secrets = secrets
  }

  /** Adds a set of oracles: their keys, which are secrets too, open what was sealed for them. */
  add(keys: readonly Uint8Array[]): void {
    this.#sets.unshift(keys)
    for (const [i, key] of keys.entries()) this.#secrets.add('number', `the key of oracle ${i}`, key)
  }

  /** Makes secrets of all parts that were answered, sealed, to those that may have them so. */
  learnFrom({ place, bytes }: Recorded): void {
    if (place.kind !== 'answer' || !bytes.includes('"encrypted_exit_signatures"')) return
    for (const [, list = ''] of bytes.toString('latin1').matchAll(SEALED)) {
      if (this.#opened.has(list)) continue
      this.#opened.add(list)
      this.#open((list.match(/[0-9a-f]{2,}/gi) ?? []).map((hex) => Buffer.from(hex, 'hex')))
    }
  }

  /** Nothing where they were sealed for oracles that are not known here. */
  #open(sealed: readonly Buffer[]): void {
    for (const keys of this.#sets.filter((set) => set.length === sealed.length)) {
      const parts = keys.map((key, i) => opened(key, sealed[i]))
      for (const [i, part] of parts.entries()) {
        if (part !== undefined) this.#secrets.add('bytes', `an exit’s part of oracle ${i}`, part)
      }
      if (parts.some((part) => part !== undefined)) return
    }
  }
}

function opened(key: Uint8Array, sealed: Buffer | undefined): Uint8Array | undefined {
  try {
    return sealed === undefined ? undefined : openAsOracle(key, sealed)
  } catch (error) {
    if (error instanceof DvtExitError) return undefined
    throw error
  }
}
