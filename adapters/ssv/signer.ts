/** An SSV operator's key shares as a signer, kept as SSVNetwork's events say. */
import { bls } from '../../core/bls/backend.js'
import type { SsvValidator } from '../../core/clusters/ssv-rules.js'
import { DvtExitError } from '../../core/errors.js'
import type { PublicKeyHex } from '../../core/hex.js'
import { type DepositMessage, depositSigningRoot } from '../../core/messages/deposit.js'
import { type VoluntaryExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner, PublicShares } from '../../core/signer.js'

export interface SsvSignerParts {
  readonly operatorId: bigint
  readonly network: Network
  /** The validators that the operator knows now, those that cannot be signed for included. */
  readonly known: () => ReadonlyMap<PublicKeyHex, SsvValidator>
  readonly onChange: (listener: () => void) => void
  readonly close: () => Promise<void>
}

export class SsvSigner implements ExitSigner {
  readonly name: string
  readonly shareIndex: bigint
  readonly #parts: SsvSignerParts
  #closed: Promise<void> | undefined

  constructor(parts: SsvSignerParts) {
    this.#parts = parts
    this.name = `ssv operator ${parts.operatorId}`
    this.shareIndex = parts.operatorId
  }

  validators(): ReadonlyMap<PublicKeyHex, PublicShares> {
    return new Map([...this.#parts.known()].filter(([, { usable }]) => usable))
  }

  /** SSVNetwork says nothing about deposits. */
  withdrawalAddresses(): undefined {
    return undefined
  }

  async signExit(publicKey: PublicKeyHex, exit: VoluntaryExit): Promise<Uint8Array> {
    return this.#sign(publicKey, voluntaryExitSigningRoot(this.#parts.network, exit))
  }

  async signDeposit(publicKey: PublicKeyHex, deposit: DepositMessage): Promise<Uint8Array> {
    return this.#sign(publicKey, depositSigningRoot(this.#parts.network, deposit))
  }

  onChange(listener: () => void): void {
    this.#parts.onChange(listener)
  }

  close(): Promise<void> {
    this.#closed ??= this.#parts.close()
    return this.#closed
  }

  #sign(publicKey: PublicKeyHex, root: Uint8Array): Uint8Array {
    const validator = this.#parts.known().get(publicKey)
    if (validator?.usable && validator.secret !== undefined) {
      return bls.encodeSignature(bls.sign(validator.secret.reveal(), root))
    }
    const reason = validator === undefined ? 'has no key share' : 'has a key share that can never be used'
    throw new DvtExitError('UNKNOWN_VALIDATOR', `${this.name} ${reason} of validator ${publicKey}`)
  }
}
