/** The entries of the deposit data that come next, as the file's order and the chain say. */
import type { PublicKeyHex } from '../../core/hex.js'
import {
  isUsable,
  type UnusableDeposit,
  type VaultDeposit,
  type VaultDeposits,
} from '../deposit-data/vault-deposits.js'
import type { Way } from '../vault/way.js'

/** Which of the keys were deposited before. */
export type KnownKeys = (publicKeys: readonly PublicKeyHex[]) => Promise<readonly PublicKeyHex[]>

/** Deposit data whose entries are checked. */
export type CheckedEntries = Pick<VaultDeposits, 'length' | 'publicKey' | 'check'>

/** The same entries, of which those are unusable that the vault does not take in the way that it registers. */
export function entriesForWay(deposits: CheckedEntries, way: Way): CheckedEntries {
  if (way.kind === 'manager' && way.compounding) return deposits
  return {
    length: deposits.length,
    publicKey: (position) => deposits.publicKey(position),
    check: (positions) => deposits.check(positions).map(unlessCompounding),
  }
}

function unlessCompounding(entry: VaultDeposit | UnusableDeposit): VaultDeposit | UnusableDeposit {
  if (!isUsable(entry) || entry.type === '0x01') return entry
  const { position, deposit } = entry
  return {
    position,
    publicKey: deposit.publicKey,
    problem: 'it is of type 0x02, and this vault takes only 0x01 in the way that it registers',
  }
}

/** How many entries are looked at in one go, at first and later. */
const FIRST_PAGE = 64
const PAGE = 1000

/**
 * The entries from a position on in their order: the contract takes no others. One whose key was deposited
 * already is unusable.
 */
export async function entriesInOrder(
  deposits: CheckedEntries,
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

/** The first entries whose keys were not deposited yet: at least so many usable ones, if there are. */
export async function entriesNotDeposited(
  deposits: CheckedEntries,
  count: number,
  knownKeys: KnownKeys,
): Promise<(VaultDeposit | UnusableDeposit)[]> {
  const found: (VaultDeposit | UnusableDeposit)[] = []
  let usable = 0
  for (let start = 0; start < deposits.length && usable < count; ) {
    const end = Math.min(deposits.length, start + (start === 0 ? FIRST_PAGE : PAGE))
    const positions = range(start, end)
    const known = new Set(await knownKeys(positions.map((position) => deposits.publicKey(position))))
    const entries = deposits.check(positions.filter((position) => !known.has(deposits.publicKey(position))))
    usable += entries.filter(isUsable).length
    found.push(...entries)
    start = end
  }
  return found
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i)
}
