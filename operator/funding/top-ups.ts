/** Which compounding validators are topped up, and with how much: pure (chain.md, "How many validators"). */
import type { PublicKeyHex } from '../../core/hex.js'
import type { KeyAmount } from '../../core/vault/managed-bytes.js'

export interface TopUpInput {
  /** Gwei, what is on its way included. */
  readonly balances: ReadonlyMap<PublicKeyHex, bigint>
  /** What the vault can spend, in Gwei of the unit that validators count in. */
  readonly gwei: bigint
  /** Gwei: validators are filled up to it. */
  readonly maxBalance: bigint
  /** Gwei: less room than that, or less to spend, is not worth a deposit. */
  readonly minDeposit: bigint
}

/** The highest balance first, each filled as far as what is left allows. */
export function planTopUps({ balances, gwei, maxBalance, minDeposit }: TopUpInput): readonly KeyAmount[] {
  const byBalance = [...balances].sort(([, a], [, b]) => (a > b ? -1 : a < b ? 1 : 0))
  const topUps: KeyAmount[] = []
  let left = gwei
  for (const [publicKey, balance] of byBalance) {
    if (left < minDeposit) break
    const room = maxBalance - balance
    if (room < minDeposit) continue
    const amount = room < left ? room : left
    topUps.push({ publicKey, amount })
    left -= amount
  }
  return topUps
}
