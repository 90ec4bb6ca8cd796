/** How many validators the vault's assets make, and with how much each: pure (chain.md, "How many validators"). */
import type { ValidatorType } from '../../core/messages/deposit.js'
import { isAmbiguousLength } from '../../core/vault/validator-bytes.js'

/** Gwei of the unit that validators count in. */
export const MIN_VALIDATOR_BALANCE = 32_000_000_000n
export const MOST_VALIDATOR_BALANCE = 2_048_000_000_000n

export interface DepositAmountsInput {
  readonly type: ValidatorType
  /** What the vault can spend, in Gwei of the unit that validators count in. */
  readonly gwei: bigint
  /** MAX_VALIDATOR_BALANCE_GWEI: 0x02 validators get no more. */
  readonly maxBalance: bigint
}

/** The amounts of as many validators as the assets make, in Gwei: of type 0x02 the last is what is left. */
export function depositAmounts({ type, gwei, maxBalance }: DepositAmountsInput): readonly bigint[] {
  const piece = type === '0x01' ? MIN_VALIDATOR_BALANCE : maxBalance
  const whole = Array.from({ length: Number(gwei / piece) }, () => piece)
  const rest = gwei % piece
  return type === '0x02' && rest >= MIN_VALIDATOR_BALANCE ? [...whole, rest] : whole
}

/** As many of them as one registration can hold: the contract refuses some numbers. */
export function sendableCount(type: ValidatorType, count: number, batchLimit: number): number {
  const most = Math.min(count, batchLimit)
  return isAmbiguousLength(type, most) ? most - 1 : most
}
