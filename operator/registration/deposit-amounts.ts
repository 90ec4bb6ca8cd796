/** How many validators the vault's assets make, and with how much each: pure (chain.md, "How many validators"). */
import { MIN_ACTIVATION_BALANCE, type ValidatorType } from '../../core/messages/deposit.js'

export interface DepositAmountsInput {
  readonly type: ValidatorType
  /** What the vault can spend, in Gwei of the unit that validators count in. */
  readonly gwei: bigint
  /** MAX_VALIDATOR_BALANCE_GWEI: 0x02 validators get no more. */
  readonly maxBalance: bigint
}

/** The amounts of as many validators as the assets make, in Gwei: of type 0x02 the last is what is left. */
export function depositAmounts({ type, gwei, maxBalance }: DepositAmountsInput): readonly bigint[] {
  const piece = type === '0x01' ? MIN_ACTIVATION_BALANCE : maxBalance
  const whole = Array.from({ length: Number(gwei / piece) }, () => piece)
  const rest = gwei % piece
  return type === '0x02' && rest >= MIN_ACTIVATION_BALANCE ? [...whole, rest] : whole
}
