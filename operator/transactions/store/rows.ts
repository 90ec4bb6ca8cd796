/** Between the database's rows and transactions. */
import type { Selectable } from 'kysely'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import type { AttemptsTable, TransactionsTable } from './schema.js'
import type { Attempt, TransactionFacts, VaultTransaction } from './transaction.js'

/** @param attempts rows of this transaction, the oldest first; none is a row that was never completed */
export function transactionOf(
  row: Selectable<TransactionsTable>,
  attempts: readonly AttemptsTable[],
): VaultTransaction | undefined {
  const [first, ...others] = attempts.map(attemptOf)
  if (first === undefined) return undefined
  return {
    ...factsOf(row),
    id: row.id,
    sender: row.sender as Hex,
    nonce: row.nonce,
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

function factsOf(row: Selectable<TransactionsTable>): TransactionFacts {
  const facts = {
    vault: row.vault as Hex,
    way: row.way,
    to: row.to_address as Hex,
    publicKeys: JSON.parse(row.public_keys) as PublicKeyHex[],
  }
  if (row.kind === 'registration') {
    // The table has all three for every registration.
    const { start_index: startIndex, registry_root: registryRoot, deadline } = row
    return {
      ...facts,
      kind: row.kind,
      startIndex: startIndex ?? 0,
      registryRoot: (registryRoot ?? '0x') as Hex,
      deadline: BigInt(deadline ?? 0),
    }
  }
  const managerNonce = row.manager_nonce === null ? undefined : BigInt(row.manager_nonce)
  return { ...facts, kind: row.kind, managerNonce }
}

/** The columns of what a transaction is of. */
export function factsRow(facts: TransactionFacts) {
  const isRegistration = facts.kind === 'registration'
  return {
    kind: facts.kind,
    vault: facts.vault,
    way: facts.way,
    to_address: facts.to,
    public_keys: JSON.stringify(facts.publicKeys),
    start_index: isRegistration ? facts.startIndex : null,
    registry_root: isRegistration ? facts.registryRoot : null,
    deadline: isRegistration ? Number(facts.deadline) : null,
    manager_nonce: isRegistration || facts.managerNonce === undefined ? null : String(facts.managerNonce),
  }
}

export function attemptRow(transactionId: number, attempt: Attempt): AttemptsTable {
  return {
    hash: attempt.hash,
    transaction_id: transactionId,
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
