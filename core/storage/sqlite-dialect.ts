import { type Dialect, type Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { SqliteDriver, type SqliteDriverParts } from './sqlite-driver.js'

/** SQLite over libsql, with changes of the schema in transactions too. */
export class AtomicSqliteDialect implements Dialect {
  readonly #parts: SqliteDriverParts

  constructor(parts: SqliteDriverParts) {
    this.#parts = parts
  }

  createDriver(): SqliteDriver {
    return new SqliteDriver(this.#parts)
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): SqliteAdapter {
    return new AtomicAdapter()
  }

  createIntrospector(database: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(database)
  }
}

/** SQLite can undo changes of the schema: a process killed among the migrations leaves none of them behind. */
class AtomicAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
