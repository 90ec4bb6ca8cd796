/** `POST /register`: the next validators of a vault, their signatures, and the manager's word. */
import { concatHex } from 'viem'
import { Conditions } from '../../core/conditions.js'
import type { Hex } from '../../core/hex.js'
import { stringifyJson } from '../../core/json.js'
import { isActivationAmount, type ValidatorType, withdrawalCredentials } from '../../core/messages/deposit.js'
import type { OraclesSource } from '../../core/oracles/source.js'
import type { Outlook } from '../../core/validator-index/predictor.js'
import { validatorBytes } from '../../core/vault/validator-bytes.js'
import type { CollectedValidator, ValidatorService } from '../validators/service.js'
import type { AuditedItem, AuditOutcome, ManagerAudit } from './audit.js'
import { type Choices, type ChosenValidator, planChoice } from './choices.js'
import type { DepositSigners } from './deposit-signers.js'
import type { ValidatorsManager } from './manager.js'
import type { PublicKeyPool } from './pool.js'
import { RegistrationRefusal } from './refusal.js'
import type { StartIndexes } from './start-indexes.js'

export interface RegistrationRequest {
  /** In lower case. */
  readonly vault: Hex
  readonly startIndex: number
  /** Gwei. */
  readonly amounts: readonly bigint[]
  readonly type: ValidatorType
}

export interface RegistrationAnswer {
  readonly validators: readonly CollectedValidator[]
  readonly managerSignature: Hex | undefined
  /** What a person should know. */
  readonly detail: string | undefined
}

export interface RegistrationsParts {
  readonly vaults: readonly Hex[]
  readonly pool: Pick<PublicKeyPool, 'keysOf'>
  readonly choices: Choices
  readonly manager: Pick<ValidatorsManager, 'signRegistration'> | undefined
  /** The next index with the deposit root, and which of some keys have a deposit, all at one block. */
  readonly startIndexes: StartIndexes<Outlook>
  readonly oracles: OraclesSource
  readonly validators: Pick<ValidatorService, 'requestValidators'>
  readonly depositSigners: Pick<DepositSigners, 'describeMissing'>
  readonly audit: Pick<ManagerAudit, 'note'>
}

interface Choice {
  readonly chosen: readonly ChosenValidator[]
  /** Whether the pool has as many keys as were asked for. */
  readonly isWhole: boolean
  readonly outlook: Outlook
}

