import type { Clock } from '../../core/clock.js'
import type { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import type { VaultReader } from '../vault/vault-reader.js'
import type { VaultTransaction } from './store/transaction.js'

export interface StillGoodParts {
  readonly predictor: Pick<ValidatorIndexPredictor, 'outlook'>
  readonly reader: Pick<VaultReader, 'managerNonce'>
  readonly clock: Clock
}

/**
 * Whether a transaction that was sent would still succeed: the deposit root and the approvals' deadline, or the
 * nonce, that it was made for are still those.
 */
export async function isStillGood(
  transaction: VaultTransaction,
  { predictor, reader, clock }: StillGoodParts,
): Promise<boolean> {
  if (transaction.kind !== 'registration') {
    const { managerNonce } = transaction
    return managerNonce === undefined || managerNonce === (await reader.managerNonce())
  }
  const { depositRoot } = await predictor.outlook([])
  const inTime = transaction.deadline > BigInt(Math.floor(clock.now() / 1000))
  return depositRoot === transaction.registryRoot && inTime
}
