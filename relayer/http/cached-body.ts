import { createHash } from 'node:crypto'
import { stringifyJson } from '../../core/json.js'

export interface Body {
  /** JSON, in UTF-8. */
  readonly bytes: Buffer
  /** Strong, made of the content: the same in every process that serves the same list. */
  readonly etag: string
}

/** A body that is made once for each version of what it shows, however many ask for it. */
export class CachedBody {
  readonly #version: () => number
  readonly #make: () => Promise<unknown>
  #cached: { readonly version: number; readonly body: Promise<Body> } | undefined

  /** @param version grows with each change of the content */
  constructor(version: () => number, make: () => Promise<unknown>) {
    this.#version = version
    this.#make = make
  }

  async current(): Promise<Body> {
    // Read before the content: a change in between makes the next request read again.
    const version = this.#version()
    const cached = this.#cached
    if (cached?.version === version) return cached.body
    const made = { version, body: this.#build() }
    this.#cached = made
    try {
      return await made.body
    } catch (error) {
      if (this.#cached === made) this.#cached = undefined
      throw error
    }
  }

  async #build(): Promise<Body> {
    // As bytes, so that all who read it slowly share it.
    const bytes = Buffer.from(stringifyJson(await this.#make()))
    return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"` }
  }
}
