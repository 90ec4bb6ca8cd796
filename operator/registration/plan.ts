/** Which validators are registered next: pure, so that every limit can be tried in a test. */
import { sendableCount } from '../../core/vault/validator-bytes.js'
import { isUsable, type UnusableDeposit, type VaultDeposit } from '../deposit-data/vault-deposits.js'

export interface PlanInput {
  /** From the next position on, without those that were deposited where others may go first. */
  readonly candidates: readonly (VaultDeposit | UnusableDeposit)[]
  /** Whether the contract takes entries in the file's order alone, so that a wrong one stops all after it. */
  readonly ordered: boolean
  /** What the vault can spend, in Gwei of the unit that validators count in. */
  readonly gwei: bigint
  /** The protocol config's validators_approval_batch_limit. */
  readonly batchLimit: number
  /** Fewer than that are not worth a transaction to the operator. */
  readonly minimum: number
}

export type Plan =
  | { readonly kind: 'register'; readonly deposits: readonly VaultDeposit[] }
  | { readonly kind: 'blocked'; readonly entry: UnusableDeposit }
  | { readonly kind: 'nothing-left' }
  | { readonly kind: 'too-few-assets'; readonly next: VaultDeposit }
  | { readonly kind: 'below-minimum'; readonly count: number }

/**
 * Takes deposits in their order while the assets last, of one type, as many as one registration can hold.
 */
export function planRegistration(input: PlanInput): Plan {
  const { batchLimit, minimum } = input
  const { taken, stop } = takeInOrder(input, Math.max(batchLimit, minimum))
  if (taken.length === 0) return stop ?? { kind: 'nothing-left' }
  if (taken.length < minimum) return { kind: 'below-minimum', count: taken.length }
  return { kind: 'register', deposits: sendable(taken.slice(0, batchLimit)) }
}

type Stop = Extract<Plan, { kind: 'blocked' | 'too-few-assets' }>

function takeInOrder(
  { candidates, ordered, gwei }: PlanInput,
  most: number,
): { taken: VaultDeposit[]; stop: Stop | undefined } {
  const taken: VaultDeposit[] = []
  let left = gwei
  let wrong: Stop | undefined
  for (const entry of candidates) {
    if (taken.length === most) break
    if (!isUsable(entry)) {
      if (ordered) return { taken, stop: { kind: 'blocked', entry } }
      wrong ??= { kind: 'blocked', entry }
      continue
    }
    // A vault reads all validators of one call as of one type.
    if (taken[0] !== undefined && taken[0].type !== entry.type) break
    if (entry.deposit.amount > left) return { taken, stop: { kind: 'too-few-assets', next: entry } }
    left -= entry.deposit.amount
    taken.push(entry)
  }
  return { taken, stop: wrong }
}

/** What the contract refuses to take with the others goes next time. */
function sendable(deposits: readonly VaultDeposit[]): readonly VaultDeposit[] {
  const [first] = deposits
  return first === undefined ? [] : deposits.slice(0, sendableCount(first.type, deposits.length))
}
