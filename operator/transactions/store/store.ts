/** The agent's queries. Every change is one transaction, and on the disk when the promise resolves. */
import { type Kysely, sql, type Transaction } from 'kysely'
import { DvtExitError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { parseJson, stringifyJson } from '../../../core/json.js'
import { attemptRow, factsRow, transactionOf } from './rows.js'
import type { OperatorSchema } from './schema.js'
import type { Attempt, Registration, TransactionFacts, VaultTransaction } from './transaction.js'

/** Where and how a transaction was mined. */
export interface Inclusion {
  readonly state: 'mined' | 'failed'
  readonly hash: Hex
  readonly block: { readonly number: bigint; readonly hash: Hex }
  readonly gasUsed: bigint
  readonly failure?: string
}

export class OperatorStore {
  readonly #database: Kysely<OperatorSchema>

  constructor(database: Kysely<OperatorSchema>) {
    this.#database = database
  }

  /** The newest first. */
  async registrations(limit = 1000): Promise<Registration[]> {
    const rows = await this.#database
      .selectFrom('transactions')
      .select('id')
      .where('kind', '=', 'registration')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return (await this.#byId(rows.map((row) => row.id))).filter(isRegistration).reverse()
  }

  /**
   * What the chain may still change: sent and mined ones, and what failed or was superseded after a block.
   * The oldest first.
   */
  async unsettled(after: bigint): Promise<VaultTransaction[]> {
    const rows = await this.#database
      .selectFrom('transactions')
      .select('id')
      .where((row) =>
        row.or([
          row('state', 'in', ['sent', 'mined']),
          row.and([row('state', 'in', ['failed', 'superseded']), row('block_number', '>', Number(after))]),
        ]),
      )
      .execute()
    return this.#byId(rows.map((row) => row.id))
  }

  /** Those neither mined nor superseded, the oldest first. */
  async inFlight(): Promise<VaultTransaction[]> {
    const rows = await this.#database
      .selectFrom('transactions')
      .select('id')
      .where('state', '=', 'sent')
      .execute()
    return this.#byId(rows.map((row) => row.id))
  }

  /** Mined and final registrations whose validators' indexes have not been compared yet, the oldest first. */
  async withUncheckedIndexes(): Promise<Registration[]> {
    const rows = await this.#database
      .selectFrom('transactions')
      .select('id')
      .where('kind', '=', 'registration')
      .where('state', 'in', ['mined', 'final'])
      .where('index_checked', '=', 0)
      .execute()
    return (await this.#byId(rows.map((row) => row.id))).filter(isRegistration)
  }

  async markIndexChecked(id: number): Promise<void> {
    await this.#database.updateTable('transactions').set({ index_checked: 1 }).where('id', '=', id).execute()
  }

  /** The highest nonce of a sender that the chain has used, as far as is known here. */
  async lastUsedNonce(sender: Hex): Promise<number | undefined> {
    const row = await this.#database
      .selectFrom('transactions')
      .select((expression) => expression.fn.max('nonce').as('nonce'))
      .where('sender', '=', sender)
      .where('state', '!=', 'sent')
      .executeTakeFirst()
    return row?.nonce ?? undefined
  }

  /**
   * Writes down a transaction with its first attempt, before it is sent.
   * @throws DvtExitError ANOTHER_NONCE_IN_FLIGHT where one of the sender with a lower nonce is not mined
   */
  async add(
    facts: TransactionFacts & { readonly sender: Hex; readonly nonce: number },
    attempt: Attempt,
  ): Promise<VaultTransaction> {
    const id = await this.#database.transaction().execute(async (atomic) => {
      await assertNoLowerNonce(atomic, facts)
      const { id } = await atomic
        .insertInto('transactions')
        .values({
          sender: facts.sender,
          nonce: facts.nonce,
          ...factsRow(facts),
          created_at: attempt.createdAt,
          state: 'sent',
          index_checked: 0,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      await atomic.insertInto('attempts').values(attemptRow(id, attempt)).execute()
      return id
    })
    return this.#existing(id)
  }

  /** Writes down one more attempt, before it is sent. */
  async addAttempt(transactionId: number, attempt: Attempt): Promise<void> {
    await this.#database.insertInto('attempts').values(attemptRow(transactionId, attempt)).execute()
  }

  /** One of a nonce's transactions was mined: it took the nonce from the others. */
  async noteIncluded(
    id: number,
    { state, hash, block, gasUsed, failure }: Inclusion,
    others: readonly number[],
  ): Promise<VaultTransaction> {
    await this.#database.transaction().execute(async (atomic) => {
      await atomic
        .updateTable('transactions')
        .set({
          state,
          block_number: Number(block.number),
          block_hash: block.hash,
          mined_hash: hash,
          gas_used: Number(gasUsed),
          failure: failure ?? null,
          index_checked: 0,
        })
        .where('id', '=', id)
        .execute()
      await supersede(atomic, others, block.number)
    })
    return this.#existing(id)
  }

  /** A mined one is too deep for a reorganisation. */
  async noteFinal(id: number): Promise<void> {
    await this.#database.updateTable('transactions').set({ state: 'final' }).where('id', '=', id).execute()
  }

  /** Another transaction of the wallet took the nonce: seen at a block. */
  async noteSuperseded(ids: readonly number[], block: bigint): Promise<void> {
    await this.#database.transaction().execute((atomic) => supersede(atomic, ids, block))
  }

  /** A reorganisation gave their nonce back. */
  async noteReopened(ids: readonly number[]): Promise<void> {
    await this.#database
      .updateTable('transactions')
      .set({ state: 'sent', index_checked: 0, ...NOT_INCLUDED, block_number: null })
      .where('id', 'in', [...ids])
      .execute()
  }

  /** Keeps something for another process to read; undefined forgets it. */
  async setNote(name: string, value: unknown): Promise<void> {
    if (value === undefined) {
      await this.#database.deleteFrom('notes').where('name', '=', name).execute()
      return
    }
    const text = stringifyJson(value)
    await this.#database
      .insertInto('notes')
      .values({ name, value: text })
      .onConflict((conflict) => conflict.doUpdateSet({ value: text }))
      .execute()
  }

  /** What was kept under a name, large integers as bigints; undefined where nothing was. */
  async note(name: string): Promise<unknown> {
    const row = await this.#database
      .selectFrom('notes')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirst()
    return row === undefined ? undefined : parseJson(row.value)
  }

  async #existing(id: number): Promise<VaultTransaction> {
    const [transaction] = await this.#byId([id])
    if (transaction === undefined) throw new Error(`transaction ${id} is not in the database`)
    return transaction
  }

  async #byId(ids: readonly number[]): Promise<VaultTransaction[]> {
    if (ids.length === 0) return []
    const rows = await this.#database
      .selectFrom('transactions')
      .selectAll()
      .where('id', 'in', [...ids])
      .orderBy('id')
      .execute()
    const attempts = await this.#database
      .selectFrom('attempts')
      .selectAll()
      .where('transaction_id', 'in', [...ids])
      .orderBy(sql`rowid`)
      .execute()
    return rows.flatMap(
      (row) =>
        transactionOf(
          row,
          attempts.filter((attempt) => attempt.transaction_id === row.id),
        ) ?? [],
    )
  }
}

function isRegistration(transaction: VaultTransaction): transaction is Registration {
  return transaction.kind === 'registration'
}

const NOT_INCLUDED = { block_hash: null, mined_hash: null, gas_used: null, failure: null } as const

async function supersede(
  atomic: Transaction<OperatorSchema>,
  ids: readonly number[],
  block: bigint,
): Promise<void> {
  if (ids.length === 0) return
  await atomic
    .updateTable('transactions')
    .set({ state: 'superseded', index_checked: 0, ...NOT_INCLUDED, block_number: Number(block) })
    .where('id', 'in', [...ids])
    .execute()
}

async function assertNoLowerNonce(
  atomic: Transaction<OperatorSchema>,
  { sender, nonce }: { readonly sender: Hex; readonly nonce: number },
): Promise<void> {
  const other = await atomic
    .selectFrom('transactions')
    .select('nonce')
    .where('state', '=', 'sent')
    .where('sender', '=', sender)
    .where('nonce', '<', nonce)
    .executeTakeFirst()
  if (other === undefined) return
  throw new DvtExitError(
    'ANOTHER_NONCE_IN_FLIGHT',
    `a transaction with nonce ${other.nonce} is not mined yet, so none is sent with nonce ${nonce}`,
  )
}
