/** Registrations as the store gives them. */
import type { Registration } from '../../../operator/transactions/store/transaction.js'

const GWEI = 1_000_000_000n

/** A mined one of two validators. */
export function mined(changes: Partial<Registration> = {}): Registration {
  return {
    kind: 'registration',
    id: 1,
    sender: `0x${'5e'.repeat(20)}`,
    nonce: 0,
    vault: `0x${'ba'.repeat(20)}`,
    way: 'manager',
    to: `0x${'ba'.repeat(20)}`,
    publicKeys: [`0x${'aa'.repeat(48)}`, `0x${'bb'.repeat(48)}`],
    startIndex: 2000,
    registryRoot: `0x${'11'.repeat(32)}`,
    deadline: 1_800_000_600n,
    createdAt: 1_800_000_000,
    state: 'mined',
    block: { number: 77n, hash: `0x${'77'.repeat(32)}` },
    minedHash: `0x${'cc'.repeat(32)}`,
    gasUsed: 100_000n,
    indexChecked: false,
    failure: undefined,
    attempts: [
      {
        hash: `0x${'cc'.repeat(32)}`,
        raw: '0x02',
        fees: { maxFeePerGas: 4n * GWEI, maxPriorityFeePerGas: GWEI },
        createdAt: 1_800_000_000,
      },
    ],
    ...changes,
  }
}
