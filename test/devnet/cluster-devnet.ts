/** The bundled clusters beside a vault's devnet: where relayer and agent run, and where the sidecars do. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { parseDepositData } from '../../core/deposits/deposit-data.js'
import { DepositDataTree } from '../../operator/deposit-data/merkle.js'
import type { BundledValidator } from './clusters.js'
import { startVaultDevnet, VAULT, type VaultDevnet } from './evm/vault-devnet.js'
import type { ExecutionDouble } from './execution-double.js'
import type { ProcedureNet } from './procedure.js'
import { DvtExitProcess } from './processes.js'
import { startSsvNode } from './ssv-node.js'
import { writeWallet } from './wallet-file.js'

export interface ClusterDevnet {
  readonly vault: VaultDevnet
  readonly ssvNode: ExecutionDouble
  /** For relayer and agent. */
  readonly net: ProcedureNet
  /** For sidecars, whose execution node has SSVNetwork's logs. */
  readonly sidecarNet: ProcedureNet
  /** Where the validators manager's key is, for whoever signs with it. */
  readonly managerFiles: Readonly<Record<string, string>>
  /** The agent's environment beside that of the network. */
  readonly agentEnv: Readonly<Record<string, string>>
  close(): Promise<void>
}

const SECONDS_PER_BLOCK = 1
const ETH = 10n ** 18n

export interface ClusterDevnetOptions {
  /** Whether a validators manager of its own registers, whose key the relayer has; else the registry does. */
  readonly managed?: boolean
}

/** A vault that takes these validators, and a wallet with gas. The vault has no assets yet. */
export async function startClusterDevnet(
  validators: readonly BundledValidator[],
  { managed = false }: ClusterDevnetOptions = {},
): Promise<ClusterDevnet> {
  const vault = await startVaultDevnet({ kind: 'v5', blockTime: SECONDS_PER_BLOCK })
  const { world, anvil, network, oracles, folder } = vault
  const ssvNode = await startSsvNode(network)
  const depositData = join(folder, 'deposit_data.json')
  const text = JSON.stringify(validators.map(({ deposit }) => deposit))
  writeFileSync(depositData, text)
  const managerKey = generatePrivateKey()
  const manager = writeWallet(folder, 'manager', managerKey)
  await world.setManager(managed ? privateKeyToAccount(managerKey).address : world.registry)
  await world.setDepositDataRoot(new DepositDataTree(parseDepositData(text, depositData), VAULT).root)
  const privateKey = generatePrivateKey()
  const wallet = writeWallet(folder, 'wallet', privateKey)
  await anvil.setBalance(privateKeyToAccount(privateKey).address, ETH)
  const sidecarEnv = {
    NETWORK: network.name,
    EXECUTION_ENDPOINTS: ssvNode.url,
    CONSENSUS_ENDPOINTS: vault.beacon.url,
    POLL_INTERVAL: '1',
  }
  return {
    vault,
    ssvNode,
    net: netOf(vault.env),
    sidecarNet: netOf(sidecarEnv),
    managerFiles: {
      VALIDATORS_MANAGER_KEY_FILE: manager.file,
      VALIDATORS_MANAGER_PASSWORD_FILE: manager.passwordFile,
    },
    agentEnv: {
      VAULT,
      DEPOSIT_DATA_FILE: depositData,
      DATABASE: join(folder, 'operator.db'),
      WALLET_FILE: wallet.file,
      WALLET_PASSWORD_FILE: wallet.passwordFile,
      POLL_INTERVAL: '1',
    },
    close: async () => {
      await ssvNode.close()
      await vault.close()
    },
  }

  function netOf(env: Readonly<Record<string, string>>): ProcedureNet {
    return {
      network,
      oracles,
      run: (name, args, cwd, more) => new DvtExitProcess(name, args, { ...env, ...more }, cwd),
    }
  }
}
