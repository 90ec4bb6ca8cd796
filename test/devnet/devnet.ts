/**
 * A small hoodi on this machine: one beacon node, one execution node and an IPFS gateway over a chain in memory
 * whose blocks come in real time, with the bundled SSV cluster registered and the oracles' config published.
 */
import { readFileSync } from 'node:fs'
import { loadNetwork, type Network } from '../../core/network.js'
import { BeaconDouble } from './beacon-double.js'
import { Chain, compactRegistry, type RecordedLog } from './chain.js'
import { SSV_LOGS } from './clusters.js'
import { signedDeposit, wronglySigned } from './deposits.js'
import { ExecutionDouble } from './execution-double.js'
import type { HttpDouble } from './http-double.js'
import { IpfsDouble } from './ipfs-double.js'
import { createOracles, type Oracles, protocolConfigOf } from './oracles.js'
import { DvtExitProcess } from './processes.js'

export interface Devnet {
  readonly network: Network
  readonly oracles: Oracles
  readonly beaconUrl: string
  readonly executionUrl: string
  readonly ipfsUrl: string
  readonly chain: Chain
  /** The index that the next validator gets, as long as no deposit lands. */
  readonly nextIndex: number
  /** What every process is told about the network. */
  readonly env: Readonly<Record<string, string>>
  /** Starts a dvt-exit command on this devnet. */
  run(
    name: string,
    args: readonly string[],
    folder: string,
    env: Readonly<Record<string, string>>,
  ): DvtExitProcess
  close(): Promise<void>
}

const VALIDATORS = 1_250_000
/** Beyond the last of the bundled SSV logs. */
const HEAD = 1_250_520
const FINALIZED = 1_250_450
const BLOCK_MILLISECONDS = 1_500
const BLOCKS_PER_EPOCH = 32

/** Starts the nodes. Nothing but loopback is listened on; close() leaves nothing behind. */
export async function startDevnet(options: { oracles: number; threshold: number }): Promise<Devnet> {
  const network = loadNetwork('hoodi')
  const oracles = createOracles(options.oracles, options.threshold)
  const ipfs = await new IpfsDouble().listen()
  const { chain, nextIndex } = createChain(network, ipfs.add(protocolConfigOf(oracles)))
  const beacon = await new BeaconDouble(chain).listen()
  const execution = await new ExecutionDouble(chain).listen()
  const timer = setInterval(() => nextBlock(chain), BLOCK_MILLISECONDS)
  const env = {
    NETWORK: 'hoodi',
    EXECUTION_ENDPOINT: execution.url,
    CONSENSUS_ENDPOINT: beacon.url,
    IPFS_FETCH_ENDPOINTS: ipfs.url,
    POLL_INTERVAL: '1',
  }
  return {
    network,
    oracles,
    beaconUrl: beacon.url,
    executionUrl: execution.url,
    ipfsUrl: ipfs.url,
    chain,
    nextIndex,
    env,
    run: (name, args, folder, more) => new DvtExitProcess(name, args, { ...env, ...more }, folder),
    close: async () => {
      clearInterval(timer)
      await Promise.all([ipfs, beacon, execution].map((double: HttpDouble) => double.close()))
    },
  }
}

function createChain(network: Network, configCid: string): { chain: Chain; nextIndex: number } {
  const registry = compactRegistry(VALIDATORS)
  const chain = new Chain({ network, registry, head: HEAD, finalized: FINALIZED })
  const ssvLogs = JSON.parse(readFileSync(SSV_LOGS, 'utf8')) as RecordedLog[]
  chain.addLogs(ssvLogs)
  chain.registerOperators(ssvLogs)
  chain.updateConfig(configCid, FINALIZED - 10_000)
  // Three new validators: two wait in the queue, one is in a later event.
  chain.landAt(
    FINALIZED - 20,
    signedDeposit(network, 'queued 1'),
    signedDeposit(network, 'queued 2'),
    wronglySigned(network, 'queued 3'),
  )
  chain.landAt(FINALIZED + 5, signedDeposit(network, 'later 1'), signedDeposit(network, 'queued 1'))
  return { chain, nextIndex: VALIDATORS + 3 }
}

/** Finality comes once an epoch, and with it entries leave the queue, which changes no index. */
function nextBlock(chain: Chain): void {
  chain.advance()
  if (chain.head % BLOCKS_PER_EPOCH !== 0) return
  chain.process(1)
  chain.finalize(chain.head - 2 * BLOCKS_PER_EPOCH)
}
