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

/** A key: hex of 32 bytes, or, where no process is given it, what signs with it. */
export type KnownKey = { readonly secret: string } | { readonly sign: (root: Uint8Array) => Uint8Array }

/** A validator with the keys that only a test has all of. */
export interface KnownValidator {
  readonly name: string
  readonly network: Network
  readonly publicKey: PublicKeyHex
  readonly whole: KnownKey
  /** Every node's part of it, under the node's name. A validator may have several sharings. */
  readonly shares: readonly (KnownKey & { readonly node: string })[]
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
    this.#addKey(`the whole key of ${validator.name}`, validator.whole)
    for (const share of shares) this.#addKey(`the key share of ${share.node} of ${validator.name}`, share)
  }

  #addKey(name: string, key: KnownKey): void {
    if ('secret' in key) this.#secrets.addKey(name, key.secret)
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
    { whole: wholeKey, shares }: KnownValidator,
    what: string,
    message: () => Uint8Array,
    { whole }: { readonly whole: boolean },
  ): void {
    const id = `${what} by ${shares.length}`
    if (this.#signed.has(id)) return
    this.#signed.add(id)
    const root = message()
    if (whole) this.#secrets.add('bytes', `the whole signature of the ${what}`, signWith(wholeKey, root))
    for (const share of shares)
      this.#secrets.add('bytes', `the signature of ${share.node} of the ${what}`, signWith(share, root))
  }
}

function signWith(key: KnownKey, root: Uint8Array): Uint8Array {
  if ('sign' in key) return key.sign(root)
  const secret = parseSecretKey(Buffer.from(key.secret.replace(/^0x/, ''), 'hex'))
  return bls.encodeSignature(bls.sign(secret, root))
}

/** Brings what is written with other digits into the form in which keys are looked up. */
export function publicKeyFrom(text: string): PublicKeyHex {
  return toHex(Buffer.from(text.replace(/^0x/i, ''), 'hex'))
}
