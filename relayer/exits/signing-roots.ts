import { presignedExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { Network } from '../../core/network.js'
import type { ExitId } from './records.js'

/** Roots remembered; an index has the same for every key. */
const REMEMBERED = 10_000

/** What the exit of an index signs, remembered. */
export class SigningRoots {
  readonly #network: Network
  readonly #roots = new Map<number, Uint8Array>()

  constructor(network: Network) {
    this.#network = network
  }

  /** 32 bytes. */
  of({ validatorIndex }: ExitId): Uint8Array {
    const known = this.#roots.get(validatorIndex)
    if (known !== undefined) return known
    if (this.#roots.size >= REMEMBERED) this.#roots.clear()
    const root = voluntaryExitSigningRoot(this.#network, presignedExit(this.#network, validatorIndex))
    this.#roots.set(validatorIndex, root)
    return root
  }
}
