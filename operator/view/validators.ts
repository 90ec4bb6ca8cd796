/** What `operator validators` tells: every entry of the deposit data with its state. */
import { formatGwei } from 'viem'
import type { BeaconClient } from '../../core/clients/beacon.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import type { DepositDataFile } from '../deposit-data/deposit-data-file.js'
import { isUsable } from '../deposit-data/vault-deposits.js'
import type { OperatorStore } from '../transactions/store/store.js'

export interface ValidatorsParts {
  readonly depositData: Pick<DepositDataFile, 'deposits'>
  readonly beacon: Pick<BeaconClient, 'validatorStatuses'>
  readonly predictor: Pick<ValidatorIndexPredictor, 'knownKeys'>
  readonly store: Pick<OperatorStore, 'inFlight'>
}

/**
 * registered: in the beacon chain's registry. deposited: its deposit waits there. sent: in a transaction that
 * is not mined. waiting: to be registered. unusable: cannot be.
 */
export type EntryState = 'registered' | 'deposited' | 'sent' | 'waiting' | 'unusable'

export interface EntryView {
  readonly position: number
  readonly publicKey: PublicKeyHex
  /** Gwei. */
  readonly amount: bigint
  readonly type: ValidatorType | null
  readonly state: EntryState
  /** The validator's index, where it has one. */
  readonly index: number | null
  /** The beacon chain's word for a validator's state, or what is wrong with the entry. */
  readonly detail: string | null
}

/** @throws DvtExitError where nodes do not answer or the deposit data cannot be read */
export async function readValidators({
  depositData,
  beacon,
  predictor,
  store,
}: ValidatorsParts): Promise<EntryView[]> {
  const deposits = await depositData.deposits()
  const keys = deposits.entries.map(({ publicKey }) => publicKey)
  const [statuses, known, flights] = await Promise.all([
    beacon.validatorStatuses(keys),
    predictor.knownKeys(keys),
    store.inFlight(),
  ])
  const validators = new Map(statuses.map((status) => [status.publicKey, status]))
  const deposited = new Set(known)
  const sent = new Set<Hex>(flights.flatMap(({ publicKeys }) => publicKeys))
  const checked = deposits.check(keys.map((_, position) => position))
  return deposits.entries.map(({ publicKey, amount }, position) => {
    const entry = checked[position]
    const usable = entry !== undefined && isUsable(entry)
    const fields = {
      position,
      publicKey,
      amount,
      type: usable ? entry.type : null,
      index: null,
      detail: null,
    }
    const validator = validators.get(publicKey)
    if (validator !== undefined) {
      return { ...fields, state: 'registered', index: validator.index, detail: validator.status }
    }
    if (deposited.has(publicKey)) return { ...fields, state: 'deposited' }
    if (entry !== undefined && !isUsable(entry))
      return { ...fields, state: 'unusable', detail: entry.problem }
    return { ...fields, state: sent.has(publicKey) ? 'sent' : 'waiting' }
  })
}

/** For a person, one line an entry. */
export function describeValidators(entries: readonly EntryView[]): string {
  return entries
    .map(({ position, publicKey, amount, type, state, index, detail }) =>
      [
        String(position).padStart(5),
        publicKey,
        (type ?? '').padEnd(4),
        formatGwei(amount).padStart(6),
        state.padEnd(10),
        index === null ? '' : String(index),
        detail ?? '',
      ]
        .join(' ')
        .trimEnd(),
    )
    .join('\n')
}
