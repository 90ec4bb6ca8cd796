/** After a registration: whether the validators got the indexes that their exits were signed for (chain.md, rule 7). */
import type { BeaconClient } from '../../core/clients/beacon.js'
import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/log.js'
import type { OperatorStore } from '../transactions/store/store.js'

export interface IndexCheckParts {
  readonly store: Pick<OperatorStore, 'withUncheckedIndexes' | 'markIndexChecked'>
  readonly beacon: Pick<BeaconClient, 'validatorStatuses'>
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between two looks: a validator can wait in the queue for weeks. */
  readonly interval: number
}

export class IndexCheck {
  readonly #parts: IndexCheckParts
  #lookedAt = -Infinity

  constructor(parts: IndexCheckParts) {
    this.#parts = parts
  }

  /** Looks, where it is time to. @throws UnavailableError where no beacon node answers */
  async look(): Promise<void> {
    const { store, beacon, clock, interval } = this.#parts
    if (clock.now() - this.#lookedAt < interval) return
    this.#lookedAt = clock.now()
    for (const { id, publicKeys, startIndex } of await store.withUncheckedIndexes()) {
      const found = new Map(
        (await beacon.validatorStatuses(publicKeys)).map(({ publicKey, index }) => [publicKey, index]),
      )
      if (found.size < publicKeys.length) continue
      for (const [i, publicKey] of publicKeys.entries()) {
        this.#compare(publicKey, startIndex + i, found.get(publicKey))
      }
      await store.markIndexChecked(id)
    }
  }

  #compare(publicKey: string, expected: number, real: number | undefined): void {
    const { logger } = this.#parts
    if (real === expected) {
      logger.info(`${publicKey} is validator ${real}, as its exit signature says`)
      return
    }
    logger.error(
      `${publicKey} is validator ${real}, and its exit signature is for ${expected}: the oracles cannot exit it with that, and whoever is validator ${expected} may be exited. Tell StakeWise, and collect its exit again`,
    )
  }
}
