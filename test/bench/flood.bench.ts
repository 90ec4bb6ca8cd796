/** How long honest requests wait while a flood runs; flood and honest requests come from processes of their own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../../core/options.js'
import { RateLimit } from '../../relayer/access/rate-limit.js'
import type { TokenIdentity } from '../../relayer/access/tokens.js'
import { relayerOptions } from '../../relayer/options.js'
import { createCluster } from '../relayer/clusters.js'
import { RealRelayer, stopThreads } from '../relayer/http/real-relayer.js'
import type { BenchLine } from './core.bench.js'
import type { Latencies, Load } from './flood-load.js'

const EXITS = 1000
const MILLISECONDS = 15_000
const SEED = 20_261_121
const TARGET = 'p99 250 ms'
const LOAD = fileURLToPath(new URL('./flood-load.ts', import.meta.url))
const DEFAULTS = readOptions(relayerOptions, { flags: {}, env: {} })
const [HONEST, HOSTILE] = ['dvtexit_honest', 'dvtexit_hostile']
const TOKENS: Readonly<Record<string, TokenIdentity>> = {
  [HONEST]: { name: 'honest', role: 'viewer', shareIndexes: [] },
  [HOSTILE]: { name: 'hostile', role: 'operator', shareIndexes: [] },
}

/** A relayer with 1000 wanted exits, asked by one honest caller, with and without a flood of others. */
export async function benchFlood(): Promise<readonly BenchLine[]> {
  const { maxRequestsPerSecond: perSecond } = DEFAULTS
  const limited = () => new RateLimit({ perSecond, burst: 4 * perSecond, clock: () => performance.now() })
  const unlimited = () => new RateLimit({ perSecond: 1e9, burst: 1e9, clock: () => performance.now() })
  try {
    return [
      ...(await waits('no flood', limited(), () => [])),
      ...(await waits('hostile requests', limited(), (port) => [hostile(port)])),
      ...(await waits('hostile requests, no limit on requests', unlimited(), (port) => [hostile(port)])),
      ...(await waits('4 MB bodies that cost the most', limited(), (port) => [{ kind: 'costly', port }])),
    ]
  } finally {
    await stopThreads()
  }
}

function hostile(port: number): Load {
  return { kind: 'hostile', port, token: HOSTILE, seed: SEED }
}

async function waits(
  name: string,
  rateLimit: RateLimit,
  floods: (port: number) => readonly Load[],
): Promise<BenchLine[]> {
  const relayer = await RealRelayer.start({
    nextIndex: 1_250_000,
    clusters: [],
    http: { tokens: TOKENS, rateLimit, limits: { bodyBytes: DEFAULTS.maxBodyBytes } },
  })
  try {
    const port = Number(new URL(await relayer.app.listen({ host: '127.0.0.1', port: 0 })).port)
    await wantExits(relayer)
    const loads = floods(port).map(start)
    const honest = start({ kind: 'honest', port, token: HONEST })
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS))
    const latencies = await stop(honest)
    await Promise.all(loads.map(stop))
    return Object.entries(latencies).map(([path, times]) => ({
      name: `GET ${path}, ${name}`,
      value: describe(times),
      target: TARGET,
    }))
  } finally {
    await relayer.stop()
  }
}

async function wantExits(relayer: RealRelayer): Promise<void> {
  const public_keys = Array.from({ length: EXITS }, () => createCluster([1n], 1).validator.publicKey)
  const headers = { host: 'localhost' }
  const answer = await relayer.app.inject({
    method: 'POST',
    url: '/validators',
    headers,
    payload: { public_keys },
  })
  if (answer.statusCode !== 200) throw new Error(`the exits were not taken: ${answer.body}`)
}

function start(load: Load): ChildProcess {
  const child = fork(LOAD, [], { execArgv: ['--import', 'tsx'] })
  child.send(load)
  return child
}

async function stop(child: ChildProcess): Promise<Latencies> {
  const answered = Promise.race([
    once(child, 'message').then(([latencies]) => latencies as Latencies),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the load ended with ${code}`)
    }),
  ])
  child.send('stop')
  return answered
}

function describe(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${times.length}`
}
