/** The relayer's tokens, hashed. Read from the database at each use: a revoked one ends at once. */
import { type Kysely, type Migration, sql } from 'kysely'
import { ConfigurationError } from '../../core/errors.js'
import type { Role } from '../access/roles.js'
import { equalHashes, hashToken, looksLikeToken, type TokenIdentity } from '../access/tokens.js'

export interface TokensTable {
  name: string
  role: Role
  /** Decimal, comma-separated; empty for roles other than sidecar. */
  share_indexes: string
  /** SHA-256 of the token, hex. */
  hash: string
  /** Seconds since 1970. */
  created_at: number
  /** Seconds since 1970; null while the token is good. */
  revoked_at: number | null
}
export interface TokensSchema {
  tokens: TokensTable
}

/** A token as it is listed: never the token itself. */
export interface ListedToken extends TokenIdentity {
  readonly createdAt: number
  readonly revokedAt: number | null
}

/** Makes the table. Names are unique among the tokens that are good. */
export const tokensMigration: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('tokens')
      .addColumn('hash', 'text', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull())
      .addColumn('share_indexes', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('revoked_at', 'bigint')
      .execute()
    await database.schema
      .createIndex('tokens_name')
      .on('tokens')
      .column('name')
      .unique()
      .where(sql.ref('revoked_at'), 'is', null)
      .execute()
  },
}

export class TokenStore {
  readonly #database: Kysely<TokensSchema>
  /** Seconds since 1970. */
  readonly #clock: () => number

  constructor(database: Kysely<TokensSchema>, clock: () => number) {
    this.#database = database
    this.#clock = clock
  }

  /** Keeps a token's hash. @throws ConfigurationError TOKEN_NAME_TAKEN */
  async add(token: string, identity: TokenIdentity): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const taken = await transaction
        .selectFrom('tokens')
        .select('name')
        .where('name', '=', identity.name)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      if (taken !== undefined) {
        throw new ConfigurationError('TOKEN_NAME_TAKEN', `there is a token named ${identity.name} already`, {
          hint: 'Choose another name, or revoke that token first',
        })
      }
      await transaction
        .insertInto('tokens')
        .values({
          name: identity.name,
          role: identity.role,
          share_indexes: identity.shareIndexes.join(','),
          hash: hashToken(token),
          created_at: this.#clock(),
          revoked_at: null,
        })
        .execute()
    })
  }

  /** Whom a token stands for; undefined where it is unknown or revoked. */
  async identify(token: string): Promise<TokenIdentity | undefined> {
    if (!looksLikeToken(token)) return undefined
    const hash = hashToken(token)
    const row = await this.#database
      .selectFrom('tokens')
      .selectAll()
      .where('hash', '=', hash)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    return row !== undefined && equalHashes(row.hash, hash) ? identityOf(row) : undefined
  }

  /** Whether a token of the role is good. */
  async hasRole(role: Role): Promise<boolean> {
    const row = await this.#database
      .selectFrom('tokens')
      .select('name')
      .where('role', '=', role)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    return row !== undefined
  }

  /** All tokens, revoked ones too, oldest first. */
  async list(): Promise<ListedToken[]> {
    const rows = await this.#database.selectFrom('tokens').selectAll().orderBy('created_at').execute()
    return rows.map((row) => ({ ...identityOf(row), createdAt: row.created_at, revokedAt: row.revoked_at }))
  }

  /** Ends a token for good. @throws ConfigurationError UNKNOWN_TOKEN */
  async revoke(name: string): Promise<void> {
    const { numUpdatedRows } = await this.#database
      .updateTable('tokens')
      .set({ revoked_at: this.#clock() })
      .where('name', '=', name)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) return
    throw new ConfigurationError('UNKNOWN_TOKEN', `there is no token named ${name}`, {
      hint: 'See dvt-exit relayer token list',
    })
  }
}

function identityOf(row: TokensTable): TokenIdentity {
  const indexes = row.share_indexes === '' ? [] : row.share_indexes.split(',')
  return { name: row.name, role: row.role, shareIndexes: indexes.map(BigInt) }
}
