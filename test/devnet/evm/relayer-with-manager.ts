/** A relayer of dialects 1 and 4 with the validators' whole keys and the validators manager's, which only a test has. */
import { concatHex, numberToHex } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { z } from 'zod'
import { bls } from '../../../core/bls/backend.js'
import { type Hex, type PublicKeyHex, toHex } from '../../../core/hex.js'
import {
  depositSigningRoot,
  type ValidatorType,
  withdrawalCredentials,
} from '../../../core/messages/deposit.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { amountsRequest, consolidateRequest, registerRequest } from '../../../core/wire/dialect4.js'
import { secretKeyOf } from '../deposits.js'
import type { DoubleAnswer, DoubleRequest } from '../http-double.js'
import {
  detailOf,
  parsedOrNothing,
  RelayerWithKeys,
  type RelayerWithKeysOptions,
} from './relayer-with-keys.js'

export interface RelayerWithManagerOptions extends RelayerWithKeysOptions {
  readonly vault: Hex
  readonly manager: PrivateKeyAccount
  /** What it sees of the chain. */
  readonly depositRoot: () => Promise<Hex>
  readonly managerNonce: () => Promise<bigint>
  readonly isKnown: (publicKey: PublicKeyHex) => Promise<boolean>
}

/** One validator of its answer to a registration. */
export interface OfferedByDouble {
  public_key: Hex
  amount: bigint
  deposit_signature: Hex | null
  oracles_exit_signature_shares: unknown
}

const NO_SIGNATURE: Hex = `0x${'00'.repeat(96)}`

export class RelayerWithManager extends RelayerWithKeys {
  readonly #options: RelayerWithManagerOptions
  /** Keys whose nodes have not signed the deposit. */
  readonly withheldDeposits = new Set<PublicKeyHex>()
  /** Keys that it takes for not deposited, whatever the chain says. */
  readonly overlooked = new Set<PublicKeyHex>()
  /** Changes what it offers before its manager signs. */
  beforeSigning: (validators: OfferedByDouble[]) => unknown = () => undefined
  /** Changes the manager's signature. */
  signatureGiven: (signature: Hex) => Hex | null = (signature) => signature
  /** Whom it says that it signs as; null where it says nobody. */
  named: Hex | null
  /** The start index that it counts; undefined: the right one. */
  counted: number | undefined

  constructor(options: RelayerWithManagerOptions) {
    super(options)
    this.#options = options
    this.named = options.manager.address
  }

  protected override async answer(request: DoubleRequest): Promise<DoubleAnswer> {
    const { method, path, body } = request
    if (method === 'GET' && path === '/info') {
      return { status: 200, body: { network: this.network, validators_manager_address: this.named } }
    }
    if (method !== 'POST') return super.answer(request)
    if (path === '/register') return this.#with(registerRequest, body, (asked) => this.#register(asked))
    if (path === '/fund') return this.#with(amountsRequest, body, (asked) => this.#fund(asked))
    if (path === '/withdraw') return this.#with(amountsRequest, body, (asked) => this.#withdraw(asked))
    if (path === '/consolidate') {
      return this.#with(consolidateRequest, body, (asked) => this.#consolidate(asked))
    }
    return super.answer(request)
  }

