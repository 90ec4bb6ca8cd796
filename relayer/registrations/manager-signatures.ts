/** What operators let the validators manager sign beside registrations; each with a line about who asked for what. */
import type { Hex } from '../../core/hex.js'
import type { Consolidation, KeyAmount } from '../../core/vault/managed-bytes.js'
import type { AuditedRequest, ManagerAudit } from './audit.js'
import type { ValidatorsManager } from './manager.js'
import { RegistrationRefusal } from './refusal.js'
import { assertVault } from './registrations.js'

export interface ManagerSignaturesParts {
  readonly vaults: readonly Hex[]
  readonly manager: ValidatorsManager | undefined
  readonly audit: Pick<ManagerAudit, 'note'>
}

/** Every call throws RegistrationRefusal where it is not granted, and what the chain's clients throw. */
export class ManagerSignatures {
  readonly #parts: ManagerSignaturesParts

  constructor(parts: ManagerSignaturesParts) {
    this.#parts = parts
  }

  async fund(vault: Hex, amounts: readonly KeyAmount[], caller: string): Promise<Hex> {
    return this.#signed({ call: 'fund', vault, caller, items: amounts }, (manager) =>
      manager.signFunding(vault, amounts),
    )
  }

  async withdraw(vault: Hex, amounts: readonly KeyAmount[], caller: string): Promise<Hex> {
    return this.#signed({ call: 'withdraw', vault, caller, items: amounts }, (manager) =>
      manager.signWithdrawals(vault, amounts),
    )
  }

  async consolidate(vault: Hex, consolidations: readonly Consolidation[], caller: string): Promise<Hex> {
    const items = consolidations.map(({ source, target }) => ({ publicKey: source, target }))
    return this.#signed({ call: 'consolidate', vault, caller, items }, (manager) =>
      manager.signConsolidations(vault, consolidations),
    )
  }

  /** Noted before the signature leaves, and where it is refused. */
  async #signed(request: AuditedRequest, sign: (manager: ValidatorsManager) => Promise<Hex>): Promise<Hex> {
    const { vaults, manager, audit } = this.#parts
    try {
      assertVault(request.vault, vaults)
      if (manager === undefined) {
        throw new RegistrationRefusal('NO_MANAGER_KEY', 'this relayer has no VALIDATORS_MANAGER_KEY_FILE')
      }
      const signature = await sign(manager)
      await audit.note(request, 'signed')
      return signature
    } catch (error) {
      if (error instanceof RegistrationRefusal) await audit.note(request, error.refusal)
      throw error
    }
  }
}
