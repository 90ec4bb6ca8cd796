/** How many requests one caller may send: a bucket that refills steadily, one a caller. */
import { isIP } from 'node:net'
import { isLoopbackAddress } from './locality.js'

export interface RateLimitOptions {
  /** Requests a second that a caller may send all the time. */
  readonly perSecond: number
  /** Requests that it may send at once after a pause. */
  readonly burst: number
  /** Milliseconds, growing. */
  readonly clock: () => number
}

/** Callers remembered at most: with more, those that sent nothing for longest are forgotten first. */
const MAX_CALLERS = 10_000

interface Bucket {
  tokens: number
  at: number
}

export class RateLimit {
  readonly #options: RateLimitOptions
  readonly #buckets = new Map<string, Bucket>()

  constructor(options: RateLimitOptions) {
    this.#options = options
  }

  /**
   * Counts one request.
   * @param weight for how many it counts; more than a burst counts as a burst
   * @returns 0 when it may pass, else the seconds to wait
   */
  take(caller: string, weight = 1): number {
    const { perSecond, burst, clock } = this.#options
    const now = clock()
    const bucket = this.#buckets.get(caller) ?? { tokens: burst, at: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond)
    bucket.at = now
    // Written again, so that the map's order is that of the last request.
    this.#buckets.delete(caller)
    this.#buckets.set(caller, bucket)
    this.#forgetOldest()
    const needed = Math.min(weight, burst)
    if (bucket.tokens < needed) return Math.ceil((needed - bucket.tokens) / perSecond)
    bucket.tokens -= needed
    return 0
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= MAX_CALLERS) return
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
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
