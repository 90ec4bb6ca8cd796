import type { Kysely } from 'kysely'
import { parseJson, stringifyJson } from '../../core/json.js'
import type { ExitsSchema } from './schema.js'

/** One JSON value that outlives the process: the index predictor's checkpoint, the accepted oracles. */
export class Checkpoint {
  readonly #database: Kysely<ExitsSchema>
  readonly #name: string

  constructor(database: Kysely<ExitsSchema>, name: string) {
    this.#database = database
    this.#name = name
  }

  /** The value saved last, undefined where there is none. Integers come back as parseJson gives them. */
  async load(): Promise<unknown> {
    const row = await this.#database
      .selectFrom('checkpoints')
      .select('value')
      .where('name', '=', this.#name)
      .executeTakeFirst()
    return row === undefined ? undefined : parseJson(row.value)
  }

  /** @param value anything with a JSON form; bigints are written as integers */
  async save(value: unknown): Promise<void> {
    const text = stringifyJson(value)
    await this.#database
      .insertInto('checkpoints')
      .values({ name: this.#name, value: text })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: text }))
      .execute()
  }
}
