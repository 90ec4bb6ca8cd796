/** Who gives the validators manager's word for existing validators: a key that is here, or the relayer. */
import { isAddressEqual, numberToHex } from 'viem'
import type { RelayerRegistrations } from '../../core/clients/relayer-registrations.js'
import type { Hex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import {
  type Consolidation,
  consolidationBytes,
  fundingBytes,
  type KeyAmount,
  withdrawalBytes,
} from '../../core/vault/managed-bytes.js'
import { managerTypedData } from '../../core/vault/signatures.js'
import { NotNow } from '../not-now.js'
import { assertManager, type Keys } from '../registration/authority.js'
import { checkManagerSignature } from './signature.js'

/** What is to be done with validators that there are. */
export type ManagedRequest =
  | { readonly kind: 'funding'; readonly amounts: readonly KeyAmount[] }
  | { readonly kind: 'withdrawal'; readonly amounts: readonly KeyAmount[] }
  | { readonly kind: 'consolidation'; readonly consolidations: readonly Consolidation[] }

/** For which vault, as it is now. */
export interface ManagedVault {
  readonly network: Network
  readonly vault: Hex
  /** Its validators manager. */
  readonly manager: Hex
  /** Its validatorsManagerNonce. */
  readonly nonce: bigint
}

export interface ManagerSigner {
  /**
   * @returns 65 bytes; undefined where the sender is the manager, whose word the vault does not want signed
   * @throws NotNow where there is no such signature
   */
  sign(request: ManagedRequest, vault: ManagedVault): Promise<Hex | undefined>
}

/** The bytes that the manager signs and the vault takes. */
export function managedBytes(vault: Hex, request: ManagedRequest): Hex {
  switch (request.kind) {
    case 'funding':
      return fundingBytes(vault, request.amounts)
    case 'withdrawal':
      return withdrawalBytes(request.amounts)
    case 'consolidation':
      return consolidationBytes(request.consolidations)
  }
}

/** The manager's key is here. */
export class OwnManager implements ManagerSigner {
  readonly #keys: Keys

  constructor(keys: Keys) {
    this.#keys = keys
  }

  /** @throws NotNow NOT_THE_MANAGER */
  async sign(
    request: ManagedRequest,
    { network, vault, manager, nonce }: ManagedVault,
  ): Promise<Hex | undefined> {
    assertManager(this.#keys, manager)
    if (isAddressEqual(this.#keys.wallet.address, manager)) return undefined
    const message = {
      validatorsRegistryRoot: numberToHex(nonce, { size: 32 }),
      validators: managedBytes(vault, request),
    }
    return this.#keys.manager.signTypedData(managerTypedData(network, vault, message))
  }
}

/** The relayer has it. What it gives is checked. */
export class RelayerManager implements ManagerSigner {
  readonly #relayer: Pick<RelayerRegistrations, 'fund' | 'withdraw' | 'consolidate' | 'shown'>

  constructor(relayer: Pick<RelayerRegistrations, 'fund' | 'withdraw' | 'consolidate' | 'shown'>) {
    this.#relayer = relayer
  }

  /** @throws NotNow NO_MANAGER_SIGNATURE, WRONG_MANAGER_SIGNATURE; what the relayer's client throws */
  async sign(request: ManagedRequest, { network, vault, manager, nonce }: ManagedVault): Promise<Hex> {
    const { kind } = request
    const signature = await this.#ask(vault, request)
    if (signature === undefined) {
      throw new NotNow(
        'NO_MANAGER_SIGNATURE',
        `the relayer ${this.#relayer.shown} gives no validators manager signature for the ${kind}`,
        { level: 'warn' },
      )
    }
    const rootOrNonce = numberToHex(nonce, { size: 32 })
    const validators = managedBytes(vault, request)
    return checkManagerSignature({ network, vault, manager, rootOrNonce, validators }, signature, {
      what: `the relayer’s validators manager signature for the ${kind}`,
      hint: `Its key may be another one, or its node may see another nonce than ${nonce}`,
    })
  }

  #ask(vault: Hex, request: ManagedRequest): Promise<Hex | undefined> {
    switch (request.kind) {
      case 'funding':
        return this.#relayer.fund(vault, request.amounts)
      case 'withdrawal':
        return this.#relayer.withdraw(vault, request.amounts)
      case 'consolidation':
        return this.#relayer.consolidate(vault, request.consolidations)
    }
  }
}
