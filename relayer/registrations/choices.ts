/** Which validators were chosen for a vault, and with which amounts: kept until they have their deposit. */
import type { Kysely } from 'kysely'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import { sendableCount } from '../../core/vault/validator-bytes.js'
import type { ExitsSchema } from '../store/schema.js'

export interface ChosenValidator {
  readonly publicKey: PublicKeyHex
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei. */
  readonly amount: bigint
}

export interface AskedValidators {
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei. */
  readonly amounts: readonly bigint[]
}

/**
 * Plans a choice: what was chosen stays in its order, with its amount as long as that is not above the one that is
 * asked for now; what is missing comes from the free keys. A pure function of what is stored.
 * @param before what was chosen for this vault, the oldest first
 * @param free keys of the pool that nobody has chosen, in its order
 * @returns as many as there are keys; one fewer where the contract refuses batches of that length
 */
export function planChoice(
  before: readonly ChosenValidator[],
  free: readonly PublicKeyHex[],
  { vault, type, amounts }: AskedValidators,
): ChosenValidator[] {
  const keys = [...before.map(({ publicKey }) => publicKey), ...free].slice(0, amounts.length)
  return keys.slice(0, sendableCount(type, keys.length)).map((publicKey, i) => {
    const kept = before[i]?.type === type ? before[i].amount : undefined
    const asked = amounts[i] ?? 0n
    return { publicKey, vault, type, amount: kept !== undefined && kept <= asked ? kept : asked }
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

  /** Keeps choices: new ones behind all others, what was asked of earlier ones as it is now. */
  async keep(chosen: readonly ChosenValidator[]): Promise<void> {
    if (chosen.length === 0) return
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
          .onConflict((conflict) =>
            conflict
              .column('public_key')
              .doUpdateSet({ vault, validator_type: type, amount: String(amount) }),
          )
          .execute()
      }
    })
  }

  /** These have their deposit. */
  async forget(publicKeys: readonly PublicKeyHex[]): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      for (const publicKey of publicKeys) {
        await transaction.deleteFrom('chosen_validators').where('public_key', '=', publicKey).execute()
      }
    })
  }
}
