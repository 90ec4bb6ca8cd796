/** What the relayer drops: what nobody asks for any more, and keys that have their deposit. */
import { describeError, UnavailableError } from '../core/errors.js'
import type { PublicKeyHex } from '../core/hex.js'
import type { Logger } from '../core/log.js'
import { isDatabaseTrouble } from '../core/storage/database-trouble.js'
import type { ExitStore } from './store/exit-store.js'

export interface UpkeepParts {
  readonly store: ExitStore
  /** Those of the keys that are validators, or have a deposit, already. */
  readonly knownKeys: (publicKeys: PublicKeyHex[]) => Promise<PublicKeyHex[]>
  /** Seconds after the last request for something until it is dropped. */
  readonly lifetime: number
  /** Seconds since 1970. */
  readonly clock: () => number
  readonly logger: Logger
  readonly onChange: () => void
}

export class Upkeep {
  readonly #parts: UpkeepParts
  #expiredAt = 0

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Drops what nobody asks for any more, at most once a second of the clock; later while nothing can be stored. */
  async expire(): Promise<void> {
    const { clock, lifetime, logger, onChange } = this.#parts
    const now = Math.floor(clock())
    if (now <= this.#expiredAt) return
    this.#expiredAt = now
    const dropped = await this.#deleteAskedBefore(now - lifetime)
    if (dropped === 0) return
    onChange()
    logger.info({ messages: dropped }, 'exits and deposits that nobody asks for dropped, with their shares')
  }

  /** Who only reads gets an answer all the same. */
  async #deleteAskedBefore(time: number): Promise<number> {
    try {
      return await this.#parts.store.deleteAskedBefore(time)
    } catch (error) {
      if (isDatabaseTrouble(error)) return 0
      throw error
    }
  }

  /** Drops that too, and keys that have their deposit. */
  async sweep(): Promise<void> {
    await this.expire()
    const { store, knownKeys, logger } = this.#parts
    const publicKeys = await store.publicKeys()
    if (publicKeys.length === 0) return
    try {
      await this.drop(await knownKeys(publicKeys))
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      logger.debug({ error: describeError(error) }, 'cannot look for deposits now')
    }
  }

  /** Drops all that is wanted of these keys, which have their deposit. */
  async drop(publicKeys: readonly PublicKeyHex[]): Promise<void> {
    if (publicKeys.length === 0) return
    const dropped = await this.#parts.store.deleteKeys(publicKeys)
    if (dropped === 0) return
    this.#parts.onChange()
    this.#parts.logger.info(
      { messages: dropped },
      'exits and deposits of deposited validators dropped, with their shares',
    )
  }
}
