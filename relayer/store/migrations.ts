/** The tables of exits, their shares and what is made of them. Both engines read the same column types. */
import type { Kysely, Migration } from 'kysely'
import { messageMigration } from './message-migration.js'
import { shareCallerMigration } from './share-caller-migration.js'

async function createExits(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('exits')
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('validator_index', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('asked_at', 'bigint', (column) => column.notNull())
    .addColumn('asked_order', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('exits_key', ['public_key', 'validator_index'])
    .execute()
  await database.schema.createIndex('exits_asked_at').on('exits').column('asked_at').execute()
  await database.schema.createIndex('exits_asked_order').on('exits').column('asked_order').execute()
}

async function createShares(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('shares')
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('validator_index', 'bigint', (column) => column.notNull())
    .addColumn('share_index', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('share_order', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('listed', 'integer', (column) => column.notNull())
    .addColumn('verified_under', 'text')
    .addColumn('sealed', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('shares_key', ['public_key', 'validator_index', 'share_index', 'digest'])
    .addForeignKeyConstraint(
      'shares_exit',
      ['public_key', 'validator_index'],
      'exits',
      ['public_key', 'validator_index'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
}

async function createOracleParts(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('oracle_parts')
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('validator_index', 'bigint', (column) => column.notNull())
    .addColumn('set_hash', 'text', (column) => column.notNull())
    .addColumn('public_key_shares', 'text', (column) => column.notNull())
    .addColumn('encrypted_signatures', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('oracle_parts_key', ['public_key', 'validator_index', 'set_hash'])
    .addForeignKeyConstraint(
      'oracle_parts_exit',
      ['public_key', 'validator_index'],
      'exits',
      ['public_key', 'validator_index'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
}

async function createCheckpoints(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('checkpoints')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
}

async function createChosenValidators({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('chosen_validators')
    .addColumn('public_key', 'text', (column) => column.primaryKey())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('validator_type', 'text', (column) => column.notNull())
    .addColumn('amount', 'text', (column) => column.notNull())
    .addColumn('chosen_order', 'bigint', (column) => column.notNull())
    .execute()
}

async function createManagerAudit({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('manager_audit')
    .addColumn('noted_at', 'bigint', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('call', 'text', (column) => column.notNull())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('items', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('manager_audit_noted_at').on('manager_audit').column('noted_at').execute()
}

type MigrationName = '001-exits' | '003-messages' | '004-choices' | '005-manager-audit' | '006-share-callers'

/** By name; they run in the names' order. */
export const exitMigrations: Readonly<Record<MigrationName, Migration>> = {
  '001-exits': {
    async up(database: Kysely<unknown>) {
      await createExits(database)
      await createShares(database)
      await createOracleParts(database)
      await createCheckpoints(database)
    },
  },
  '003-messages': messageMigration,
  '004-choices': { up: createChosenValidators },
  '005-manager-audit': { up: createManagerAudit },
  '006-share-callers': shareCallerMigration,
}
