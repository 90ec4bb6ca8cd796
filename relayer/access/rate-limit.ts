/** How many requests one caller may send: a bucket that refills steadily, one a caller. */
import { isIP } from 'node:net'
import { Budget } from '../budget.js'
import { isLoopbackAddress } from './locality.js'

export interface RateLimitOptions {
  /** Requests a second that a caller may send all the time. */
  readonly perSecond: number
  /** Requests that it may send at once after a pause. */
  readonly burst: number
  /** Milliseconds, growing. */
  readonly clock: () => number
}

export class RateLimit {
  readonly #options: RateLimitOptions
  readonly #budget: Budget

  constructor(options: RateLimitOptions) {
    const { burst: most, perSecond, clock } = options
    this.#options = options
    this.#budget = new Budget({ most, perSecond, clock: () => clock() / 1000 })
  }

  /**
   * Counts one request.
   * @param weight for how many it counts; more than a burst counts as a burst
   * @returns 0 when it may pass, else the seconds to wait
   */
  take(caller: string, weight = 1): number {
    const { perSecond, burst } = this.#options
    const needed = Math.min(weight, burst)
    const left = this.#budget.left(caller)
    this.#budget.spend(caller, left < needed ? 0 : needed)
    return left < needed ? Math.ceil((needed - left) / perSecond) : 0
  }
}

/**
 * Whom a limit counts: the token's name, else the address (of IPv6 the /64, which one machine has whole). All whom
 * a proxy on this machine passes on without saying who they are count as one, and apart from this machine's own.
 * @param forwarded whether a proxy passed the request on
 */
export function callerOf(tokenName: string | undefined, peer: string | undefined, forwarded = false): string {
  if (tokenName !== undefined) return `token ${tokenName}`
  if (forwarded && isLoopbackAddress(peer)) return 'behind the proxy'
  if (peer === undefined || isIP(peer) !== 6) return peer ?? 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(peer)?.[1]
  return mapped ?? `${expandIpv6(peer).slice(0, 4).join(':')}::/64`
}

function expandIpv6(address: string): string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  return tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
}
