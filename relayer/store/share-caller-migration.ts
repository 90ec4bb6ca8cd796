/** Shares know who posted them, and those found wrong are remembered. */
import type { Kysely, Migration } from 'kysely'

export const shareCallerMigration: Migration = {
  async up({ schema }: Kysely<unknown>) {
    await schema
      .alterTable('signature_shares')
      .addColumn('caller', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await schema
      .createTable('disproven_shares')
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('message', 'text', (column) => column.notNull())
      .addColumn('share_index', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('disproven_order', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('disproven_shares_key', ['public_key', 'message', 'share_index', 'digest'])
      .addForeignKeyConstraint(
        'disproven_shares_message',
        ['public_key', 'message'],
        'messages',
        ['public_key', 'message'],
        (constraint) => constraint.onDelete('cascade'),
      )
      .execute()
  },
}
