/** The validators of a test, whose keys and shares are secrets, and every signature that they can make. */
import { bls } from '../../../core/bls/backend.js'
import { parseSecretKey } from '../../../core/bls/points.js'
import { type Hex, type PublicKeyHex, toHex } from '../../../core/hex.js'
import {
  depositSigningRoot,
  type ValidatorType,
  withdrawalCredentials,
} from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import type { Network } from '../../../core/network.js'
import type { SecretRegister } from './secrets.js'

/** A validator with the keys that only a test has all of. */
export interface KnownValidator {
  readonly name: string
  readonly network: Network
  readonly publicKey: PublicKeyHex
  /** The whole key: hex of 32 bytes. */
  readonly secretKey: string
  /** Every node's part of it, under the node's name: hex of 32 bytes. A validator may have several sharings. */
  readonly shares: readonly { readonly node: string; readonly secret: string }[]
}

/** What sidecars were asked to sign for a validator. */
export interface WantedSignatures {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** Where a deposit is wanted too. */
  readonly deposit?: { readonly vault: Hex; readonly type: ValidatorType; readonly amount: bigint }
}

export class ValidatorKeys {
  readonly #secrets: SecretRegister
  readonly #validators = new Map<PublicKeyHex, KnownValidator>()
  readonly #signed = new Set<string>()

  constructor(secrets: SecretRegister) {
    this.#secrets = secrets
  }

  /** Adds a validator: its key and the shares of it become secrets. */
  add(validator: KnownValidator): void {
    const known = this.#validators.get(validator.publicKey)
    const { shares } = validator
    const all = { ...validator, shares: [...(known?.shares ?? []), ...shares] }
    this.#validators.set(validator.publicKey, all)
    this.#secrets.addKey(`the whole key of ${validator.name}`, validator.secretKey)
    for (const { node, secret } of shares)
      this.#secrets.addKey(`the key share of ${node} of ${validator.name}`, secret)
  }

  /** Makes secrets of the signatures: exits, whole and of each node, and each node's part of deposits. */
  sign(wanted: WantedSignatures): void {
    const validator = this.#validators.get(wanted.publicKey)
    const { validatorIndex, deposit } = wanted
    if (validator === undefined) return
    const { network, name } = validator
    const exit = () => voluntaryExitSigningRoot(network, presignedExit(network, validatorIndex))
    this.#signOnce(validator, `exit of ${name} with index ${validatorIndex}`, exit, { whole: true })
    if (deposit === undefined) return
    const { vault, type, amount } = deposit
    const message = () =>
      depositSigningRoot(network, {
        publicKey: validator.publicKey,
        withdrawalCredentials: withdrawalCredentials(type, vault),
        amount,
      })
    // The whole signature of a deposit is sent to the chain for everybody to see.
    const what = `deposit of ${amount} Gwei of ${name} to ${vault} (${type})`
    this.#signOnce(validator, what, message, { whole: false })
  }

  #signOnce(
    { secretKey, shares }: KnownValidator,
    what: string,
    message: () => Uint8Array,
    { whole }: { readonly whole: boolean },
  ): void {
    const id = `${what} by ${shares.length}`
    if (this.#signed.has(id)) return
    this.#signed.add(id)
    const root = message()
    const add = (name: string, secret: string) => {
      const signature = bls.sign(parseSecretKey(Buffer.from(secret.replace(/^0x/, ''), 'hex')), root)
      this.#secrets.add('bytes', name, bls.encodeSignature(signature))
    }
    if (whole) add(`the whole signature of the ${what}`, secretKey)
    for (const { node, secret } of shares) add(`the signature of ${node} of the ${what}`, secret)
  }
}

/** Brings what is written with other digits into the form in which keys are looked up. */
export function publicKeyFrom(text: string): PublicKeyHex {
  return toHex(Buffer.from(text.replace(/^0x/i, ''), 'hex'))
}
