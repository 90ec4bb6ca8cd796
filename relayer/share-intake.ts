/** What comes in one post of a node: shares of exits, or of exits and deposits, with claims of public shares. */
import { CallerTurns } from './caller-turns.js'
import type { MessageId } from './exits/records.js'
import type { PostedShare, RejectedShare } from './exits/service.js'
import type { PostedShares, Poster } from './posted-shares.js'
import type { Claims } from './validators/claims.js'
import type { PostedSignatures, RejectedSignature } from './validators/service.js'

export interface ShareIntakeParts {
  readonly posts: PostedShares
  readonly claims: Claims
  /** Told of messages whose shares changed. */
  readonly takeUp: (messages: readonly MessageId[]) => void
}

export class ShareIntake {
  readonly #parts: ShareIntakeParts
  readonly #turns = new CallerTurns()

  constructor(parts: ShareIntakeParts) {
    this.#parts = parts
  }

  /** See ExitService. @throws UnavailableError TOO_MANY_POSTS */
  takeShares(poster: Poster, shares: readonly PostedShare[]): Promise<readonly RejectedShare[]> {
    return this.#turns.run(poster.caller, () => this.#take('exit', poster, shares))
  }

  /** See ValidatorService. @throws UnavailableError TOO_MANY_POSTS */
  takeSignatures(poster: Poster, shares: readonly PostedSignatures[]): Promise<readonly RejectedSignature[]> {
    return this.#turns.run(poster.caller, async () => {
      this.#parts.takeUp(await this.#parts.claims.take(shares, poster.caller))
      const rejected: RejectedSignature[] = []
      for (const kind of ['exit', 'deposit'] as const) {
        const posted = shares.map(({ publicKey, exitSignature, depositSignature }) => ({
          publicKey,
          signature: kind === 'exit' ? exitSignature : depositSignature,
        }))
        const found = await this.#take(kind, poster, posted)
        rejected.push(...found.map((share) => ({ ...share, signature: kind })))
      }
      return rejected
    })
  }

  async #take(
    kind: 'exit' | 'deposit',
    poster: Poster,
    shares: readonly PostedShare[],
  ): Promise<readonly RejectedShare[]> {
    const { rejected, changed } = await this.#parts.posts.take(kind, poster, shares)
    this.#parts.takeUp(changed)
    return rejected
  }
}
