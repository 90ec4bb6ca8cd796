/**
 * What is kept of SSVNetwork: the logs that count, as the chain has them, and how far it was read. The
 * state is made from them anew at each start and after each step back, so nothing here is ever stale, and
 * key shares lie on the disk encrypted, as they lie on the chain.
 */
import type { Kysely, Migration, Transaction } from 'kysely'
import { DvtExitError } from '../errors.js'
import { fromHex, type Hex, toHex } from '../hex.js'
import { openDatabase } from '../storage/database.js'
import type { Verdicts } from './ssv-checks.js'
import { decodeSsvEvent, type EncodedEvent, type SsvEvent } from './ssv-events.js'
import type { OwnerNonceUsed } from './ssv-rules.js'

interface LogsTable {
  /** What is followed: one database may serve several sets of operators and owners. */
  followed: string
  block_number: number
  log_index: number
  /** Of ValidatorAdded, lowercase; null for other events. */
  owner: string | null
  /** Comma-separated; null where only the owner's nonce counts. */
  topics: string | null
  data: Uint8Array | null
  /** Verdicts, null where not needed yet. */
  signed_nonce: number | null
  shares_belong_together: number | null
}
interface CheckpointsTable {
  followed: string
  block_number: number
  block_hash: string
}
interface SearchesTable {
  followed: string
  owner: string
  /** Logs that were left out have been searched for up to this block. */
  until_block: number
}
export interface SsvSchema {
  ssv_logs: LogsTable
  ssv_checkpoints: CheckpointsTable
  ssv_searches: SearchesTable
}

