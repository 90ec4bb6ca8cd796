import { depositSigningRoot, withdrawalCredentials } from '../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { Network } from '../../core/network.js'
import { parseMessage } from './message.js'
import { type MessageId, messageName } from './records.js'

/** Roots remembered. */
const REMEMBERED = 20_000

/** What a message's signature is over, remembered. */
export class SigningRoots {
  readonly #network: Network
  readonly #roots = new Map<string, Uint8Array>()

  constructor(network: Network) {
    this.#network = network
  }

  /** 32 bytes. */
  of(id: MessageId): Uint8Array {
    // An index has the same exit for every key.
    const message = parseMessage(id.message)
    const name = message.kind === 'exit' ? id.message : messageName(id)
    const known = this.#roots.get(name)
    if (known !== undefined) return known
    if (this.#roots.size >= REMEMBERED) this.#roots.clear()
    const root = this.#rootOf(id)
    this.#roots.set(name, root)
    return root
  }

  #rootOf({ publicKey, message: name }: MessageId): Uint8Array {
    const message = parseMessage(name)
    if (message.kind === 'exit') {
      return voluntaryExitSigningRoot(this.#network, presignedExit(this.#network, message.validatorIndex))
    }
    const { vault, type, amount } = message.deposit
    return depositSigningRoot(this.#network, {
      publicKey,
      withdrawalCredentials: withdrawalCredentials(type, vault),
      amount,
    })
  }
}
