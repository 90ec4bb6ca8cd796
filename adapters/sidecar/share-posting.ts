/** Posting a node's shares, so that one that the relayer does not like never holds back the others. */
import type { RejectedShare } from '../../core/clients/relayer.js'
import { RelayerError } from '../../core/clients/relayer-errors.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import type { Logger } from '../../core/log.js'
import { describeExit, type SignedExit, shareId, type WantedExit } from './exit-signing.js'

/** T: exits alone, or with their deposits. */
export interface SharePostingParts<T extends SignedExit> {
  /** Posts one node's shares. Returns those that the relayer found wrong; throws RelayerError, UnavailableError. */
  readonly send: (shareIndex: bigint, exits: readonly T[]) => Promise<readonly RejectedShare[]>
  readonly clock: Clock
  readonly logger: Logger
}

/** How long a rejected share is kept back before it is made and posted again, milliseconds. */
const REJECTED_PAUSE = 60_000
const REMEMBERED = 10_000
/** What a request's content can be refused with, unlike its sender or the relayer's state. */
const CONTENT_REFUSED = new Set([400, 409, 413, 422])

export class SharePosting<T extends SignedExit> {
  readonly #parts: SharePostingParts<T>
  readonly #heldUntil = new Map<string, number>()
  readonly #rejections = new Conditions(REMEMBERED)

  constructor(parts: SharePostingParts<T>) {
    this.#parts = parts
  }

  /** Whether the relayer rejected this share a moment ago. */
  isHeldBack(exit: WantedExit): boolean {
    return this.#parts.clock.now() < (this.#heldUntil.get(shareId(exit)) ?? 0)
  }

  /**
   * Posts shares of one node. Those that the relayer rejects are logged with its reason.
   * @returns the rejected ones
   * @throws RelayerError where the sender is refused, UnavailableError where the relayer is away
   */
  async post(exits: readonly T[]): Promise<T[]> {
    const [first] = exits
    if (first === undefined) return []
    try {
      const rejected = await this.#parts.send(first.signer.shareIndex, exits)
      const reasons = new Map(rejected.map(({ publicKey, reason }) => [publicKey, reason]))
      return exits.filter((exit) => {
        const reason = reasons.get(exit.publicKey)
        if (reason === undefined) this.#rejections.ends(shareId(exit))
        else this.#hold(exit, reason)
        return reason !== undefined
      })
    } catch (error) {
      if (!(error instanceof RelayerError) || !CONTENT_REFUSED.has(error.status)) throw error
      if (exits.length === 1) {
        this.#hold(first, error.message)
        return [first]
      }
      const middle = Math.ceil(exits.length / 2)
      return [...(await this.post(exits.slice(0, middle))), ...(await this.post(exits.slice(middle)))]
    }
  }

  #hold(exit: T, reason: string): void {
    const id = shareId(exit)
    this.#heldUntil.delete(id)
    this.#heldUntil.set(id, this.#parts.clock.now() + REJECTED_PAUSE)
    const [oldest] = this.#heldUntil.keys()
    if (this.#heldUntil.size > REMEMBERED && oldest !== undefined) this.#heldUntil.delete(oldest)
    if (!this.#rejections.begins(id, reason)) return
    this.#parts.logger.warn(describeExit(exit), `the relayer rejected a share: ${reason}`)
  }
}
