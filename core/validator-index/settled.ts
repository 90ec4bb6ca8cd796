import type { PublicKeyHex } from '../hex.js'
import type { PinnedBlock } from './deposit-log.js'

/** Which validators there are, and will be, from the deposits up to a finalized execution block. */
export interface SettledDeposits {
  readonly block: PinnedBlock
  /** How many: the next key with a valid deposit after the block gets this index. */
  readonly count: number
  /** Those of the keys that are in the count: another deposit of theirs takes no index. */
  counted(publicKeys: readonly PublicKeyHex[]): Promise<ReadonlySet<PublicKeyHex>>
  /** Those of the keys that have a validator or a deposit that waits, with a valid signature or not. */
  known(publicKeys: readonly PublicKeyHex[]): Promise<ReadonlySet<PublicKeyHex>>
}
