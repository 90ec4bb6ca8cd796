/** Sending hostile requests, many at once, each on a connection of its own, and judging what comes back. */
import fc from 'fast-check'
import { type HostileWorld, hostileRequests } from './hostile-requests.js'
import { faultOf } from './judge.js'
import { exchange } from './raw-http.js'
import type { HostileRequest } from './request.js'
import { wordsOf } from './words.js'

export interface FloodOptions {
  readonly port: number
  readonly world: HostileWorld
  readonly seed: number
  readonly count: number
  /** Requests made and sent between two calls of `afterBatch`. */
  readonly batch: number
  /** @param sent how many there were so far */
  readonly afterBatch?: (sent: number) => Promise<void>
}

export interface FloodReport {
  /** Every request whose answer was none that it should have got, with the seed's number of it. */
  readonly faults: readonly string[]
  /** How often each status was answered; 0 where nothing was. */
  readonly statuses: ReadonlyMap<number, number>
  /** Long words (keys, shares) that stood in refused requests and in no other. */
  readonly refusedWords: ReadonlySet<string>
}

const AT_ONCE = 24
/** Milliseconds of silence after which a client whose request may not be whole gives up. */
const GIVE_UP = 100

export async function flood({
  port,
  world,
  seed,
  count,
  batch,
  afterBatch,
}: FloodOptions): Promise<FloodReport> {
  const faults: string[] = []
  const statuses = new Map<number, number>()
  const refused = new Set<string>()
  // Honest callers sent those too.
  const accepted = wordsOf([...world.known.values()].flat().join('\n'))
  const send = async (request: HostileRequest, number: number) => {
    const { expected, bodiless } = request
    const result = await exchange(request.bytes, {
      port,
      bodiless,
      expected: expected ?? Number.POSITIVE_INFINITY,
      ...(expected === undefined ? { endAfter: GIVE_UP } : {}),
    })
    const fault = faultOf(request, result)
    if (fault !== undefined) faults.push(`request ${number} (${request.name}): ${fault}`)
    const codes = result.answers.map(({ status }) => status)
    for (const status of codes.length === 0 ? [0] : codes)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    const words = codes.length > 0 && codes.every((status) => status >= 400) ? refused : accepted
    for (const word of wordsOf(request.bytes.toString('latin1'))) words.add(word)
  }
  for (let sent = 0; sent < count; sent += batch) {
    const numRuns = Math.min(batch, count - sent)
    const requests = fc.sample(hostileRequests(world), { seed: seed + sent, numRuns })
    await inParallel(requests, (request, i) => send(request, sent + i))
    await afterBatch?.(sent + numRuns)
  }
  return { faults, statuses, refusedWords: new Set([...refused].filter((word) => !accepted.has(word))) }
}

async function inParallel<T>(items: readonly T[], run: (item: T, i: number) => Promise<void>): Promise<void> {
  const entries = items.entries()
  const worker = async () => {
    for (const [i, item] of entries) await run(item, i)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
