/**
 * BLS work in threads. Checks, which a post waits for, and recoveries, which nobody waits for, have threads
 * of their own: a check never stands behind a recovery.
 */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import type {
  ExitCrypto,
  MadeSignature,
  ShareToCheck,
  ShareVerdict,
  SharingToCheck,
  SignatureToMake,
  SignatureToTry,
  Trial,
} from './exit-crypto.js'

/** Items of one task: a large post is cut, so that others get their turn between its parts. */
const ITEMS_PER_TASK = 32

const RUNS_SOURCES = import.meta.url.endsWith('.ts')
const WORKER = new URL(RUNS_SOURCES ? './worker-from-source.mjs' : './worker.js', import.meta.url)

export interface WorkerPoolOptions {
  /** Threads for checks, and as many for recoveries. */
  readonly threads?: number
}

export class WorkerPool implements ExitCrypto {
  readonly #checks: Piscina
  readonly #recoveries: Piscina
  readonly #threads: number

  constructor(options: WorkerPoolOptions = {}) {
    this.#threads = options.threads ?? availableParallelism()
    this.#checks = createPool(this.#threads)
    this.#recoveries = createPool(this.#threads)
  }

  /** How many recoveries run at once. */
  get threads(): number {
    return this.#threads
  }

  async checkPublicKeys(publicKeys: readonly Uint8Array[]): Promise<readonly boolean[]> {
    return this.#inParts<Uint8Array, boolean>('checkPublicKeys', publicKeys)
  }

  async checkShares(shares: readonly ShareToCheck[]): Promise<readonly ShareVerdict[]> {
    return this.#inParts<ShareToCheck, ShareVerdict>('checkShares', shares)
  }

  async checkSharings(sharings: readonly SharingToCheck[]): Promise<readonly (number | null)[]> {
    return this.#inParts<SharingToCheck, number | null>('checkSharings', sharings)
  }

  async makeSignature(wanted: SignatureToMake): Promise<MadeSignature | null> {
    return (await this.#recoveries.run(wanted, { name: 'makeSignature' })) as MadeSignature | null
  }

  async trySubsets(wanted: SignatureToTry): Promise<Trial> {
    return (await this.#recoveries.run(wanted, { name: 'trySubsets' })) as Trial
  }

  async close(): Promise<void> {
    await Promise.all([this.#checks.close(), this.#recoveries.close()])
  }

  /** Runs a task over all items, on all threads where nobody else wants them. */
  async #inParts<T, R>(name: string, items: readonly T[]): Promise<R[]> {
    const results: R[] = []
    let next = 0
    const run = async () => {
      while (next < items.length) {
        const start = next
        next += ITEMS_PER_TASK
        const part = items.slice(start, start + ITEMS_PER_TASK)
        const found = (await this.#checks.run(part, { name })) as R[]
        for (const [i, result] of found.entries()) results[start + i] = result
      }
    }
    await Promise.all(Array.from({ length: this.#threads }, run))
    return results
  }
}

function createPool(threads: number): Piscina {
  return new Piscina({
    filename: WORKER.href,
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: 30_000,
    // A thread that waits in Atomics never turns its event loop, in which native points are freed.
    atomics: 'disabled',
  })
}