  async #with<S extends z.ZodType>(
    schema: S,
    body: string,
    answer: (asked: z.infer<S>) => Promise<DoubleAnswer>,
  ): Promise<DoubleAnswer> {
    await this.beforeAnswer()
    const request = schema.safeParse(parsedOrNothing(body))
    if (!request.success) return { status: 422, body: { detail: detailOf(request.error) } }
    return answer(request.data)
  }

  async #register(asked: z.infer<typeof registerRequest>): Promise<DoubleAnswer> {
    const { depositRoot, nextIndex } = this.#options
    const index = this.counted ?? (await nextIndex())
    if (asked.validators_start_index !== index) {
      const detail = `validators_start_index is ${asked.validators_start_index}, this relayer counts ${index}`
      return { status: 409, body: { detail } }
    }
    const keys = (await this.#pool()).slice(0, asked.amounts.length)
    const validators = keys.map((publicKey, i) =>
      this.#offer(publicKey, asked.amounts[i] ?? 0n, asked.validator_type, index + i),
    )
    await this.beforeSigning(validators)
    const isReady = validators.every(
      (one) => one.deposit_signature !== null && one.oracles_exit_signature_shares !== null,
    )
    const bytes = validators.map((one) => this.#bytesOf(asked.validator_type, one))
    const signature =
      isReady && validators.length > 0 ? await this.#sign(await depositRoot(), concatHex(bytes)) : null
    const shown = validators.map((one) => ({ ...one, amount: Number(one.amount), exit_signature: null }))
    return { status: 200, body: { validators: shown, validators_manager_signature: signature } }
  }

  /** The keys that were never deposited, in their order. */
  async #pool(): Promise<PublicKeyHex[]> {
    const { validators, isKnown } = this.#options
    const free: PublicKeyHex[] = []
    for (const { deposit } of validators) {
      const isTaken = !this.overlooked.has(deposit.publicKey) && (await isKnown(deposit.publicKey))
      if (!isTaken) free.push(deposit.publicKey)
    }
    return free
  }

  #offer(publicKey: PublicKeyHex, amount: bigint, type: ValidatorType, index: number): OfferedByDouble {
    const signature = this.withheldDeposits.has(publicKey)
      ? null
      : this.depositSignature(publicKey, amount, type)
    return {
      public_key: publicKey,
      amount,
      deposit_signature: signature,
      oracles_exit_signature_shares: this.partsOf(publicKey, index),
    }
  }

  /** The validator's own signature over its deposit. */
  depositSignature(publicKey: PublicKeyHex, amount: bigint, type: ValidatorType): Hex {
    const { network, vault, validators } = this.#options
    const made = validators.find(({ deposit }) => deposit.publicKey === publicKey)
    const message = { publicKey, amount, withdrawalCredentials: withdrawalCredentials(type, vault) }
    const root = depositSigningRoot(network, message)
    return toHex(bls.encodeSignature(bls.sign(secretKeyOf(made?.name ?? ''), root)))
  }

  #bytesOf(type: ValidatorType, { public_key, amount, deposit_signature }: OfferedByDouble): Hex {
    return validatorBytes(type, {
      publicKey: public_key,
      amount,
      withdrawalCredentials: withdrawalCredentials(type, this.#options.vault),
      signature: deposit_signature ?? NO_SIGNATURE,
    })
  }

  #fund({ public_keys, amounts }: z.infer<typeof amountsRequest>): Promise<DoubleAnswer> {
    const bytes = public_keys.map((public_key, i) =>
      this.#bytesOf('0x02', {
        public_key,
        amount: amounts[i] ?? 0n,
        deposit_signature: NO_SIGNATURE,
        oracles_exit_signature_shares: null,
      }),
    )
    return this.#signWithNonce(bytes)
  }

  #withdraw({ public_keys, amounts }: z.infer<typeof amountsRequest>): Promise<DoubleAnswer> {
    return this.#signWithNonce(
      public_keys.map((key, i) => concatHex([key, numberToHex(amounts[i] ?? 0n, { size: 8 })])),
    )
  }

  #consolidate({
    source_public_keys,
    target_public_keys,
  }: z.infer<typeof consolidateRequest>): Promise<DoubleAnswer> {
    return this.#signWithNonce(
      source_public_keys.map((source, i) => concatHex([source, target_public_keys[i] ?? '0x'])),
    )
  }

  async #signWithNonce(bytes: readonly Hex[]): Promise<DoubleAnswer> {
    const nonce = numberToHex(await this.#options.managerNonce(), { size: 32 })
    const signature = await this.#sign(nonce, concatHex(bytes))
    return { status: 200, body: { validators_manager_signature: signature } }
  }

  async #sign(rootOrNonce: Hex, validators: Hex): Promise<Hex | null> {
    const { network, vault, manager } = this.#options
    const message = { validatorsRegistryRoot: rootOrNonce, validators }
    return this.signatureGiven(await manager.signTypedData(managerTypedData(network, vault, message)))
  }
}
