/** The entries of the deposit data that come next, as the file's order and the chain say. */
import type { PublicKeyHex } from '../../core/hex.js'
import {
  isUsable,
  type UnusableDeposit,
  type VaultDeposit,
  type VaultDeposits,
} from '../deposit-data/vault-deposits.js'

/** Which of the keys were deposited before. */
export type KnownKeys = (publicKeys: readonly PublicKeyHex[]) => Promise<readonly PublicKeyHex[]>

/** How many entries are looked at in one go. */
const PAGE = 64

/**
 * The entries from a position on in their order: the contract takes no others. One whose key was deposited
 * already is unusable.
 */
export async function entriesInOrder(
  deposits: VaultDeposits,
  start: number,
  count: number,
  knownKeys: KnownKeys,
): Promise<(VaultDeposit | UnusableDeposit)[]> {
  const positions = range(start, Math.min(deposits.length, start + count))
  const known = new Set(await knownKeys(positions.map((position) => deposits.publicKey(position))))
  return deposits.check(positions).map((entry) => {
    const publicKey = deposits.publicKey(entry.position)
    if (!known.has(publicKey)) return entry
    const problem = 'its key was deposited before, and registering it again would send its stake there twice'
    return { position: entry.position, publicKey, problem }
  })
}

/**
 * The first entries whose keys were not deposited yet.
 * @param settled keys that were deposited long ago: they are not asked about again
 */
export async function entriesNotDeposited(
  deposits: VaultDeposits,
  count: number,
  knownKeys: KnownKeys,
  settled: ReadonlySet<PublicKeyHex>,
): Promise<(VaultDeposit | UnusableDeposit)[]> {
  const found: (VaultDeposit | UnusableDeposit)[] = []
  let usable = 0
  const open = range(0, deposits.length).filter((position) => !settled.has(deposits.publicKey(position)))
  for (let start = 0; start < open.length && usable < count; start += PAGE) {
    const positions = open.slice(start, start + PAGE)
    const known = new Set(await knownKeys(positions.map((position) => deposits.publicKey(position))))
    const fresh = positions.filter((position) => !known.has(deposits.publicKey(position)))
    const entries = deposits.check(fresh)
    usable += entries.filter(isUsable).length
    found.push(...entries)
  }
  return found
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i)
}
