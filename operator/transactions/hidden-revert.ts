/** Why a multicall of a vault before version 5, or of the registry, reverts: it passes no custom error on. */
import { decodeFunctionData } from 'viem'
import { isRefusal, revertDataOf } from '../../core/clients/json-rpc.js'
import type { Hex } from '../../core/hex.js'
import { vaultAbi } from '../../core/vault/abi.js'
import { describeRevert } from '../../core/vault/revert.js'

export interface CallFrom {
  readonly from: Hex
  readonly to: Hex
  readonly data: Hex
}

/**
 * The revert data behind that of a call: where it is empty and the call is a multicall, that of the first of its
 * calls which reverts by itself. NotHarvested does not count: the harvest is one of the other calls.
 * @param data what the call itself reverted with
 * @param simulate calls a contract; throws RpcError where it reverts
 */
export async function revertBehind(
  data: Hex | undefined,
  { from, to, data: input }: CallFrom,
  simulate: (call: CallFrom) => Promise<unknown>,
): Promise<Hex | undefined> {
  if (data !== undefined && data !== '0x') return data
  for (const inner of innerCalls(input)) {
    try {
      await simulate({ from, to, data: inner })
    } catch (error) {
      if (!isRefusal(error)) throw error
      const found = revertDataOf(error)
      if (found !== undefined && found !== '0x' && describeRevert(found).name !== 'NotHarvested') return found
    }
  }
  return data
}

function innerCalls(input: Hex): readonly Hex[] {
  try {
    const { functionName, args } = decodeFunctionData({ abi: vaultAbi, data: input })
    return functionName === 'multicall' ? args[0] : []
  } catch {
    // Another function than the vault's: it is what it says.
    return []
  }
}
