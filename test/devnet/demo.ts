/**
 * `npm start`: the whole procedure on this machine. A small devnet, a relayer, four sidecars of a real Charon
 * cluster and four of a real SSV cluster as processes of their own, an operator that collects the exits of
 * five validators; then the oracles open their parts and put the exit signatures together again.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeError } from '../../core/errors.js'
import { BUNDLED_CLUSTERS, type BundledValidator, bundledValidators } from './clusters.js'
import { type Devnet, startDevnet } from './devnet.js'
import {
  type CheckedExit,
  type CollectedFile,
  checkCollected,
  startRelayer,
  startSidecars,
} from './procedure.js'
import { type DvtExitProcess, freePort } from './processes.js'
import { ProgressScreen, watchExits } from './progress-screen.js'

const once = process.argv.includes('--once')
const running: DvtExitProcess[] = []
let devnet: Devnet | undefined
const stopped = new AbortController()

async function main(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-demo-'))
  try {
    devnet = await startDevnet({ oracles: 5, threshold: 3 })
    say(
      `devnet: beacon node ${devnet.beaconUrl}, execution node ${devnet.executionUrl}, 5 oracles (3 recover)`,
    )
    const held = await procedure(devnet, folder)
    if (!once && !stopped.signal.aborted) {
      say('\nEverything stays up until Ctrl+C.')
      await new Promise<void>((resolve) => stopped.signal.addEventListener('abort', () => resolve()))
    }
    return held
  } finally {
    await Promise.allSettled(running.map((child) => child.stop()))
    await devnet?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function procedure(net: Devnet, folder: string): Promise<boolean> {
  const validators = bundledValidators()
  const relayer = await startRelayer(net, folder, await freePort(), BUNDLED_CLUSTERS)
  running.push(relayer.process)
  say(`relayer: ${relayer.url}, its API at ${relayer.url}/docs`)
  const sidecars = startSidecars(net, folder, relayer.url)
  running.push(...sidecars)
  say(`sidecars: ${sidecars.map((sidecar) => sidecar.name).join(', ')}`)

  const depositData = join(folder, 'deposit_data.json')
  const out = join(folder, 'exits.json')
  writeFileSync(depositData, JSON.stringify(validators.map((validator) => validator.deposit)))
  const operator = net.run(
    'operator',
    [
      'operator',
      'collect',
      '--deposit-data',
      depositData,
      '--count',
      String(validators.length),
      '--out',
      out,
    ],
    folder,
    { RELAYER_ENDPOINT: relayer.url },
  )
  running.push(operator)
  say(`operator: asks for the exits of ${validators.length} validators\n`)

  const screen = new ProgressScreen(validators, process.stdout)
  const watching = watchExits(relayer.url, screen, () => !operator.running)
  const { code } = await operator.exited
  await watching
  screen.close()
  if (code !== 0) {
    say(`operator ended with ${code}:\n${operator.output}`)
    for (const child of running) if (!child.running) say(`${child.name}:\n${child.output}`)
    return false
  }
  return report(net, validators, JSON.parse(readFileSync(out, 'utf8')) as CollectedFile, screen)
}

function report(
  net: Devnet,
  validators: readonly BundledValidator[],
  file: CollectedFile,
  screen: ProgressScreen,
): boolean {
  const exits = checkCollected(net, validators, file)
  say(
    '\nvalidator            index     signed by            seconds  3 of 5 oracles recombine to the exit signature',
  )
  for (const exit of exits) {
    const seen = screen.seen(exit.validator.publicKey)
    const columns = [
      exit.validator.name.padEnd(20),
      String(exit.validatorIndex).padEnd(9),
      (seen?.shareIndexes.join(', ') ?? '?').padEnd(20),
      (seen?.seconds?.toFixed(1) ?? '?').padEnd(8),
      verdict(exit),
    ]
    say(columns.join(' '))
  }
  const held = exits.length === validators.length && exits.every((exit) => exit.failure === undefined)
  say(held ? '\nAll of it held.' : '\nIt did NOT hold.')
  return held
}

function verdict(exit: CheckedExit): string {
  return exit.failure === undefined ? 'yes' : `NO: ${exit.failure}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** A terminal sends Ctrl+C to everybody and npm sends it on: what follows at once is the same one. */
let firstStop = 0
function stop(): void {
  const now = Date.now()
  if (stopped.signal.aborted && now - firstStop > 1_000) process.exit(130)
  if (stopped.signal.aborted) return
  firstStop = now
  say('\nstopping')
  stopped.abort()
  for (const child of running) void child.stop()
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)

try {
  const held = await main()
  process.exit(held ? 0 : 1)
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`)
  process.exit(1)
}
