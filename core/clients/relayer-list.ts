import type { z } from 'zod'
import type { RelayerConnection } from './relayer-connection.js'

/** A list that is polled: where it did not change since the last call it is not sent again. */
export class RelayerList<S extends z.ZodType, T> {
  readonly #connection: RelayerConnection
  readonly #path: string
  readonly #schema: S
  readonly #itemsOf: (content: z.infer<S>) => readonly T[]
  #last: { readonly etag: string; readonly items: readonly T[] } | undefined

  constructor(
    connection: RelayerConnection,
    path: string,
    schema: S,
    itemsOf: (content: z.infer<S>) => readonly T[],
  ) {
    this.#connection = connection
    this.#path = path
    this.#schema = schema
    this.#itemsOf = itemsOf
  }

  /** @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does */
  async read(): Promise<readonly T[]> {
    const last = this.#last
    const response = await this.#connection.send({
      method: 'GET',
      path: this.#path,
      ...(last === undefined ? {} : { headers: { 'If-None-Match': last.etag } }),
    })
    if (response.status === 304 && last !== undefined) return last.items
    const items = this.#itemsOf(this.#connection.read(this.#schema, response, `GET ${this.#path}`))
    const etag = response.headers['etag']
    this.#last = etag === undefined ? undefined : { etag, items }
    return items
  }
}
