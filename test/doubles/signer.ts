import { bls } from '../../core/bls/backend.js'
import { parseSecretKey } from '../../core/bls/points.js'
import { DvtExitError } from '../../core/errors.js'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../../core/hex.js'
import { type DepositMessage, depositSigningRoot } from '../../core/messages/deposit.js'
import { type VoluntaryExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'

/** A node with key shares in memory. */
export class TestSigner implements ExitSigner {
  readonly name: string
  readonly shareIndex: bigint
  /** As a cluster lock names them; undefined: as with SSV. */
  addresses: readonly Hex[] | undefined
  /** Deposits asked of it, as key/credentials/amount. */
  readonly signedDeposits: string[] = []
  /** Exits asked of it, as key/index. */
  readonly signed: string[] = []
  /** Keys whose signing fails. */
  readonly broken = new Set<PublicKeyHex>()
  readonly #network: Network
  readonly #shares: Map<PublicKeyHex, Uint8Array>
  readonly #listeners: (() => void)[] = []

  /** @param shares the secret share (32 bytes of hex) of each validator */
  constructor(network: Network, shareIndex: bigint, shares: Iterable<readonly [PublicKeyHex, string]>) {
    this.#network = network
    this.shareIndex = shareIndex
    this.name = `test node ${shareIndex}`
    this.#shares = new Map([...shares].map(([key, secret]) => [key, fromHex(secret, 32)]))
  }

  validators() {
    return new Map(
      [...this.#shares].map(([key, secret]) => [
        key,
        {
          threshold: 1,
          shares: new Map([
            [this.shareIndex, toHex(bls.encodePublicKey(bls.toPublicKey(parseSecretKey(secret))))],
          ]),
        },
      ]),
    )
  }

  withdrawalAddresses(): readonly Hex[] | undefined {
    return this.addresses
  }

  async signExit(publicKey: PublicKeyHex, exit: VoluntaryExit): Promise<Uint8Array> {
    this.signed.push(`${publicKey}/${exit.validatorIndex}`)
    return this.#sign(publicKey, voluntaryExitSigningRoot(this.#network, exit))
  }

  async signDeposit(publicKey: PublicKeyHex, deposit: DepositMessage): Promise<Uint8Array> {
    this.signedDeposits.push(`${publicKey}/${deposit.withdrawalCredentials}/${deposit.amount}`)
    return this.#sign(publicKey, depositSigningRoot(this.#network, deposit))
  }

  /** Another share for a key, as after the cluster was recreated, or a new key. */
  replaceShare(publicKey: PublicKeyHex, secret: string): void {
    this.#shares.set(publicKey, fromHex(secret, 32))
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {}

  #sign(publicKey: PublicKeyHex, message: Uint8Array): Uint8Array {
    const secret = this.#shares.get(publicKey)
    if (secret === undefined || this.broken.has(publicKey)) {
      throw new DvtExitError('UNKNOWN_VALIDATOR', 'this node has no share of that key')
    }
    return bls.encodeSignature(bls.sign(parseSecretKey(secret), message))
  }
}
