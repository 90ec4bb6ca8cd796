/** Which deposits carry a valid signature, as the chain decides it (consensus specification, is_valid_deposit_signature). */
import { createHash } from 'node:crypto'
import type { SignatureSet } from '../bls/backend.js'
import { parsePublicKey, parseSignature } from '../bls/points.js'
import { verifyEach } from '../bls/verify.js'
import { DvtExitError } from '../errors.js'
import type { PublicKeyHex } from '../hex.js'
import { depositSigningRoot } from '../messages/deposit.js'
import type { Network } from '../network.js'
import type { Deposit } from './deposit-event.js'

/** Signatures checked together: some 20 ms, after which others have their turn. */
const BATCH = 32
/** Verdicts kept: more than the queue of pending deposits has ever held. */
const MOST_VERDICTS = 200_000

export class DepositSignatures {
  readonly #network: Network
  readonly #verdicts = new Map<string, boolean>()

  constructor(network: Network) {
    this.#network = network
  }

  /**
   * The distinct keys among the deposits that have one with a valid signature: key and signature in the subgroup
   * and not infinity, over DepositMessage in the deposit domain.
   */
  async validKeys(deposits: readonly Deposit[]): Promise<Set<PublicKeyHex>> {
    const valid = new Set<PublicKeyHex>()
    for (let start = 0; start < deposits.length; start += BATCH) {
      if (start > 0) await new Promise((resolve) => setImmediate(resolve))
      const batch = deposits.slice(start, start + BATCH).filter(({ publicKey }) => !valid.has(publicKey))
      this.#verdictsOf(batch).forEach((verdict, i) => {
        const deposit = batch[i]
        if (verdict && deposit !== undefined) valid.add(deposit.publicKey)
      })
    }
    return valid
  }

  #verdictsOf(deposits: readonly Deposit[]): boolean[] {
    const names = deposits.map(nameOf)
    const unknown = deposits.flatMap((deposit, i) => {
      const name = names[i]
      return name === undefined || this.#verdicts.has(name) ? [] : [{ name, set: this.#setOf(deposit) }]
    })
    const decoded = unknown.flatMap(({ name, set }) => (set === undefined ? [] : [{ name, set }]))
    const verified = verifyEach(decoded.map(({ set }) => set))
    for (const { name } of unknown) this.#remember(name, false)
    decoded.forEach(({ name }, i) => {
      this.#remember(name, verified[i] === true)
    })
    return names.map((name) => this.#verdicts.get(name) === true)
  }

  /** Undefined where key or signature is no point that counts. */
  #setOf(deposit: Deposit): SignatureSet | undefined {
    try {
      return {
        message: depositSigningRoot(this.#network, deposit),
        publicKey: parsePublicKey(deposit.publicKey),
        signature: parseSignature(deposit.signature),
      }
    } catch (error) {
      if (error instanceof DvtExitError) return undefined
      throw error
    }
  }

  #remember(name: string, verdict: boolean): void {
    this.#verdicts.set(name, verdict)
    const [oldest] = this.#verdicts.keys()
    if (this.#verdicts.size > MOST_VERDICTS && oldest !== undefined) this.#verdicts.delete(oldest)
  }
}

/** Everything that the verdict depends on. */
function nameOf({ publicKey, withdrawalCredentials, amount, signature }: Deposit): string {
  return createHash('sha256')
    .update(`${publicKey} ${withdrawalCredentials} ${amount} ${signature}`)
    .digest('base64')
}
