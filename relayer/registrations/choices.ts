/** Which validators were chosen for a vault, and with which amounts: kept until they have their deposit. */
import type { Kysely } from 'kysely'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { ExitsSchema } from '../store/schema.js'

export interface ChosenValidator {
  readonly publicKey: PublicKeyHex
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei. */
  readonly amount: bigint
}

/**
 * Plans a choice: what was chosen stays in its order, with its amount as long as that is not above the one that is
 * asked for now; what is missing comes from the free keys. A pure function of what is stored.
 * @param before what was chosen for this vault and type, the oldest first
 * @param free keys of the pool that nobody has chosen, in its order
 */
export function planChoice(
  before: readonly ChosenValidator[],
  free: readonly PublicKeyHex[],
  asked: { readonly vault: Hex; readonly type: ValidatorType; readonly amounts: readonly bigint[] },
): ChosenValidator[] {
  const keys = [...before.map(({ publicKey }) => publicKey), ...free]
  return asked.amounts.slice(0, keys.length).flatMap((amount, i) => {
    const publicKey = keys[i]
    if (publicKey === undefined) return []
    const kept = before[i]?.amount
    const { vault, type } = asked
    return { publicKey, vault, type, amount: kept !== undefined && kept <= amount ? kept : amount }
  })
}

export class Choices {
  readonly #database: Kysely<ExitsSchema>

  constructor(database: Kysely<ExitsSchema>) {
    this.#database = database
  }

  /** All that is chosen, the oldest first. */
  async all(): Promise<ChosenValidator[]> {
    const rows = await this.#database
      .selectFrom('chosen_validators')
      .selectAll()
      .orderBy('chosen_order')
      .execute()
    return rows.map((row) => ({
      publicKey: row.public_key,
      vault: row.vault,
      type: row.validator_type,
      amount: BigInt(row.amount),
    }))
  }

  /** Keeps choices: new ones behind all others, the amounts of earlier ones as they are now. */
  async keep(chosen: readonly ChosenValidator[]): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const { highest } = await transaction
        .selectFrom('chosen_validators')
        .select((expression) => expression.fn.max('chosen_order').as('highest'))
        .executeTakeFirstOrThrow()
      let order = Number(highest ?? 0)
      for (const { publicKey, vault, type, amount } of chosen) {
        order += 1
        await transaction
          .insertInto('chosen_validators')
          .values({
            public_key: publicKey,
            vault,
            validator_type: type,
            amount: String(amount),
            chosen_order: order,
          })
          .onConflict((conflict) => conflict.column('public_key').doUpdateSet({ amount: String(amount) }))
          .execute()
      }
    })
  }

  /** These have their deposit. */
  async forget(publicKeys: readonly PublicKeyHex[]): Promise<void> {
    for (const publicKey of publicKeys) {
      await this.#database.deleteFrom('chosen_validators').where('public_key', '=', publicKey).execute()
    }
  }
}
