import { keccak256, parseTransaction } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Hex } from '../../core/hex.js'
import type { Fees } from './fees.js'

/** What all attempts of one registration have in common. */
export interface TransactionContent {
  readonly to: Hex
  readonly data: Hex
  readonly gas: bigint
  readonly nonce: number
}

/** Signs an EIP-1559 transaction without value. */
export async function signTransaction(
  account: PrivateKeyAccount,
  chainId: number,
  { to, data, gas, nonce }: TransactionContent,
  { maxFeePerGas, maxPriorityFeePerGas }: Fees,
): Promise<{ readonly hash: Hex; readonly raw: Hex }> {
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId,
    nonce,
    to: to.toLowerCase() as Hex,
    data,
    gas,
    value: 0n,
    maxFeePerGas,
    maxPriorityFeePerGas,
  })
  return { hash: keccak256(raw), raw }
}

/** What signTransaction was given. */
export function contentOf(raw: Hex): TransactionContent {
  const { to, data = '0x', gas = 0n, nonce = 0 } = parseTransaction(raw)
  if (to === undefined || to === null) throw new Error('a registration’s transaction has a receiver')
  return { to, data, gas, nonce }
}
