/** A process of its own that floods a relayer, or asks it honestly meanwhile; told over IPC by flood.bench.ts. */
import { Agent, request } from 'node:http'
import { parseJson } from '../../core/json.js'
import { flood } from '../soak/flood/flood.js'
import { exchange } from '../soak/flood/raw-http.js'

export type Load =
  | { readonly kind: 'hostile'; readonly port: number; readonly token: string; readonly seed: number }
  | { readonly kind: 'costly'; readonly port: number }
  | { readonly kind: 'honest'; readonly port: number; readonly token: string }

/** Milliseconds of each honest request by its path. */
export type Latencies = Readonly<Record<string, readonly number[]>>

const BATCH = 100
const COSTLY_AT_ONCE = 8
const PATHS = ['/info', '/exits']
/** Milliseconds between two honest requests. */
const PACE = 5
const BODY = 4_000_000

let stopped = false
const latencies: Record<string, number[]> = Object.fromEntries(PATHS.map((path) => [path, []]))

async function floodWithHostileOnes({
  port,
  token,
  seed,
}: Extract<Load, { kind: 'hostile' }>): Promise<void> {
  const document = parseJson(await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).text())
  const world = { document, token, known: new Map() }
  for (let sent = 0; !stopped; sent += BATCH) {
    await flood({ port, world, seed: seed + sent, count: BATCH, batch: BATCH })
  }
}

/** Bodies of the greatest length that cost the most to look at. */
async function floodWithCostlyOnes(port: number): Promise<void> {
  const filled = (unit: string) =>
    `{"share_index":1,"shares":[${Array(Math.floor(BODY / unit.length))
      .fill(unit)
      .join()}]}`
  const bodies = [
    '0000000000',
    '{"unknown":"member"}',
    '[[[[[[[[]]]]]]]]',
    '"\\u0041\\u0042"',
    '"0xabcdef"',
  ].map(filled)
  const send = async (i: number) => {
    const body = bodies[i % bodies.length] ?? ''
    const head = `POST /exit-signature HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    await exchange(Buffer.from(head + body), { port, expected: 1, bodiless: false })
  }
  const worker = async (first: number) => {
    for (let i = first; !stopped; i++) await send(i)
  }
  await Promise.all(Array.from({ length: COSTLY_AT_ONCE }, (_, i) => worker(i)))
}

async function askHonestly({ port, token }: Extract<Load, { kind: 'honest' }>): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const ask = (path: string) =>
    new Promise<void>((resolve, reject) => {
      const headers = { host: 'localhost', authorization: `Bearer ${token}` }
      request({ agent, port, host: '127.0.0.1', path, headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${path} was answered ${answer.statusCode}`))
        answer.resume().on('end', resolve)
      })
        .on('error', reject)
        .end()
    })
  while (!stopped) {
    for (const path of PATHS) {
      const started = performance.now()
      await ask(path)
      latencies[path]?.push(performance.now() - started)
      await new Promise((resolve) => setTimeout(resolve, PACE))
    }
  }
  agent.destroy()
}

async function run(load: Load): Promise<void> {
  if (load.kind === 'honest') return askHonestly(load)
  if (load.kind === 'costly') return floodWithCostlyOnes(load.port)
  return floodWithHostileOnes(load)
}

let running: Promise<void> = Promise.resolve()
process.on('message', (message: Load | 'stop') => {
  if (message !== 'stop') {
    running = run(message)
    return
  }
  stopped = true
  running.then(
    () => process.send?.(latencies, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    },
  )
})
