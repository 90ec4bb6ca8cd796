/**
 * `npm start`: the whole procedure on this machine. A devnet with a vault on a real EVM, a relayer, four sidecars
 * of a real Charon cluster and four of a real SSV cluster as processes of their own, and the operator agent, which
 * registers the five validators of both clusters as the vault gets assets; then the oracles open their parts and
 * put the exit signatures together again.
 */
import { formatEther } from 'viem'
import { describeError } from '../../core/errors.js'
import { shorten } from '../../core/hex.js'
import { type ClusterDevnet, startClusterDevnet } from './cluster-devnet.js'
import { BUNDLED_CLUSTERS, type BundledValidator, bundledValidators } from './clusters.js'
import { VAULT } from './evm/vault-devnet.js'
import { startRelayer, startSidecars } from './procedure.js'
import { type DvtExitProcess, freePort } from './processes.js'
import { ProgressScreen, watchExits } from './progress-screen.js'
import { registeringTransactions } from './registered.js'

const once = process.argv.includes('--once')
const running: DvtExitProcess[] = []
let devnet: ClusterDevnet | undefined
const stopped = new AbortController()

const ETH = 10n ** 18n
const VALIDATOR = 32n * ETH
/** Validators that the vault can afford at first; the assets for the others come when these are registered. */
const FIRST = 3
const LONGEST_WAIT = 180_000

async function main(): Promise<boolean> {
  try {
    const validators = bundledValidators()
    devnet = await startClusterDevnet(validators)
    const { anvil, beacon } = devnet.vault
    say(
      `devnet: execution node ${anvil.url} (anvil), beacon node ${beacon.url}, 5 oracles (3 approve, 3 recover)`,
    )
    say(`vault: ${VAULT}, version 5, registers through the deposit data registry`)
    const held = await procedure(devnet, validators)
    if (!once && !stopped.signal.aborted) {
      say('\nEverything stays up until Ctrl+C.')
      await new Promise<void>((resolve) => stopped.signal.addEventListener('abort', () => resolve()))
    }
    return held
  } finally {
    await Promise.allSettled(running.map((child) => child.stop()))
    await devnet?.close()
  }
}

async function procedure(net: ClusterDevnet, validators: readonly BundledValidator[]): Promise<boolean> {
  const { world, folder } = net.vault
  const relayer = await startRelayer(net.net, folder, await freePort(), BUNDLED_CLUSTERS)
  running.push(relayer.process)
  say(`relayer: ${relayer.url}, its API at ${relayer.url}/docs`)
  const sidecars = startSidecars(net.sidecarNet, folder, relayer.url)
  running.push(...sidecars)
  say(`sidecars: ${sidecars.map((sidecar) => sidecar.name).join(', ')}`)
  const agent = net.net.run('operator', ['operator'], folder, {
    ...net.agentEnv,
    RELAYER_ENDPOINT: relayer.url,
  })
  running.push(agent)
  const screen = new ProgressScreen(validators, process.stdout)
  const registered = async () => (await world.registered()).length

  for (const wanted of [FIRST, validators.length]) {
    const assets = BigInt(wanted - (await registered())) * VALIDATOR
    await world.fund(assets)
    say(`\noperator: the vault gets ${formatEther(assets)} ETH, the agent registers what they suffice for\n`)
    const end = Date.now() + LONGEST_WAIT
    let done = false
    const isOver = () => done || !agent.running || stopped.signal.aborted || Date.now() > end
    const watching = watchExits(relayer.url, screen, isOver)
    while (!isOver()) {
      done = (await registered()) >= wanted
      if (!done) await new Promise((resolve) => setTimeout(resolve, 250))
    }
    await watching
    screen.close()
    if (!done) return failed(agent)
  }
  return report(net, validators, screen)
}

function failed(agent: DvtExitProcess): false {
  if (stopped.signal.aborted) return false
  say(`the operator did not register the validators:\n${agent.output}`)
  for (const child of running) if (!child.running) say(`${child.name}:\n${child.output}`)
  return false
}

async function report(
  { vault }: ClusterDevnet,
  validators: readonly BundledValidator[],
  screen: ProgressScreen,
): Promise<boolean> {
  const transactions = await registeringTransactions(vault)
  say('\ntransaction                                                         block  gas      registered')
  for (const { hash, block, gasUsed, publicKeys } of transactions) {
    const names = publicKeys.map((key) => nameOf(validators, key))
    say([hash, String(block).padEnd(6), String(gasUsed).padEnd(8), names.join(', ')].join(' '))
  }
  const exits = new Map(vault.oracleServers.recoverableExits().map((exit) => [exit.publicKey, exit]))
  const order = transactions.flatMap(({ publicKeys }) => publicKeys)
  const start = (await vault.beacon.nextIndex()) - order.length
  say('\nvalidator            index     signed by            seconds  the oracles can exit it')
  let held = order.join() === validators.map(({ publicKey }) => publicKey).join()
  for (const [i, publicKey] of order.entries()) {
    const seen = screen.seen(publicKey)
    const exit = exits.get(publicKey)
    const fits = exit?.validatorIndex === start + i
    held &&= fits
    const columns = [
      nameOf(validators, publicKey).padEnd(20),
      String(start + i).padEnd(9),
      (seen?.shareIndexes.join(', ') ?? '?').padEnd(20),
      (seen?.seconds?.toFixed(1) ?? '?').padEnd(8),
      fits
        ? `yes, any 3 of ${exit.holders}`
        : `NO: ${exit === undefined ? 'no exit' : `for ${exit.validatorIndex}`}`,
    ]
    say(columns.join(' '))
  }
  say(held ? '\nAll of it held.' : '\nIt did NOT hold.')
  return held
}

function nameOf(validators: readonly BundledValidator[], publicKey: string): string {
  return validators.find((validator) => validator.publicKey === publicKey)?.name ?? shorten(publicKey)
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
