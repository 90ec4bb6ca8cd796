/** Between the database's rows and registrations. */
import type { Selectable } from 'kysely'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import type { Attempt, Registration } from './registration.js'
import type { AttemptsTable, RegistrationsTable } from './schema.js'

/** @param attempts rows of this registration, the oldest first; none is a row that was never completed */
export function registrationOf(
  row: Selectable<RegistrationsTable>,
  attempts: readonly AttemptsTable[],
): Registration | undefined {
  const [first, ...others] = attempts.map(attemptOf)
  if (first === undefined) return undefined
  return {
    id: row.id,
    sender: row.sender as Hex,
    nonce: row.nonce,
    vault: row.vault as Hex,
    way: row.way,
    to: row.to_address as Hex,
    publicKeys: JSON.parse(row.public_keys) as PublicKeyHex[],
    startIndex: row.start_index,
    registryRoot: row.registry_root as Hex,
    deadline: BigInt(row.deadline),
    createdAt: row.created_at,
    state: row.state,
    block:
      row.block_number === null
        ? undefined
        : { number: BigInt(row.block_number), hash: (row.block_hash ?? undefined) as Hex | undefined },
    minedHash: (row.mined_hash ?? undefined) as Hex | undefined,
    gasUsed: row.gas_used === null ? undefined : BigInt(row.gas_used),
    indexChecked: row.index_checked === 1,
    failure: row.failure ?? undefined,
    attempts: [first, ...others],
  }
}

export function attemptRow(registrationId: number, attempt: Attempt): AttemptsTable {
  return {
    hash: attempt.hash,
    registration_id: registrationId,
    raw: attempt.raw,
    max_fee: String(attempt.fees.maxFeePerGas),
    max_priority_fee: String(attempt.fees.maxPriorityFeePerGas),
    created_at: attempt.createdAt,
  }
}

function attemptOf(row: AttemptsTable): Attempt {
  return {
    hash: row.hash as Hex,
    raw: row.raw as Hex,
    fees: { maxFeePerGas: BigInt(row.max_fee), maxPriorityFeePerGas: BigInt(row.max_priority_fee) },
    createdAt: row.created_at,
  }
}