const migration: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('ssv_logs')
      .addColumn('followed', 'text', (column) => column.notNull())
      .addColumn('block_number', 'bigint', (column) => column.notNull())
      .addColumn('log_index', 'integer', (column) => column.notNull())
      .addColumn('owner', 'text')
      .addColumn('topics', 'text')
      .addColumn('data', 'blob')
      .addColumn('signed_nonce', 'bigint')
      .addColumn('shares_belong_together', 'integer')
      .addPrimaryKeyConstraint('ssv_logs_key', ['followed', 'block_number', 'log_index'])
      .execute()
    await database.schema
      .createTable('ssv_checkpoints')
      .addColumn('followed', 'text', (column) => column.notNull())
      .addColumn('block_number', 'bigint', (column) => column.notNull())
      .addColumn('block_hash', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('ssv_checkpoints_key', ['followed', 'block_number'])
      .execute()
    await database.schema
      .createTable('ssv_searches')
      .addColumn('followed', 'text', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('until_block', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('ssv_searches_key', ['followed', 'owner'])
      .execute()
  },
}

/** Opens the follower's database file. Throws as openDatabase does. */
export function openSsvDatabase(file: string): Promise<Kysely<SsvSchema>> {
  return openDatabase<SsvSchema>(file, 'ssv-follower', { '001-ssv-follower': migration })
}

/** A log that counts, decoded. */
export interface KeptLog {
  readonly blockNumber: bigint
  readonly logIndex: number
  readonly event: SsvEvent | OwnerNonceUsed
  /** What it was decoded from; absent where only the owner's nonce counts. */
  readonly encoded?: EncodedEvent
  readonly verdicts: Verdicts
}

/** A block up to which everything has been read. */
export interface Checkpoint {
  readonly number: bigint
  readonly hash: Hex
}

/** Steps back reach this many checkpoints; beyond them everything is read again. */
export const CHECKPOINTS_KEPT = 1024
const ROWS_AT_ONCE = 500

export class SsvStore {
  readonly #database: Kysely<SsvSchema>
  readonly #followed: string

  /** @param followed what is followed (contract, operators, owners): nothing of others is seen or changed */
  constructor(database: Kysely<SsvSchema>, followed: string) {
    this.#database = database
    this.#followed = followed
  }

  /** The newest checkpoints first. */
  async checkpoints(limit: number): Promise<Checkpoint[]> {
    const rows = await this.#database
      .selectFrom('ssv_checkpoints')
      .select(['block_number', 'block_hash'])
      .where('followed', '=', this.#followed)
      .orderBy('block_number', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ number: BigInt(row.block_number), hash: row.block_hash as Hex }))
  }

  /** The logs of the blocks from … to, both included, in the chain's order. */
  async logs(from: bigint, to: bigint): Promise<KeptLog[]> {
    const rows = await this.#database
      .selectFrom('ssv_logs')
      .selectAll()
      .where('followed', '=', this.#followed)
      .where('block_number', '>=', Number(from))
      .where('block_number', '<=', Number(to))
      .orderBy('block_number')
      .orderBy('log_index')
      .execute()
    return rows.flatMap(keptLogOf)
  }

  /**
   * Keeps the logs of one page and moves the checkpoint, both or neither.
   * @param expected the checkpoint that the page was read from
   * @throws DvtExitError CHECKPOINT_MOVED where another process has moved it
   */
  async append(
    logs: readonly KeptLog[],
    { expected, checkpoint }: { expected: Checkpoint | undefined; checkpoint: Checkpoint },
  ): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      await this.#assertCheckpoint(transaction, expected)
      await this.#insert(transaction, logs)
      await transaction
        .insertInto('ssv_checkpoints')
        .values(this.#checkpointRow(checkpoint))
        .onConflict((conflict) => conflict.doUpdateSet({ block_hash: checkpoint.hash }))
        .execute()
      await this.#prune(transaction)
    })
  }

  /** Forgets everything after a block that is no longer on the chain; without a block, everything. */
  async forgetAfter(checkpoint: Checkpoint | undefined): Promise<void> {
    const after = checkpoint === undefined ? -1 : Number(checkpoint.number)
    await this.#database.transaction().execute(async (transaction) => {
      for (const table of ['ssv_logs', 'ssv_checkpoints'] as const) {
        await transaction
          .deleteFrom(table)
          .where('followed', '=', this.#followed)
          .where('block_number', '>', after)
          .execute()
      }
      await transaction
        .deleteFrom('ssv_searches')
        .where('followed', '=', this.#followed)
        .where('until_block', '>', after)
        .execute()
    })
  }

  /**
   * Adds logs that an endpoint had left out, and goes back to read on from a block before them. What was
   * read since stays, so that a log seen once is never lost, but is judged anew.
   */
  async addLeftOut(logs: readonly KeptLog[], checkpoint: Checkpoint | undefined): Promise<void> {
    const after = checkpoint === undefined ? -1 : Number(checkpoint.number)
    await this.#database.transaction().execute(async (transaction) => {
      await this.#insert(transaction, logs)
      await transaction
        .updateTable('ssv_logs')
        .set({ signed_nonce: null, shares_belong_together: null })
        .where('followed', '=', this.#followed)
        .where('block_number', '>', after)
        .execute()
      await transaction
        .deleteFrom('ssv_checkpoints')
        .where('followed', '=', this.#followed)
        .where('block_number', '>', after)
        .execute()
      if (checkpoint === undefined) return
      await transaction
        .insertInto('ssv_checkpoints')
        .values(this.#checkpointRow(checkpoint))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }

  /** Up to which block logs of the owner that were left out have been searched for. */
  async searchedUntil(owner: Hex): Promise<bigint | undefined> {
    const row = await this.#database
      .selectFrom('ssv_searches')
      .select('until_block')
      .where('followed', '=', this.#followed)
      .where('owner', '=', owner)
      .executeTakeFirst()
    return row === undefined ? undefined : BigInt(row.until_block)
  }

  async noteSearch(owner: Hex, until: bigint): Promise<void> {
    const row = { followed: this.#followed, owner, until_block: Number(until) }
    await this.#database
      .insertInto('ssv_searches')
      .values(row)
      .onConflict((conflict) => conflict.doUpdateSet({ until_block: row.until_block }))
      .execute()
  }

  async #assertCheckpoint(transaction: Transaction<SsvSchema>, expected: Checkpoint | undefined) {
    const row = await transaction
      .selectFrom('ssv_checkpoints')
      .select(['block_number', 'block_hash'])
      .where('followed', '=', this.#followed)
      .orderBy('block_number', 'desc')
      .executeTakeFirst()
    if (row?.block_number === (expected === undefined ? undefined : Number(expected.number))) {
      if (row?.block_hash === expected?.hash) return
    }
    throw new DvtExitError('CHECKPOINT_MOVED', 'another process follows SSVNetwork with the same database', {
      hint: 'Give each process a DATABASE of its own',
    })
  }

  async #insert(transaction: Transaction<SsvSchema>, logs: readonly KeptLog[]): Promise<void> {
    for (let start = 0; start < logs.length; start += ROWS_AT_ONCE) {
      await transaction
        .insertInto('ssv_logs')
        .values(logs.slice(start, start + ROWS_AT_ONCE).map((log) => this.#logRow(log)))
        .onConflict((conflict) =>
          conflict.doUpdateSet((row) => ({
            signed_nonce: row.ref('excluded.signed_nonce'),
            shares_belong_together: row.ref('excluded.shares_belong_together'),
          })),
        )
        .execute()
    }
  }

  async #prune(transaction: Transaction<SsvSchema>): Promise<void> {
    const oldest = await transaction
      .selectFrom('ssv_checkpoints')
      .select('block_number')
      .where('followed', '=', this.#followed)
      .orderBy('block_number', 'desc')
      .offset(CHECKPOINTS_KEPT)
      .limit(1)
      .executeTakeFirst()
    if (oldest === undefined) return
    await transaction
      .deleteFrom('ssv_checkpoints')
      .where('followed', '=', this.#followed)
      .where('block_number', '<=', oldest.block_number)
      .execute()
  }

  #checkpointRow({ number, hash }: Checkpoint): CheckpointsTable {
    return { followed: this.#followed, block_number: Number(number), block_hash: hash }
  }

  #logRow({ blockNumber, logIndex, event, encoded, verdicts }: KeptLog): LogsTable {
    const counts = event.name === 'ValidatorAdded' || event.name === 'OwnerNonceUsed'
    const together = verdicts.sharesBelongTogether
    return {
      followed: this.#followed,
      block_number: Number(blockNumber),
      log_index: logIndex,
      owner: counts ? event.owner : null,
      topics: encoded === undefined ? null : encoded.topics.join(','),
      data: encoded === undefined ? null : fromHex(encoded.data),
      signed_nonce: verdicts.signedNonce ?? null,
      shares_belong_together: together === undefined ? null : Number(together),
    }
  }
}

function keptLogOf(row: LogsTable): KeptLog[] {
  const position = { blockNumber: BigInt(row.block_number), logIndex: row.log_index }
  if (row.topics === null || row.data === null) {
    return [{ ...position, event: { name: 'OwnerNonceUsed', owner: row.owner as Hex }, verdicts: {} }]
  }
  const encoded: EncodedEvent = { topics: row.topics.split(',') as Hex[], data: toHex(row.data) }
  const event = decodeSsvEvent(encoded)
  if (event === undefined) return []
  const verdicts: Verdicts = {
    ...(row.signed_nonce === null ? {} : { signedNonce: row.signed_nonce }),
    ...(row.shares_belong_together === null
      ? {}
      : { sharesBelongTogether: row.shares_belong_together === 1 }),
  }
  return [{ ...position, event, encoded, verdicts }]
}
