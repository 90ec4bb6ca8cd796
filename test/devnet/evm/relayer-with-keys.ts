/** A relayer of dialect 1 that knows the validators' whole keys, which only a test can: exits are ready at once. */
import type { z } from 'zod'
import { bls } from '../../../core/bls/backend.js'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import {
  depositDataRoot,
  depositMessageRoot,
  depositSigningRoot,
  type ValidatorType,
  withdrawalCredentials,
} from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import type { Network } from '../../../core/network.js'
import type { SignedDeposit } from '../../../core/vault/validator-bytes.js'
import { validatorsRequest } from '../../../core/wire/dialect1.js'
import { splitAndSeal } from '../../../relayer/crypto/make-signature.js'
import { secretKeyOf } from '../deposits.js'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from '../http-double.js'
import type { Oracles } from '../oracles.js'

/** A validator whose key the test made. */
export interface MadeValidator {
  readonly name: string
  readonly type: ValidatorType
  readonly deposit: SignedDeposit
}

export interface MadeValidatorsOptions {
  readonly network: Network
  readonly vault: Hex
  readonly count: number
  readonly type?: ValidatorType
  /** Gwei; 32 ETH unless given. */
  readonly amount?: bigint
  /** What the keys' names begin with. */
  readonly prefix?: string
}

const ETH_32 = 32_000_000_000n

/** Validators with signed deposits for a vault; the same names make the same keys in every run. */
export function makeValidators(options: MadeValidatorsOptions): MadeValidator[] {
  const { network, vault, count, type = '0x01', amount = ETH_32, prefix = 'made' } = options
  return Array.from({ length: count }, (_, i) => {
    const name = `${prefix} ${i}`
    const secret = secretKeyOf(name)
    const message = {
      publicKey: toHex(bls.encodePublicKey(bls.toPublicKey(secret))),
      withdrawalCredentials: withdrawalCredentials(type, vault),
      amount,
    }
    const signature = toHex(bls.encodeSignature(bls.sign(secret, depositSigningRoot(network, message))))
    return { name, type, deposit: { ...message, signature } }
  })
}

/** A deposit data file's text, as staking tools write it: hex without 0x. */
export function depositDataOf(validators: readonly MadeValidator[]): string {
  const entries = validators.map(({ deposit }) => ({
    pubkey: deposit.publicKey.slice(2),
    withdrawal_credentials: deposit.withdrawalCredentials.slice(2),
    amount: Number(deposit.amount),
    signature: deposit.signature.slice(2),
    deposit_message_root: toHex(depositMessageRoot(deposit)).slice(2),
    deposit_data_root: toHex(depositDataRoot(deposit, fromHex(deposit.signature, 96))).slice(2),
  }))
  return JSON.stringify(entries)
}

export interface RelayerWithKeysOptions {
  readonly network: Network
  readonly oracles: Oracles
  readonly validators: readonly MadeValidator[]
  /** The index that the next validator gets. */
  readonly nextIndex: () => Promise<number>
}

interface Exit {
  readonly validatorIndex: number
  readonly publicKeys: readonly Hex[]
  readonly sealed: readonly Hex[]
}

/** `faults` makes it go away; `withheld` makes it wait for nodes. */
export class RelayerWithKeys extends HttpDouble {
  readonly #options: RelayerWithKeysOptions
  readonly #names: ReadonlyMap<PublicKeyHex, string>
  readonly #exits = new Map<PublicKeyHex, Exit>()
  /** Keys whose nodes have not signed. */
  readonly withheld = new Set<PublicKeyHex>()
  /** Called before anything is answered. */
  beforeAnswer: () => unknown = () => undefined
  /** The network that it says it works for. */
  network: string

  constructor(options: RelayerWithKeysOptions) {
    super()
    this.#options = options
    this.network = options.network.name
    this.#names = new Map(options.validators.map(({ name, deposit }) => [deposit.publicKey, name]))
  }

  protected override kindOf({ method, path }: DoubleRequest): string {
    return `${method} ${path}`
  }

  protected override async answer({ method, path, body }: DoubleRequest): Promise<DoubleAnswer> {
    await this.beforeAnswer()
    if (method === 'GET' && path === '/info') return { status: 200, body: { network: this.network } }
    if (method === 'GET' && path === '/exits') return { status: 200, body: { exits: this.#listed() } }
    if (method === 'POST' && path === '/validators') {
      const request = validatorsRequest.safeParse(parsedOrNothing(body))
      if (!request.success) return { status: 422, body: { detail: detailOf(request.error) } }
      return { status: 200, body: await this.#validators(request.data.public_keys) }
    }
    return { status: 404, body: { detail: 'Not Found' } }
  }

  async #validators(keys: z.infer<typeof validatorsRequest>['public_keys']): Promise<unknown> {
    const start = await this.#options.nextIndex()
    const validators = keys.map(({ asked, publicKey }, i) => {
      return { public_key: asked, oracles_exit_signature_shares: this.partsOf(publicKey, start + i) }
    })
    return { ready: validators.every((one) => one.oracles_exit_signature_shares !== null), validators }
  }

  #listed(): unknown[] {
    return [...this.#exits].map(([publicKey, { validatorIndex }]) => ({
      public_key: publicKey,
      validator_index: validatorIndex,
      is_exit_signature_ready: !this.withheld.has(publicKey),
      share_indexes_ready: this.withheld.has(publicKey) ? [1, 3] : [1, 2, 3],
    }))
  }

  /** The key's oracle parts as a relayer gives them; null while its nodes have not signed. */
  protected partsOf(publicKey: PublicKeyHex, validatorIndex: number): unknown {
    const { publicKeys, sealed } = this.#exitOf(publicKey, validatorIndex)
    const parts = { public_keys: publicKeys, encrypted_exit_signatures: sealed }
    return this.withheld.has(publicKey) ? null : parts
  }

  /** Signs, unless the exit that was asked for last is the one. */
  #exitOf(publicKey: PublicKeyHex, validatorIndex: number): Exit {
    const last = this.#exits.get(publicKey)
    if (last?.validatorIndex === validatorIndex) return last
    const { network, oracles } = this.#options
    const name = this.#names.get(publicKey)
    if (name === undefined) throw new Error(`the test made no key ${publicKey}`)
    const secret = secretKeyOf(name)
    const message = voluntaryExitSigningRoot(network, presignedExit(network, validatorIndex))
    const { publicKeys, sealed } = splitAndSeal(bls.sign(secret, message), bls.toPublicKey(secret), {
      message,
      oracles: {
        publicKeys: oracles.keys.map((key) => key.publicKey.toBytes(false)),
        threshold: oracles.threshold,
      },
    })
    const exit = { validatorIndex, publicKeys: publicKeys.map(toHex), sealed: sealed.map(toHex) }
    this.#exits.set(publicKey, exit)
    return exit
  }
}

export function parsedOrNothing(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}

/** As FastAPI says it. */
export function detailOf({ issues }: z.ZodError): unknown {
  return issues.map(({ path, message }) => ({ loc: ['body', ...path], msg: message, type: 'value_error' }))
}
