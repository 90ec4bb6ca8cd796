/** A relayer as a process, with all that it can be asked for: clusters, a vault on a real EVM, a manager's key. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../../../core/json.js'
import { type ClusterDevnet, startClusterDevnet } from '../../devnet/cluster-devnet.js'
import { BUNDLED_CLUSTERS, bundledValidators } from '../../devnet/clusters.js'
import { VAULT } from '../../devnet/evm/vault-devnet.js'
import { startRelayer } from '../../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../../devnet/processes.js'
import { createCluster, garbage, type TestValidator } from '../../relayer/clusters.js'
import { until } from '../kills/waiting.js'
import type { HostileWorld } from './hostile-requests.js'
import { type MemorySample, sampleOf } from './memory.js'

const COLLECT_BEFORE_MEASURING = new URL('./collect-before-measuring.mjs', import.meta.url).href
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`

export interface SceneOptions {
  /** The relayer's environment beside what all scenes have. */
  readonly env?: Readonly<Record<string, string>>
}

export class FloodScene {
  readonly relayer: DvtExitProcess
  readonly port: number
  /** An operator's. */
  readonly token: string
  readonly #devnet: ClusterDevnet
  readonly #database: string

  private constructor(parts: {
    relayer: DvtExitProcess
    port: number
    token: string
    devnet: ClusterDevnet
    database: string
  }) {
    this.relayer = parts.relayer
    this.port = parts.port
    this.token = parts.token
    this.#devnet = parts.devnet
    this.#database = parts.database
  }

  static async start({ env = {} }: SceneOptions = {}): Promise<FloodScene> {
    const devnet = await startClusterDevnet(bundledValidators(), { managed: true })
    const { folder } = devnet.vault
    const database = join(folder, 'relayer.db')
    const args = ['relayer', 'token', 'new', '--role', 'operator', '--name', 'flood']
    const made = devnet.net.run('token', args, folder, { DATABASE: database })
    await made.exited
    const publicKeys = join(folder, 'public_keys.csv')
    writeFileSync(
      publicKeys,
      `${bundledValidators()
        .map(({ publicKey }) => publicKey)
        .join('\n')}\n`,
    )
    const port = await freePort()
    const { process } = await startRelayer(devnet.net, folder, port, {
      ...BUNDLED_CLUSTERS,
      ...devnet.managerFiles,
      VAULTS: VAULT,
      PUBLIC_KEYS_FILE: publicKeys,
      NODE_OPTIONS: `--import ${COLLECT_BEFORE_MEASURING}`,
      ...env,
    })
    return new FloodScene({ relayer: process, port, token: made.stdout.trim(), devnet, database })
  }

  get database(): string {
    return this.#database
  }

  get keyFile(): string {
    return join(this.#devnet.vault.folder, 'keys', 'relayer.key')
  }

  /** The text that a path is answered with. @throws Error unless it is answered 200 */
  async get(path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      signal: AbortSignal.timeout(30_000),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${text}`)
    return text
  }

  async post(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`POST ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  /** What hostile requests are made of here. */
  async world(): Promise<HostileWorld> {
    const validators = bundledValidators()
    return {
      document: parseJson(await this.get('/openapi.json')),
      token: this.token,
      known: new Map([
        [20, [VAULT]],
        [48, [...validators.map(({ publicKey }) => publicKey), newValidator().validator.publicKey]],
        [96, [hex(garbage(1)), hex(garbage(2)), `0xc0${'00'.repeat(95)}`]],
      ]),
    }
  }

  async memory(requests: number): Promise<MemorySample> {
    return sampleOf(requests, await this.get('/metrics'))
  }

  /** Asks for the exit of a new validator, signs it as three of its nodes, and waits for the oracles' shares. */
  async serveHonestRequest(): Promise<void> {
    const { validator, sign } = newValidator()
    const ask = async () =>
      (await this.post('/validators', { public_keys: [validator.publicKey] })) as { ready: boolean }
    await ask()
    const { exits } = JSON.parse(await this.get('/exits')) as {
      exits: { public_key: string; validator_index: number }[]
    }
    const index = exits.find(({ public_key }) => public_key === validator.publicKey)?.validator_index
    if (index === undefined) throw new Error('the exit is not listed')
    for (const node of [1n, 2n, 4n]) {
      const shares = [{ public_key: validator.publicKey, exit_signature: hex(sign(node, index)) }]
      await this.post('/exit-signature', { share_index: Number(node), shares })
    }
    await until('the exit is ready', async () => (await ask()).ready)
  }

  async stop(): Promise<void> {
    await this.relayer.stop()
    await this.#devnet.close()
  }
}

function newValidator(): TestValidator {
  return createCluster([1n, 2n, 3n, 4n], 3)
}
