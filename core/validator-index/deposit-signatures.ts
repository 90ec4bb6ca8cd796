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
  readonly #mostVerdicts: number
  readonly #verdicts = new Map<string, boolean>()

  /** @param mostVerdicts how many are kept before the oldest is forgotten */
  constructor(network: Network, mostVerdicts = MOST_VERDICTS) {
    this.#network = network
    this.#mostVerdicts = mostVerdicts
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
    const named = deposits.map((deposit) => ({ deposit, name: nameOf(deposit) }))
    // Collected apart: remembering the new ones may push out the old ones that this batch needs.
    const verdicts = new Map(named.map(({ name }) => [name, this.#verdicts.get(name)]))
    const unknown = named.filter(({ name }) => verdicts.get(name) === undefined)
    const decoded = unknown.flatMap(({ deposit, name }) => {
      verdicts.set(name, false)
      const set = this.#setOf(deposit)
      return set === undefined ? [] : [{ name, set }]
    })
    verifyEach(decoded.map(({ set }) => set)).forEach((verdict, i) => {
      const name = decoded[i]?.name
      if (name !== undefined) verdicts.set(name, verdict)
    })
    for (const { name } of unknown) this.#remember(name, verdicts.get(name) === true)
    return named.map(({ name }) => verdicts.get(name) === true)
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
    if (this.#verdicts.size > this.#mostVerdicts && oldest !== undefined) this.#verdicts.delete(oldest)
  }
}

/** Everything that the verdict depends on. */
function nameOf({ publicKey, withdrawalCredentials, amount, signature }: Deposit): string {
  return createHash('sha256')
    .update(`${publicKey} ${withdrawalCredentials} ${amount} ${signature}`)
    .digest('base64')
}
