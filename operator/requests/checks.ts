/** Whether the consensus layer would do what is asked: it ignores wrong requests, whose fee is lost. Pure. */
import type { ValidatorStatus } from '../../core/clients/beacon.js'
import { DvtExitError } from '../../core/errors.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import { MAX_EFFECTIVE_BALANCE, withdrawalCredentials } from '../../core/messages/deposit.js'
import type { Consolidation, KeyAmount } from '../../core/vault/managed-bytes.js'

/** What the beacon node says of some validators, and whose they have to be. */
export interface CheckedValidators {
  readonly vault: Hex
  readonly statuses: readonly ValidatorStatus[]
}

/** @throws DvtExitError INVALID_REQUEST */
export function checkWithdrawals(amounts: readonly KeyAmount[], checked: CheckedValidators): void {
  refuseRepeated(amounts.map(({ publicKey }) => publicKey))
  for (const { publicKey, amount } of amounts) {
    const { isCompounding } = activeOfVault(publicKey, checked)
    if (amount > 0n && !isCompounding) {
      throw invalid(`${shorten(publicKey)} is of type 0x01, which can only exit as a whole (--amount 0)`)
    }
  }
}

/** @throws DvtExitError INVALID_REQUEST */
export function checkConsolidations(
  consolidations: readonly Consolidation[],
  checked: CheckedValidators,
): void {
  refuseRepeated(consolidations.map(({ source }) => source))
  const sources = new Set(consolidations.map(({ source }) => source))
  const balances = new Map<PublicKeyHex, bigint>()
  for (const { source, target } of consolidations) {
    const from = activeOfVault(source, checked)
    const to = activeOfVault(target, checked)
    if (source === target) {
      if (from.isCompounding) throw invalid(`${shorten(source)} is compounding already`)
      continue
    }
    if (!to.isCompounding) {
      throw invalid(`the target ${shorten(target)} is of type 0x01: make it compounding first`)
    }
    if (sources.has(target)) throw invalid(`the target ${shorten(target)} is a source too`)
    const balance = (balances.get(target) ?? to.balance) + from.balance
    if (balance > MAX_EFFECTIVE_BALANCE['0x02']) {
      throw invalid(
        `the target ${shorten(target)} would have ${balance} Gwei, more than ${MAX_EFFECTIVE_BALANCE['0x02']}`,
      )
    }
    balances.set(target, balance)
  }
}

function activeOfVault(publicKey: PublicKeyHex, { vault, statuses }: CheckedValidators) {
  const found = statuses.find((one) => one.publicKey === publicKey)
  if (found === undefined) throw invalid(`the beacon node knows no validator ${shorten(publicKey)}`)
  const { status, balance } = found
  const isCompounding = found.withdrawalCredentials === withdrawalCredentials('0x02', vault)
  if (!isCompounding && found.withdrawalCredentials !== withdrawalCredentials('0x01', vault)) {
    throw invalid(
      `${shorten(publicKey)} is not this vault’s: its withdrawal credentials are ${found.withdrawalCredentials}`,
    )
  }
  if (status !== 'active_ongoing') {
    throw invalid(`${shorten(publicKey)} is ${status}, only an active validator can do that`)
  }
  return { isCompounding, balance }
}

function refuseRepeated(keys: readonly PublicKeyHex[]): void {
  const repeated = keys.find((key, i) => keys.indexOf(key) < i)
  if (repeated !== undefined) throw invalid(`${shorten(repeated)} is named twice`)
}

function invalid(problem: string): DvtExitError {
  return new DvtExitError('INVALID_REQUEST', problem, { hint: 'Nothing was sent' })
}
