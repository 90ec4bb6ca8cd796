/** From exits alone to messages of both kinds: exits and deposits. */
import { type CreateTableBuilder, type Kysely, type Migration, sql } from 'kysely'

function ofMessage<T extends string>(table: CreateTableBuilder<T>, name: string) {
  return table
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addForeignKeyConstraint(
      `${name}_message`,
      ['public_key', 'message'],
      'messages',
      ['public_key', 'message'],
      (constraint) => constraint.onDelete('cascade'),
    )
}

async function createMessages({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('messages')
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('asked_at', 'bigint', (column) => column.notNull())
    .addColumn('asked_order', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('messages_key', ['public_key', 'message'])
    .execute()
  await schema.createIndex('messages_asked_at').on('messages').column('asked_at').execute()
  await schema.createIndex('messages_asked_order').on('messages').column('asked_order').execute()
}

async function createSignatureShares({ schema }: Kysely<unknown>): Promise<void> {
  await ofMessage(schema.createTable('signature_shares'), 'signature_shares')
    .addColumn('share_index', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('share_order', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('listed', 'integer', (column) => column.notNull())
    .addColumn('verified_under', 'text')
    .addColumn('sealed', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('signature_shares_key', ['public_key', 'message', 'share_index', 'digest'])
    .execute()
}

async function createResults({ schema }: Kysely<unknown>): Promise<void> {
  await ofMessage(schema.createTable('sealed_parts'), 'sealed_parts')
    .addColumn('set_hash', 'text', (column) => column.notNull())
    .addColumn('public_key_shares', 'text', (column) => column.notNull())
    .addColumn('encrypted_signatures', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('sealed_parts_key', ['public_key', 'message', 'set_hash'])
    .execute()
  await ofMessage(schema.createTable('deposit_signatures'), 'deposit_signatures')
    .addColumn('signature', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('deposit_signatures_key', ['public_key', 'message'])
    .execute()
}

async function createClaimedSharings({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('claimed_sharings')
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('set_hash', 'text', (column) => column.notNull())
    .addColumn('threshold', 'integer', (column) => column.notNull())
    .addColumn('public_shares', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('claimed_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('claimed_sharings_key', ['public_key', 'set_hash'])
    .execute()
}

const SHARE_COLUMNS = sql.raw('share_index, digest, share_order, state, listed, verified_under, sealed')
const PART_COLUMNS = sql.raw('set_hash, public_key_shares, encrypted_signatures')

async function takeOver(database: Kysely<unknown>): Promise<void> {
  const exit = sql.raw("'exit/' || validator_index")
  await sql`insert into messages (public_key, message, created_at, asked_at, asked_order)
    select public_key, ${exit}, created_at, asked_at, asked_order from exits`.execute(database)
  await sql`insert into signature_shares (public_key, message, ${SHARE_COLUMNS})
    select public_key, ${exit}, ${SHARE_COLUMNS} from shares`.execute(database)
  await sql`insert into sealed_parts (public_key, message, ${PART_COLUMNS})
    select public_key, ${exit}, ${PART_COLUMNS} from oracle_parts`.execute(database)
  for (const table of ['shares', 'oracle_parts', 'exits']) await database.schema.dropTable(table).execute()
}

export const messageMigration: Migration = {
  async up(database: Kysely<unknown>) {
    await createMessages(database)
    await createSignatureShares(database)
    await createResults(database)
    await createClaimedSharings(database)
    await takeOver(database)
  },
}
