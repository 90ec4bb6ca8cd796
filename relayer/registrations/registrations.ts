/** `POST /register`: the next validators of a vault, their signatures, and the manager's word. */
import { concatHex } from 'viem'
import { Conditions } from '../../core/conditions.js'
import { type Hex, shorten } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { type ValidatorType, withdrawalCredentials } from '../../core/messages/deposit.js'
import type { OraclesSource } from '../../core/oracles/source.js'
import type { Outlook } from '../../core/validator-index/predictor.js'
import { validatorBytes } from '../../core/vault/validator-bytes.js'
import type { ListedExit } from '../exits/service.js'
import type { CollectedValidator, ValidatorService } from '../validators/service.js'
import { type Choices, type ChosenValidator, planChoice } from './choices.js'
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
  readonly pool: PublicKeyPool
  readonly choices: Choices
  readonly manager: ValidatorsManager | undefined
  /** The next index with the deposit root, and which of some keys have a deposit, all at one block. */
  readonly startIndexes: StartIndexes<Outlook>
  readonly oracles: OraclesSource
  readonly validators: Pick<ValidatorService, 'requestValidators' | 'listValidators'>
  readonly exits: { listExits(): Promise<readonly ListedExit[]> }
  /** Seconds since 1970. */
  readonly clock: () => number
  readonly logger: Logger
}

const ETH_32 = 32_000_000_000n
const ETH_2048 = 2_048_000_000_000n
/** Seconds in which nodes that sign exits would have signed deposits too. */
const DEPOSITS_DUE = 120

export class Registrations {
  readonly #parts: RegistrationsParts
  readonly #told = new Conditions()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: RegistrationsParts) {
    this.#parts = parts
  }

  /**
   * The same arguments are answered with the same validators until these have their deposit.
   * @param caller who asks, for the line about what was signed
   * @throws RegistrationRefusal; what the chain's clients and the ValidatorService throw
   */
  async register(request: RegistrationRequest, caller: string): Promise<RegistrationAnswer> {
    const { manager, validators } = this.#parts
    assertVault(request.vault, this.#parts.vaults)
    assertAmounts(request)
    const { chosen, outlook } = await this.#inTurn(() => this.#choose(request))
    const wanted = chosen.map(({ publicKey, vault, type, amount }, i) => ({
      publicKey,
      validatorIndex: request.startIndex + i,
      deposit: { vault, type, amount },
    }))
    const collected = wanted.length === 0 ? [] : await validators.requestValidators(wanted)
    const managerSignature = await this.#sign(request, outlook, collected)
    if (manager === undefined) this.#tellMissingKey()
    if (managerSignature !== undefined) this.#tellSigned(request, collected, caller)
    return { validators: collected, managerSignature, detail: await this.#detail(collected) }
  }

  /** One request after the other: none may choose what another is choosing. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #choose(request: RegistrationRequest): Promise<{ chosen: ChosenValidator[]; outlook: Outlook }> {
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
    const chosen = planChoice(before, free, { ...request, amounts: request.amounts.slice(0, limit) })
    await choices.keep(chosen.filter((choice, i) => !isSameChoice(choice, before[i])))
    return { chosen, outlook }
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

  /** Dialect 1 cannot ask for deposits: a cluster whose sidecars speak only that never finishes. */
  async #detail(collected: readonly CollectedValidator[]): Promise<string | undefined> {
    const open = new Set(
      collected.flatMap(({ publicKey, depositSignature }) => (depositSignature === null ? publicKey : [])),
    )
    if (open.size === 0) return undefined
    const { validators, exits, clock, logger } = this.#parts
    const signedExits = new Set(
      (await exits.listExits()).flatMap((exit) => (exit.shareIndexesReady.length > 0 ? exit.publicKey : [])),
    )
    const stuck = (await validators.listValidators()).filter(
      ({ publicKey, createdAt, shareIndexesReady }) =>
        open.has(publicKey) &&
        shareIndexesReady.length === 0 &&
        signedExits.has(publicKey) &&
        clock() - createdAt > DEPOSITS_DUE,
    )
    if (stuck.length === 0) {
      this.#told.ends('stuck')
      return undefined
    }
    const detail = `nodes have signed the exits of ${stuck.length} validators and not their deposits: no sidecar of the cluster speaks dialect 2, or none may sign deposits for the vault`
    if (this.#told.begins('stuck', stuck.map(({ publicKey }) => publicKey).join())) logger.warn(detail)
    return detail
  }

  /** Once for each set of validators and index: an operator asks again until it has registered them. */
  #tellSigned(
    { vault, startIndex }: RegistrationRequest,
    collected: readonly CollectedValidator[],
    caller: string,
  ): void {
    const items = collected
      .map(({ publicKey, deposit }) => `${shorten(publicKey)}: ${deposit.amount} Gwei`)
      .join(', ')
    if (!this.#told.begins(`signed ${vault}`, `${caller} ${startIndex} ${items}`)) return
    const fields = { audit: true, call: 'register', vault, caller, startIndex, items }
    this.#parts.logger.info(fields, `the validators manager signed for ${caller}`)
  }

  #tellMissingKey(): void {
    if (!this.#told.begins('manager')) return
    this.#parts.logger.warn(
      'an operator registers validators, and there is no VALIDATORS_MANAGER_KEY_FILE: it gets no manager’s signature',
    )
  }
}

/** @throws RegistrationRefusal UNKNOWN_VAULT */
export function assertVault(vault: Hex, vaults: readonly Hex[]): void {
  if (vaults.includes(vault)) return
  const known = vaults.length === 0 ? 'VAULTS is not set' : `VAULTS are ${vaults.join(', ')}`
  throw new RegistrationRefusal('UNKNOWN_VAULT', `this relayer does nothing for the vault ${vault}: ${known}`)
}

function assertAmounts({ amounts, type }: RegistrationRequest): void {
  const most = type === '0x01' ? ETH_32 : ETH_2048
  const wrong = amounts.find((amount) => amount < ETH_32 || amount > most)
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
