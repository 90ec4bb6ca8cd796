import type { ExitRequest } from './exit-check.js'

const HOUR = 3_600_000

/** One name for a (key, index), for maps and sets. */
export function exitId({ publicKey, validatorIndex }: ExitRequest): string {
  return `${publicKey}/${validatorIndex}`
}

/**
 * How many new exits may be signed: at most a number in any hour. Signing the same (key, index) again, by
 * this or another node of the process, is not new.
 */
export class SigningLimit {
  readonly perHour: number
  /** When each exit was signed first in this hour, the oldest first. */
  readonly #signed = new Map<string, number>()

  /** @param perHour at least 1 */
  constructor(perHour: number) {
    this.perHour = perHour
  }

  /**
   * Those of the requests that may be signed now, in their order: all that are not new, and the first new
   * ones that there is room for.
   * @param now milliseconds since 1970
   */
  admit<R extends ExitRequest>(requests: readonly R[], now: number): R[] {
    this.#forget(now)
    const fresh = new Set<string>()
    return requests.filter((request) => {
      const id = exitId(request)
      if (this.#signed.has(id) || fresh.has(id)) return true
      if (this.#signed.size + fresh.size >= this.perHour) return false
      fresh.add(id)
      return true
    })
  }

  /** Counts an exit that was signed; time in milliseconds since 1970, growing from call to call. */
  record(request: ExitRequest, time: number): void {
    const id = exitId(request)
    if (!this.#signed.has(id)) this.#signed.set(id, time)
  }

  #forget(now: number): void {
    for (const [id, time] of this.#signed) {
      if (time > now - HOUR) return
      this.#signed.delete(id)
    }
  }
}

/** How far back a restart must look in the audit log, milliseconds. */
export const LIMIT_WINDOW = HOUR
