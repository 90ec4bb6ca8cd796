/** The validators manager of vaults, as far as the relayer signs for it. */
import { decodeFunctionResult, encodeFunctionData, isAddressEqual, numberToHex } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { BeaconClient } from '../../core/clients/beacon.js'
import type { ExecutionClient } from '../../core/clients/execution.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import { withdrawalCredentials } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import { vaultAbi } from '../../core/vault/abi.js'
import {
  type Consolidation,
  consolidationBytes,
  fundingBytes,
  type KeyAmount,
  withdrawalBytes,
} from '../../core/vault/managed-bytes.js'
import { managerTypedData } from '../../core/vault/signatures.js'
import { isAmbiguousLength } from '../../core/vault/validator-bytes.js'
import { RegistrationRefusal } from './refusal.js'

export interface ManagerParts {
  readonly network: Network
  readonly account: PrivateKeyAccount
  readonly execution: Pick<ExecutionClient, 'call'>
  readonly beacon: Pick<BeaconClient, 'validatorStatuses'>
}

/** Gwei. */
const MIN_DEPOSIT = 1_000_000_000n

export class ValidatorsManager {
  readonly #parts: ManagerParts

  constructor(parts: ManagerParts) {
    this.#parts = parts
  }

  get address(): Hex {
    return this.#parts.account.address
  }

  /**
   * Over a registration.
   * @param registryRoot of the deposit contract, 32 bytes
   * @param validators their bytes
   * @throws RegistrationRefusal NOT_THE_MANAGER; what the execution client throws
   */
  async signRegistration(vault: Hex, registryRoot: Hex, validators: Hex): Promise<Hex> {
    await this.#assertManager(vault)
    return this.#sign(vault, registryRoot, validators)
  }

  /** Over top-ups of compounding validators of the vault. Throws as signWithdrawals does. */
  async signFunding(vault: Hex, amounts: readonly KeyAmount[]): Promise<Hex> {
    if (isAmbiguousLength('0x02', amounts.length)) {
      throw new RegistrationRefusal('WRONG_COUNT', `the contract takes no ${amounts.length} top-ups at once`)
    }
    const tooLittle = amounts.find(({ amount }) => amount < MIN_DEPOSIT)
    if (tooLittle !== undefined) {
      throw new RegistrationRefusal(
        'WRONG_AMOUNT',
        `amounts: ${tooLittle.amount} Gwei for ${shorten(tooLittle.publicKey)}; the deposit contract takes ${MIN_DEPOSIT} or more`,
      )
    }
    await this.#assertOwn(vault, keysOf(amounts), ['0x02'])
    return this.#signOverNonce(vault, fundingBytes(vault, amounts))
  }

  /**
   * Over withdrawals, or exits where the amount is 0, of validators of the vault.
   * @throws RegistrationRefusal FOREIGN_VALIDATOR, NOT_THE_MANAGER; what the clients throw
   */
  async signWithdrawals(vault: Hex, amounts: readonly KeyAmount[]): Promise<Hex> {
    await this.#assertOwn(vault, keysOf(amounts), ['0x01', '0x02'])
    return this.#signOverNonce(vault, withdrawalBytes(amounts))
  }

  /** Over consolidations within the vault; into itself a validator becomes compounding. Throws as signWithdrawals. */
  async signConsolidations(vault: Hex, consolidations: readonly Consolidation[]): Promise<Hex> {
    const targets = consolidations.filter(({ source, target }) => source !== target)
    await this.#assertOwn(
      vault,
      consolidations.map(({ source }) => source),
      ['0x01', '0x02'],
    )
    await this.#assertOwn(
      vault,
      targets.map(({ target }) => target),
      ['0x02'],
    )
    return this.#signOverNonce(vault, consolidationBytes(consolidations))
  }

  async #signOverNonce(vault: Hex, validators: Hex): Promise<Hex> {
    await this.#assertManager(vault)
    const nonce = (await this.#read(vault, 'validatorsManagerNonce')) as bigint
    return this.#sign(vault, numberToHex(nonce, { size: 32 }), validators)
  }

  #sign(vault: Hex, validatorsRegistryRoot: Hex, validators: Hex): Promise<Hex> {
    const { network, account } = this.#parts
    return account.signTypedData(managerTypedData(network, vault, { validatorsRegistryRoot, validators }))
  }

  async #assertManager(vault: Hex): Promise<void> {
    const manager = (await this.#read(vault, 'validatorsManager')) as Hex
    if (isAddressEqual(manager, this.address)) return
    throw new RegistrationRefusal(
      'NOT_THE_MANAGER',
      `the validators manager of ${vault} is ${manager}, this relayer’s key is of ${this.address}`,
    )
  }

  async #assertOwn(
    vault: Hex,
    publicKeys: readonly PublicKeyHex[],
    types: readonly ('0x01' | '0x02')[],
  ): Promise<void> {
    const allowed: Hex[] = types.map((type) => withdrawalCredentials(type, vault))
    const statuses = await this.#parts.beacon.validatorStatuses([...new Set(publicKeys)])
    const credentials = new Map(statuses.map((status) => [status.publicKey, status.withdrawalCredentials]))
    for (const publicKey of publicKeys) {
      const own = credentials.get(publicKey)
      if (own !== undefined && allowed.includes(own)) continue
      const reason = own === undefined ? 'is no validator yet' : `has withdrawal credentials ${own}`
      throw new RegistrationRefusal(
        'FOREIGN_VALIDATOR',
        `${shorten(publicKey)} ${reason}; the vault’s are ${allowed.join(' or ')}`,
      )
    }
  }

  async #read(vault: Hex, functionName: 'validatorsManager' | 'validatorsManagerNonce'): Promise<unknown> {
    const data = await this.#parts.execution.call(vault, encodeFunctionData({ abi: vaultAbi, functionName }))
    return decodeFunctionResult({ abi: vaultAbi, functionName, data })
  }
}

function keysOf(amounts: readonly KeyAmount[]): PublicKeyHex[] {
  return amounts.map(({ publicKey }) => publicKey)
}
