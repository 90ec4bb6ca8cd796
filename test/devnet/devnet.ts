/**
 * A small hoodi on this machine: one beacon node, one execution node and an IPFS gateway over a chain in memory
 * whose blocks come in real time, with the bundled SSV cluster registered and the oracles' config published.
 */
import { loadNetwork, type Network } from '../../core/network.js'
import { BeaconDouble } from './beacon-double.js'
import { Chain, compactRegistry, type RecordedLog } from './chain.js'
import { signedDeposit, wronglySigned } from './deposits.js'
import { ExecutionDouble } from './execution-double.js'
import type { HttpDouble } from './http-double.js'
import { IpfsDouble } from './ipfs-double.js'
import { createOracles, type Oracles, protocolConfigOf } from './oracles.js'
import { DvtExitProcess } from './processes.js'
import { bundledSsvLogs } from './ssv-node.js'

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
/** The chain is at least so long: the last of the bundled SSV logs is within it. */
const SHORTEST = 1_240_000
/** Blocks after that, or after the youngest contract. */
const FINALIZED_AFTER = 10_450
const HEAD_AFTER = 10_520
const BLOCK_MILLISECONDS = 1_500
const BLOCKS_PER_EPOCH = 32

export interface DevnetOptions {
  readonly oracles: number
  /** How many oracles recover an exit signature. */
  readonly threshold: number
  /** hoodi unless given. */
  readonly network?: string
  /** SSVNetwork's logs; those of the bundled cluster unless given. */
  readonly ssvLogs?: readonly RecordedLog[]
}

/** Starts the nodes. Nothing but loopback is listened on; close() leaves nothing behind. */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const network = loadNetwork(options.network ?? 'hoodi')
  const oracles = createOracles(options.oracles, options.threshold)
  const ipfs = await new IpfsDouble().listen()
  const { chain, nextIndex } = createChain(
    network,
    ipfs.add(protocolConfigOf(oracles)),
    options.ssvLogs ?? bundledSsvLogs(),
  )
  const beacon = await new BeaconDouble(chain).listen()
  const execution = await new ExecutionDouble(chain).listen()
  const timer = setInterval(() => nextBlock(chain), BLOCK_MILLISECONDS)
  const env = {
    NETWORK: network.name,
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

function createChain(
  network: Network,
  configCid: string,
  ssvLogs: readonly RecordedLog[],
): { chain: Chain; nextIndex: number } {
  const registry = compactRegistry(VALIDATORS)
  const contracts = [network.depositContract, network.keeper, network.ssvNetwork]
  const start = Math.max(SHORTEST, ...contracts.map((contract) => contract?.block ?? 0))
  const finalized = start + FINALIZED_AFTER
  const chain = new Chain({ network, registry, head: start + HEAD_AFTER, finalized })
  chain.addLogs(ssvLogs)
  chain.registerOperators(ssvLogs)
  chain.updateConfig(configCid, start + 450)
  // Three new validators: two wait in the queue, one is in a later event.
  chain.landAt(
    finalized - 20,
    signedDeposit(network, 'queued 1'),
    signedDeposit(network, 'queued 2'),
    wronglySigned(network, 'queued 3'),
  )
  chain.landAt(finalized + 5, signedDeposit(network, 'later 1'), signedDeposit(network, 'queued 1'))
  return { chain, nextIndex: VALIDATORS + 3 }
}

/** Finality comes once an epoch, and with it entries leave the queue, which changes no index. */
function nextBlock(chain: Chain): void {
  chain.advance()
  if (chain.head % BLOCKS_PER_EPOCH !== 0) return
  chain.process(1)
  chain.finalize(chain.head - 2 * BLOCKS_PER_EPOCH)
}