export class Registrations {
  readonly #parts: RegistrationsParts
  readonly #noted = new Conditions()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: RegistrationsParts) {
    this.#parts = parts
  }

  /**
   * The same arguments are answered with the same validators until these have their deposit.
   * @param caller who asks, for the audit
   * @throws RegistrationRefusal; what the chain's clients and the ValidatorService throw
   */
  async register(request: RegistrationRequest, caller: string): Promise<RegistrationAnswer> {
    const { vaults, validators } = this.#parts
    try {
      assertVault(request.vault, vaults)
      assertAmounts(request)
      const choice = await this.#inTurn(() => this.#choose(request))
      const { chosen, outlook } = choice
      const wanted = chosen.map(({ publicKey, vault, type, amount }, i) => ({
        publicKey,
        validatorIndex: request.startIndex + i,
        deposit: { vault, type, amount },
      }))
      const collected = wanted.length === 0 ? [] : await validators.requestValidators(wanted)
      const managerSignature = await this.#sign(request, outlook, collected)
      await this.#note(request, caller, chosen, managerSignature === undefined ? 'asked' : 'signed')
      return { validators: collected, managerSignature, detail: await this.#describe(choice, collected) }
    } catch (error) {
      if (error instanceof RegistrationRefusal) {
        const items = request.amounts.map((amount) => ({ amount }))
        await this.#note(request, caller, items, error.refusal)
      }
      throw error
    }
  }

  /** One request after the other: none may choose what another is choosing. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #choose(request: RegistrationRequest): Promise<Choice> {
    const { choices, pool, oracles, startIndexes, vaults } = this.#parts
    const limit = (await oracles.current()).validatorsApprovalBatchLimit ?? request.amounts.length
    const all = (await choices.all()).filter(({ vault }) => vaults.includes(vault))
    const pooled = pool.keysOf(request.vault)
    const asked = new Set([...all.map(({ publicKey }) => publicKey), ...pooled])
    const outlook = await startIndexes.check(request.startIndex, [...asked])
    const known = new Set(outlook.known)
    await choices.forget(all.flatMap(({ publicKey }) => (known.has(publicKey) ? publicKey : [])))
    const left = all.filter(({ publicKey }) => !known.has(publicKey))
    const taken = new Set(left.map(({ publicKey }) => publicKey))
    const inPool = new Set(pooled)
    const before = left.filter(({ vault, publicKey }) => vault === request.vault && inPool.has(publicKey))
    const free = pooled.filter((publicKey) => !known.has(publicKey) && !taken.has(publicKey))
    const amounts = request.amounts.slice(0, limit)
    const chosen = planChoice(before, free, { ...request, amounts })
    await choices.keep(chosen.filter((choice, i) => !isSameChoice(choice, before[i])))
    return { chosen, isWhole: before.length + free.length >= amounts.length, outlook }
  }

  /** Only when all is there, and for the root that the index holds for: another one would revert. */
  async #sign(
    { vault, type, startIndex }: RegistrationRequest,
    { index, depositRoot }: Outlook,
    collected: readonly CollectedValidator[],
  ): Promise<Hex | undefined> {
    const { manager } = this.#parts
    if (manager === undefined || collected.length === 0 || index !== startIndex) return undefined
    const bytes = collected.flatMap(({ publicKey, deposit, depositSignature, oracleShares }) => {
      if (depositSignature === null || oracleShares === null) return []
      const { amount } = deposit
      const credentials = withdrawalCredentials(type, vault)
      return validatorBytes(type, {
        publicKey,
        withdrawalCredentials: credentials,
        amount,
        signature: depositSignature,
      })
    })
    if (bytes.length < collected.length) return undefined
    return manager.signRegistration(vault, depositRoot, concatHex(bytes))
  }

  async #describe(
    { isWhole }: Choice,
    collected: readonly CollectedValidator[],
  ): Promise<string | undefined> {
    const reasons = [
      isWhole ? undefined : 'the pool has no more keys for this vault that were never deposited',
      this.#parts.manager === undefined ? 'this relayer has no VALIDATORS_MANAGER_KEY_FILE' : undefined,
      await this.#parts.depositSigners.describeMissing(collected),
    ].filter((reason) => reason !== undefined)
    return reasons.length === 0 ? undefined : reasons.join('; ')
  }

  /** Once for each outcome: an operator asks again and again. */
  async #note(
    { vault, startIndex }: RegistrationRequest,
    caller: string,
    chosen: readonly AuditedItem[],
    outcome: AuditOutcome,
  ): Promise<void> {
    const items = chosen.map(({ publicKey, amount }) => ({ publicKey, amount }))
    const content = stringifyJson([outcome, startIndex, items])
    const name = `${caller} ${vault}`
    if (this.#noted.lasts(name, content)) return
    await this.#parts.audit.note({ call: 'register', caller, vault, items }, outcome)
    this.#noted.begins(name, content)
  }
}

/** @throws RegistrationRefusal UNKNOWN_VAULT */
export function assertVault(vault: Hex, vaults: readonly Hex[]): void {
  if (vaults.includes(vault)) return
  const known = vaults.length === 0 ? 'VAULTS is not set' : `VAULTS are ${vaults.join(', ')}`
  throw new RegistrationRefusal('UNKNOWN_VAULT', `this relayer does nothing for the vault ${vault}: ${known}`)
}

function assertAmounts({ amounts, type }: RegistrationRequest): void {
  const wrong = amounts.find((amount) => !isActivationAmount(type, amount))
  if (wrong === undefined) return
  const expected = type === '0x01' ? '32 ETH' : 'from 32 to 2048 ETH'
  throw new RegistrationRefusal(
    'WRONG_AMOUNT',
    `amounts: ${wrong} Gwei; a validator of type ${type} has ${expected}`,
  )
}

function isSameChoice(a: ChosenValidator, b: ChosenValidator | undefined): boolean {
  return a.publicKey === b?.publicKey && a.type === b.type && a.amount === b.amount
}
