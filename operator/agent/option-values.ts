import { getAddress } from 'viem'
import { parseAddress } from '../../core/address.js'
import type { Hex } from '../../core/hex.js'
import { activationAmounts, isActivationAmount } from '../../core/messages/deposit.js'

const MIN_DEPOSIT = 1_000_000_000n

/** An account's or contract's address, as it is shown to people (EIP-55). */
export const address = (value: string): Hex => getAddress(parseAddress(value))

/** Gwei with up to nine decimals, as wei. */
export const gwei = (value: string): bigint => {
  const [, whole, decimals = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(value) ?? []
  const wei = whole === undefined ? 0n : BigInt(whole + decimals.padEnd(9, '0'))
  if (wei > 0n) return wei
  throw new Error(`expected Gwei, more than 0, got "${value}"`)
}

/** A 0x02 validator's balance: a whole number of Gwei from 32 to 2048 ETH (mGNO). */
export const validatorBalance = (value: string): bigint => {
  const amount = wholeGwei(value)
  if (isActivationAmount('0x02', amount)) return amount
  throw new Error(`expected ${activationAmounts('0x02')} Gwei, got "${value}"`)
}

/** What a deposit can be: a whole number of Gwei, at least 1 ETH (mGNO), as the deposit contract asks for. */
export const depositAmount = (value: string): bigint => {
  const amount = wholeGwei(value)
  if (amount >= MIN_DEPOSIT) return amount
  throw new Error(`expected at least ${MIN_DEPOSIT} Gwei, got "${value}"`)
}

/** A whole number of Gwei. */
export const wholeGwei = (value: string): bigint => {
  if (/^\d{1,18}$/.test(value)) return BigInt(value)
  throw new Error(`expected a whole number of Gwei, got "${value}"`)
}
