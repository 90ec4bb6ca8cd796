/** What operators let the validators manager sign beside registrations; each with a line about who asked for what. */
import type { Hex } from '../../core/hex.js'
import { shorten } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { Consolidation, KeyAmount } from '../../core/vault/managed-bytes.js'
import type { ValidatorsManager } from './manager.js'
import { RegistrationRefusal } from './refusal.js'
import { assertVault } from './registrations.js'

export interface ManagerSignaturesParts {
  readonly vaults: readonly Hex[]
  readonly manager: ValidatorsManager | undefined
  readonly logger: Logger
}

/** Every call throws RegistrationRefusal where it is not granted, and what the chain's clients throw. */
export class ManagerSignatures {
  readonly #parts: ManagerSignaturesParts

  constructor(parts: ManagerSignaturesParts) {
    this.#parts = parts
  }

  async fund(vault: Hex, amounts: readonly KeyAmount[], caller: string): Promise<Hex> {
    return this.#signed('fund', { vault, caller, items: amounts.map(describeAmount) }, (manager) =>
      manager.signFunding(vault, amounts),
    )
  }

  async withdraw(vault: Hex, amounts: readonly KeyAmount[], caller: string): Promise<Hex> {
    return this.#signed('withdraw', { vault, caller, items: amounts.map(describeAmount) }, (manager) =>
      manager.signWithdrawals(vault, amounts),
    )
  }

  async consolidate(vault: Hex, consolidations: readonly Consolidation[], caller: string): Promise<Hex> {
    const items = consolidations.map(({ source, target }) => `${shorten(source)} into ${shorten(target)}`)
    return this.#signed('consolidate', { vault, caller, items }, (manager) =>
      manager.signConsolidations(vault, consolidations),
    )
  }

  /** The line is written before the signature leaves, and where it is refused. */
  async #signed(
    call: string,
    about: { readonly vault: Hex; readonly caller: string; readonly items: readonly string[] },
    sign: (manager: ValidatorsManager) => Promise<Hex>,
  ): Promise<Hex> {
    const { vaults, manager, logger } = this.#parts
    const fields = { audit: true, call, ...about, items: about.items.join(', ') }
    try {
      assertVault(about.vault, vaults)
      if (manager === undefined) {
        throw new RegistrationRefusal('NO_MANAGER_KEY', 'this relayer has no VALIDATORS_MANAGER_KEY_FILE')
      }
      const signature = await sign(manager)
      logger.info(fields, `the validators manager signed for ${about.caller}`)
      return signature
    } catch (error) {
      if (error instanceof RegistrationRefusal) logger.warn({ ...fields, code: error.code }, error.message)
      throw error
    }
  }
}

function describeAmount({ publicKey, amount }: KeyAmount): string {
  return `${shorten(publicKey)}: ${amount} Gwei`
}
