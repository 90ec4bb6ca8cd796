/** Whether a process that answers more and more requests needs more and more memory. */

const MIB = 1024 * 1024

export interface MemorySample {
  /** Requests answered so far. */
  readonly requests: number
  /** Bytes in use without garbage: the heap, and what it holds outside. */
  readonly used: number
  /** Bytes that the operating system gives it. */
  readonly resident: number
}

/** Requests until everything has been made that is made once. */
const WARM = 1000
/** Caches of the relayer fill up to their limits: some thousand entries of some hundred bytes. */
const MOST_USED = 12 * MIB
/** The allocator keeps what the threads gave back, in pieces; large bodies are under way. */
const MOST_RESIDENT = 128 * MIB

/**
 * Compares the least of the last third with the first sample of a warm process.
 * @param samples by growing requests
 * @returns what grew; undefined where all stayed flat
 * @throws Error where there is nothing to compare
 */
export function growthOf(samples: readonly MemorySample[]): string | undefined {
  const warm = samples.filter(({ requests }) => requests >= WARM)
  const [first] = warm
  const last = warm.slice(-Math.ceil(warm.length / 3))
  if (first === undefined || warm.length < 3) throw new Error('too few samples of a warm process')
  const used = Math.min(...last.map((sample) => sample.used)) - first.used
  const resident = Math.min(...last.map((sample) => sample.resident)) - first.resident
  if (used > MOST_USED) return `${inMib(used)} more are in use than after ${first.requests} requests`
  if (resident > MOST_RESIDENT)
    return `${inMib(resident)} more are resident than after ${first.requests} requests`
  return undefined
}

export function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

/** Reads a sample from the text of GET /metrics. @throws Error where a figure is missing */
export function sampleOf(requests: number, metrics: string): MemorySample {
  const figure = (name: string) => {
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]
    if (value === undefined) throw new Error(`no ${name} in the metrics`)
    return Number(value)
  }
  return {
    requests,
    used: figure('nodejs_heap_size_used_bytes') + figure('nodejs_external_memory_bytes'),
    resident: figure('process_resident_memory_bytes'),
  }
}
