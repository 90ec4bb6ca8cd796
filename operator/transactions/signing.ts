import { keccak256, parseTransaction } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Hex } from '../../core/hex.js'
import type { Fees } from './fees.js'

/** What all attempts of one transaction have in common. */
export interface TransactionContent {
  readonly to: Hex
  readonly data: Hex
  /** Wei. */
  readonly value: bigint
  readonly gas: bigint
  readonly nonce: number
}

/** Signs an EIP-1559 transaction. */
export async function signTransaction(
  account: PrivateKeyAccount,
  chainId: number,
  { to, data, value, gas, nonce }: TransactionContent,
  { maxFeePerGas, maxPriorityFeePerGas }: Fees,
): Promise<{ readonly hash: Hex; readonly raw: Hex }> {
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId,
    nonce,
    to: to.toLowerCase() as Hex,
    data,
    gas,
    value,
    maxFeePerGas,
    maxPriorityFeePerGas,
  })
  return { hash: keccak256(raw), raw }
}

/** What signTransaction was given. */
export function contentOf(raw: Hex): TransactionContent {
  const { to, data = '0x', value = 0n, gas = 0n, nonce = 0 } = parseTransaction(raw)
  if (to === undefined || to === null) throw new Error('a transaction of the agent has a receiver')
  return { to, data, value, gas, nonce }
}
