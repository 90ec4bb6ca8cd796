/** The deposit data of one vault: which entries can be registered, and what is wrong with the others. */
import type { DepositDataEntry } from '../../core/deposits/deposit-data.js'
import { verifyDepositSignatures } from '../../core/deposits/deposit-data.js'
import { ConfigurationError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import {
  activationAmounts,
  isActivationAmount,
  type ValidatorType,
  withdrawalCredentials,
} from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import { type SignedDeposit, validatorBytes } from '../../core/vault/validator-bytes.js'

/** An entry that fits the vault. */
export interface VaultDeposit {
  /** From 0. */
  readonly position: number
  readonly type: ValidatorType
  readonly deposit: SignedDeposit
  /** As the vault takes it, 176 or 184 bytes. */
  readonly bytes: Hex
}

/** An entry that does not. */
export interface UnusableDeposit {
  readonly position: number
  readonly publicKey: PublicKeyHex
  /** What is wrong, as the end of a sentence about the entry. */
  readonly problem: string
}

export interface VaultDepositsOptions {
  readonly network: Network
  readonly vault: Hex
  /** The only type that the operator wants; undefined: what each entry says. */
  readonly validatorType: ValidatorType | undefined
  /** The file's name, for messages. */
  readonly source: string
}

export class VaultDeposits {
  readonly entries: readonly DepositDataEntry[]
  readonly source: string
  readonly #options: VaultDepositsOptions
  readonly #checked = new Map<number, VaultDeposit | UnusableDeposit>()

  /** @throws ConfigurationError INVALID_DEPOSIT_DATA where every entry is for another vault */
  constructor(entries: readonly DepositDataEntry[], options: VaultDepositsOptions) {
    this.entries = entries
    this.source = options.source
    this.#options = options
    const [first] = entries
    if (first !== undefined && entries.every((entry) => this.#isForeign(entry))) {
      throw new ConfigurationError(
        'INVALID_DEPOSIT_DATA',
        `${options.source} is for another vault: its withdrawal credentials are ${first.withdrawalCredentials}, the vault is ${options.vault}`,
        { hint: 'Set DEPOSIT_DATA_FILE or VAULT right' },
      )
    }
  }

  get length(): number {
    return this.entries.length
  }

  publicKey(position: number): PublicKeyHex {
    const entry = this.entries[position]
    if (entry === undefined) throw new RangeError(`no entry ${position}`)
    return entry.publicKey
  }

  /**
   * The entries at these positions, checked: withdrawal credentials, amount, signature. Each is checked once.
   * @param positions from 0, within the file
   */
  check(positions: readonly number[]): (VaultDeposit | UnusableDeposit)[] {
    const fresh = positions.filter((position) => !this.#checked.has(position))
    const judged = fresh.map((position) => this.#judge(position))
    this.#settle(judged.flatMap(({ candidates }) => candidates))
    for (const { position, problem } of judged) {
      if (this.#checked.has(position)) continue
      const publicKey = this.publicKey(position)
      const reason = problem ?? 'its deposit signature does not verify for this vault and network'
      this.#checked.set(position, { position, publicKey, problem: reason })
    }
    return positions.flatMap((position) => this.#checked.get(position) ?? [])
  }

  /** What an entry can be as far as its fields tell, or why it can be nothing. */
  #judge(position: number): { position: number; problem?: string; candidates: VaultDeposit[] } {
    const { vault, validatorType } = this.#options
    const entry = this.entries[position]
    if (entry === undefined) throw new RangeError(`no entry ${position}`)
    const refuse = (problem: string) => ({ position, problem, candidates: [] })
    const types = (['0x01', '0x02'] as const).filter(
      (type) =>
        entry.withdrawalCredentials === undefined ||
        entry.withdrawalCredentials === withdrawalCredentials(type, vault),
    )
    if (types.length === 0) {
      return refuse(`its withdrawal credentials ${entry.withdrawalCredentials} are not this vault's`)
    }
    const wanted = types.filter((type) => validatorType === undefined || type === validatorType)
    if (wanted.length === 0) return refuse(`it is of type ${types[0]}, VALIDATOR_TYPE is ${validatorType}`)
    const fitting = wanted.filter((type) => isActivationAmount(type, entry.amount))
    if (fitting.length === 0) return refuse(amountProblem(wanted, entry.amount))
    return { position, candidates: fitting.map((type) => this.#depositOf(position, type, entry)) }
  }

  #depositOf(position: number, type: ValidatorType, entry: DepositDataEntry): VaultDeposit {
    const credentials = withdrawalCredentials(type, this.#options.vault)
    const { publicKey, amount, signature } = entry
    const deposit = { publicKey, amount, signature, withdrawalCredentials: credentials }
    return { position, type, deposit, bytes: validatorBytes(type, deposit) }
  }

  /** A file without withdrawal credentials tells an entry's type by its signature alone. */
  #settle(candidates: readonly VaultDeposit[]): void {
    const verdicts = verifyDepositSignatures(
      this.#options.network,
      candidates.map(({ deposit }) => deposit),
    )
    for (const [i, candidate] of candidates.entries()) {
      if (verdicts[i] === true) this.#checked.set(candidate.position, candidate)
    }
  }

  #isForeign({ withdrawalCredentials: credentials }: DepositDataEntry): boolean {
    const { vault } = this.#options
    return (
      credentials !== undefined &&
      credentials !== withdrawalCredentials('0x01', vault) &&
      credentials !== withdrawalCredentials('0x02', vault)
    )
  }
}

export function isUsable(entry: VaultDeposit | UnusableDeposit): entry is VaultDeposit {
  return 'bytes' in entry
}

function amountProblem(types: readonly ValidatorType[], amount: bigint): string {
  const widest = types.includes('0x02') ? '0x02' : '0x01'
  return `its amount is ${amount} Gwei, expected ${activationAmounts(widest)}`
}
