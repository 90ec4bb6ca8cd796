/** Which validators the vault can register now, or why none. */
import { formatGwei, formatUnits } from 'viem'
import { Conditions } from '../../core/conditions.js'
import { shorten } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import {
  isUsable,
  type UnusableDeposit,
  type VaultDeposit,
  type VaultDeposits,
} from '../deposit-data/vault-deposits.js'
import { NotNow } from '../not-now.js'
import { depositableGwei, type StakingRules } from '../vault/staking-rules.js'
import type { VaultReader, VaultState } from '../vault/vault-reader.js'
import type { Way } from '../vault/way.js'
import { entriesForWay, entriesInOrder, entriesNotDeposited, type KnownKeys } from './next-entries.js'
import { planRegistration } from './plan.js'

export interface BatchParts {
  readonly reader: Pick<VaultReader, 'depositData'>
  readonly rules: StakingRules
  readonly knownKeys: KnownKeys
  readonly root: (deposits: VaultDeposits) => string
  /** MIN_VALIDATORS_REGISTRATION. */
  readonly minimum: number
  readonly logger: Logger
}

const WEI_DECIMALS = 18

export class BatchSelection {
  readonly #parts: BatchParts
  readonly #named = new Conditions()

  constructor(parts: BatchParts) {
    this.#parts = parts
  }

  /**
   * The next batch, in the order of registration.
   * @param batchLimit the protocol config's validators_approval_batch_limit
   * @throws NotNow with the reason why there is none
   */
  async next(
    deposits: VaultDeposits,
    state: VaultState & { readonly way: Way },
    batchLimit: number,
  ): Promise<readonly VaultDeposit[]> {
    const { rules, minimum } = this.#parts
    const ordered = state.way.kind !== 'manager'
    const candidates = await this.candidates(deposits, state.way, Math.max(batchLimit, minimum))
    this.#nameWrong(deposits, candidates)
    const plan = planRegistration({
      candidates,
      ordered,
      gwei: depositableGwei(rules, state.assets),
      batchLimit,
      minimum,
    })
    switch (plan.kind) {
      case 'register':
        return plan.deposits
      case 'nothing-left':
        throw new NotNow('NO_KEYS_LEFT', `every entry of ${deposits.source} was registered`, {
          hint: 'Add entries to DEPOSIT_DATA_FILE, and accept their root where the vault has deposit data',
        })
      case 'blocked':
        throw new NotNow(
          'ENTRY_UNUSABLE',
          `entry ${plan.entry.position} of ${deposits.source} (${shorten(plan.entry.publicKey)}) cannot be registered: ${plan.entry.problem}`,
          {
            level: 'warn',
            hint: ordered ? 'The vault takes no later entry before it' : 'No other entry is left',
          },
        )
      case 'too-few-assets':
        throw new NotNow(
          'TOO_FEW_ASSETS',
          `the vault has ${formatUnits(state.assets, WEI_DECIMALS)} ${rules.token} for validators, the next one (entry ${plan.next.position}) takes ${this.#price(plan.next)}`,
        )
      case 'below-minimum':
        throw new NotNow(
          'BELOW_MINIMUM',
          `the vault can register ${plan.count} validators now, fewer than MIN_VALIDATORS_REGISTRATION (${minimum})`,
        )
    }
  }

  /** The entries that come next, wrong ones included. @throws NotNow DEPOSIT_DATA_ROOT, NO_DEPOSIT_DATA */
  async candidates(
    deposits: VaultDeposits,
    way: Way,
    count: number,
  ): Promise<(VaultDeposit | UnusableDeposit)[]> {
    const { knownKeys, reader } = this.#parts
    const entries = entriesForWay(deposits, way)
    if (way.kind === 'manager') return entriesNotDeposited(entries, count, knownKeys)
    const { root, index } = await reader.depositData(way)
    this.#compareRoots(deposits, root)
    return entriesInOrder(entries, index, count, knownKeys)
  }

  #compareRoots(deposits: VaultDeposits, expected: string): void {
    if (/^0x0*$/.test(expected)) {
      throw new NotNow('NO_DEPOSIT_DATA', 'the vault has no deposit data root yet', {
        level: 'warn',
        hint: `Its deposit data manager must set ${this.#parts.root(deposits)}, the root of ${deposits.source}`,
      })
    }
    const own = this.#parts.root(deposits)
    if (own === expected) return
    throw new NotNow(
      'DEPOSIT_DATA_ROOT',
      `the root of ${deposits.source} is ${own}, the vault has accepted ${expected}`,
      {
        level: 'warn',
        hint: 'Give the file that the vault’s deposit data manager accepted, whole and in its order',
      },
    )
  }

  #nameWrong(deposits: VaultDeposits, candidates: readonly (VaultDeposit | UnusableDeposit)[]): void {
    for (const entry of candidates) {
      if (isUsable(entry) || !this.#named.begins(entry.publicKey, entry.problem)) continue
      this.#parts.logger.warn(
        `entry ${entry.position} of ${deposits.source} (${shorten(entry.publicKey)}) is left out: ${entry.problem}`,
      )
    }
  }

  #price({ deposit }: VaultDeposit): string {
    const { unit, token, perAsset } = this.#parts.rules
    const inUnit = `${formatGwei(deposit.amount)} ${unit}`
    return perAsset === 1n ? inUnit : `${inUnit} (${formatGwei(deposit.amount / perAsset)} ${token})`
  }
}
