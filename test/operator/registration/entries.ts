/** Entries as they come out of the check, for what plans with them. */
import type { Hex } from '../../../core/hex.js'
import type { ValidatorType } from '../../../core/messages/deposit.js'
import type { UnusableDeposit, VaultDeposit } from '../../../operator/deposit-data/vault-deposits.js'

export const ETH = 1_000_000_000n

const keyAt = (position: number): Hex => `0x${(position + 1).toString(16).padStart(96, '0')}`

/** An entry that fits; its bytes stand for themselves. */
export function usable(position: number, type: ValidatorType = '0x01', amount = 32n * ETH): VaultDeposit {
  const publicKey = keyAt(position)
  const deposit = {
    publicKey,
    amount,
    signature: `0x${'22'.repeat(96)}` as Hex,
    withdrawalCredentials: `${type}${'00'.repeat(31)}` as Hex,
  }
  return { position, type, deposit, bytes: `0x${position.toString(16).padStart(4, '0')}` }
}

export function unusable(position: number, problem = 'something is wrong'): UnusableDeposit {
  return { position, publicKey: keyAt(position), problem }
}

/** So many that fit, from position 0 on. */
export function several(count: number, type: ValidatorType = '0x01', amount = 32n * ETH): VaultDeposit[] {
  return Array.from({ length: count }, (_, position) => usable(position, type, amount))
}
