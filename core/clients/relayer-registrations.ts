/** The client of a relayer that speaks dialect 4: it chooses validators and signs as the vault's validators manager. */
import type { Hex, PublicKeyHex } from '../hex.js'
import { stringifyJson } from '../json.js'
import type { ValidatorType } from '../messages/deposit.js'
import type { Consolidation, KeyAmount } from '../vault/managed-bytes.js'
import { infoAnswer } from '../wire/dialect2.js'
import { managerSignatureAnswer, registerAnswer } from '../wire/dialect4.js'
import { type OracleParts, readOracleParts } from './relayer.js'
import type { RelayerConnection } from './relayer-connection.js'
import { oneLine } from './relayer-errors.js'

export interface RelayerInfo {
  /** The name of the network that the relayer works for. */
  readonly network: string
  /** Whom it signs as; undefined where it names nobody. In lower case. */
  readonly validatorsManager: Hex | undefined
}

/** Validators that are wanted: the i-th amount and `startIndex + i` are the i-th one's. */
export interface RegistrationRequest {
  readonly vault: Hex
  readonly startIndex: number
  /** Gwei. */
  readonly amounts: readonly bigint[]
  readonly type: ValidatorType
}

export interface OfferedValidator {
  readonly publicKey: PublicKeyHex
  /** Gwei; what was asked for or less. */
  readonly amount: bigint
  /** 96 bytes; undefined until the nodes have signed. */
  readonly depositSignature: Hex | undefined
  /** undefined until the nodes have signed. */
  readonly oracleParts: OracleParts | undefined
}

export interface RegistrationOffer {
  readonly validators: readonly OfferedValidator[]
  /** 65 bytes, over the registry root and the validators' bytes; undefined until all is there. */
  readonly managerSignature: Hex | undefined
  /** What the relayer says about it, one line; undefined where it says nothing. */
  readonly detail: string | undefined
}

const MAX_DETAIL = 500

/** Every call throws RelayerError where the relayer refuses, UnavailableError where it does not answer as one does. */
export class RelayerRegistrations {
  readonly #connection: RelayerConnection

  constructor(connection: RelayerConnection) {
    this.#connection = connection
  }

  /** The relayer's origin, for logs: never its credentials. */
  get shown(): string {
    return this.#connection.shown
  }

  async info(): Promise<RelayerInfo> {
    const { network, validators_manager_address: manager } = await this.#connection.call(infoAnswer, {
      method: 'GET',
      path: '/info',
    })
    return { network, validatorsManager: manager ?? undefined }
  }

  /** Asks for the next validators with their signatures; asking again is how to poll. */
  async register({ vault, startIndex, amounts, type }: RegistrationRequest): Promise<RegistrationOffer> {
    const path = '/register'
    const { validators, validators_manager_signature, detail } = await this.#connection.call(registerAnswer, {
      method: 'POST',
      path,
      body: stringifyJson({
        vault: vault.toLowerCase(),
        validators_start_index: startIndex,
        amounts,
        validator_type: type,
      }),
    })
    return {
      validators: validators.map((validator) => ({
        publicKey: validator.public_key,
        amount: validator.amount,
        depositSignature: validator.deposit_signature ?? undefined,
        oracleParts:
          readOracleParts(this.#connection, `POST ${path}`, validator.oracles_exit_signature_shares) ??
          undefined,
      })),
      managerSignature: validators_manager_signature ?? undefined,
      detail: detail ? oneLine(detail).slice(0, MAX_DETAIL) : undefined,
    }
  }

  /**
   * The manager's signature for topping validators up.
   * @returns 65 bytes over the vault's nonce and the validators' bytes; undefined where the relayer gives none
   */
  fund(vault: Hex, amounts: readonly KeyAmount[]): Promise<Hex | undefined> {
    return this.#sign('/fund', amountsBody(vault, amounts))
  }

  /** The same for taking amounts out of validators, 0 for an exit. */
  withdraw(vault: Hex, amounts: readonly KeyAmount[]): Promise<Hex | undefined> {
    return this.#sign('/withdraw', amountsBody(vault, amounts))
  }

  /** The same for moving validators' balances. */
  consolidate(vault: Hex, consolidations: readonly Consolidation[]): Promise<Hex | undefined> {
    return this.#sign('/consolidate', {
      vault: vault.toLowerCase(),
      source_public_keys: consolidations.map(({ source }) => source),
      target_public_keys: consolidations.map(({ target }) => target),
    })
  }

  async #sign(path: string, body: unknown): Promise<Hex | undefined> {
    const request = { method: 'POST', path, body: stringifyJson(body) } as const
    const { validators_manager_signature } = await this.#connection.call(managerSignatureAnswer, request)
    return validators_manager_signature ?? undefined
  }
}

function amountsBody(vault: Hex, amounts: readonly KeyAmount[]) {
  return {
    vault: vault.toLowerCase(),
    public_keys: amounts.map(({ publicKey }) => publicKey),
    amounts: amounts.map(({ amount }) => amount),
  }
}
