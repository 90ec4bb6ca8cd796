/**
 * A small hoodi with a vault: a real EVM with the contracts, a beacon node that follows it, oracles that check
 * what they approve, and an IPFS gateway.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork, type Network } from '../../../core/network.js'
import { NETWORKS } from '../../../core/networks.js'
import { IpfsDouble } from '../ipfs-double.js'
import { createOracles, type Oracles, oracleAccounts, protocolConfigOf } from '../oracles.js'
import { Anvil } from './anvil.js'
import { BeaconMirror } from './beacon-mirror.js'
import { VaultWorld, type VaultWorldOptions } from './contracts.js'
import { OracleServers } from './oracle-servers.js'

/** The vault that the bundled clusters' deposits are for. */
export const VAULT: Hex = '0xba447498DC4c169f2b4f427B2c4D532320457E89'

export interface VaultDevnetOptions extends Pick<VaultWorldOptions, 'kind' | 'manager' | 'sharedMev'> {
  /** Five oracles, of which three recover an exit and three must approve, unless given. */
  readonly oracles?: number
  readonly threshold?: number
  readonly minOracles?: number
  readonly approvalBatchLimit?: number
  /** Seconds that an approval is good for. */
  readonly validityPeriod?: number
  /** Seconds between two blocks; absent: a block for each transaction. */
  readonly blockTime?: number
}

export interface VaultDevnet {
  readonly network: Network
  readonly anvil: Anvil
  readonly world: VaultWorld
  readonly beacon: BeaconMirror
  readonly ipfs: IpfsDouble
  readonly oracles: Oracles
  readonly oracleServers: OracleServers
  /** A folder for whatever runs here; it goes with the devnet. */
  readonly folder: string
  /** What every process is told about the network. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

const VALIDATORS = 1_250_000
/** The EVM's finalized block lies so far behind its head that the config's event is final after these. */
const BLOCKS_TO_FINALITY = 70

/** Starts it. Nothing but loopback is listened on; close() leaves nothing behind. */
export async function startVaultDevnet(options: VaultDevnetOptions): Promise<VaultDevnet> {
  const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-vault-'))
  const networkFile = join(folder, 'network.json')
  writeFileSync(networkFile, JSON.stringify(networkEntry()))
  const network = loadNetwork(undefined, networkFile)
  const { oracles: count = 5, threshold = 3, minOracles = 3 } = options
  const { approvalBatchLimit = 20, validityPeriod = 3600, blockTime } = options
  const oracles = createOracles(count, threshold)
  const ipfs = await new IpfsDouble().listen()
  const anvil = await Anvil.start({ chainId: network.chainId })
  // The servers' addresses are part of the config that the contracts are told, and they look at those contracts.
  const oracleServers: OracleServers = await OracleServers.start({
    network,
    vault: VAULT,
    oracles,
    batchLimit: approvalBatchLimit,
    validityPeriod,
    depositRoot: () => world.depositRoot(),
    manager: () => world.validatorsManager(),
    depositData: async () => ({
      root: await world.depositDataRoot(),
      position: await world.depositDataIndex(),
    }),
    nextIndex: () => beacon.nextIndex(),
    isKnown: (publicKey) => beacon.isKnown(publicKey),
  })
  const { endpoints } = oracleServers
  const config = protocolConfigOf(oracles, { endpoints, approvalBatchLimit, validityPeriod })
  const world = await VaultWorld.place(anvil, {
    ...options,
    network,
    vault: VAULT,
    oracles: oracleAccounts(oracles).map(({ address }) => address),
    minOracles,
    configCid: ipfs.add(config),
  })
  await anvil.rpc('anvil_mine', [`0x${BLOCKS_TO_FINALITY.toString(16)}`])
  const beacon = await BeaconMirror.start(anvil, network, VALIDATORS)
  if (blockTime !== undefined) await anvil.rpc('evm_setIntervalMining', [blockTime])
  return {
    network,
    anvil,
    world,
    beacon,
    ipfs,
    oracles,
    oracleServers,
    folder,
    env: {
      NETWORK_CONFIG_FILE: networkFile,
      EXECUTION_ENDPOINTS: anvil.url,
      CONSENSUS_ENDPOINTS: beacon.url,
      IPFS_FETCH_ENDPOINTS: ipfs.url,
    },
    close: async () => {
      await Promise.all([anvil.stop(), ...[ipfs, beacon, oracleServers].map((server) => server.close())])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** hoodi, whose contracts are there from the first block. */
function networkEntry(): unknown {
  const { depositContract, keeper, ssvNetwork: _, ...hoodi } = loadNetwork('hoodi')
  return {
    ...(NETWORKS['hoodi'] as object),
    ...hoodi,
    depositContract: { ...depositContract, block: 0 },
    keeper: { ...keeper, block: 0 },
  }
}
