/** A Charon node of four whose relayer wants exits of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hex, PublicKeyHex } from '../../../../core/hex.js'
import type { Devnet } from '../../../devnet/devnet.js'
import { makeObolCluster } from '../../../devnet/made-clusters.js'
import { WantingRelayer } from './wanting-relayer.js'

const NODE = 2

interface Lock {
  readonly distributed_validators: readonly {
    readonly distributed_public_key: PublicKeyHex
    readonly public_shares: readonly Hex[]
  }[]
}

export class ObolNode {
  readonly relayer: WantingRelayer
  readonly publicKeys: readonly PublicKeyHex[]
  readonly auditLog: string
  readonly #env: Readonly<Record<string, string>>

  private constructor(devnet: Devnet, folder: string, validators: number) {
    const kdf = { function: 'pbkdf2', c: 1_000 } as const
    const cluster = makeObolCluster(folder, devnet.network, { nodes: 4, threshold: 3, validators, kdf })
    const lock = JSON.parse(readFileSync(cluster.lockFile, 'utf8')) as Lock
    const shares = new Map(
      lock.distributed_validators.map(
        (one) => [one.distributed_public_key, one.public_shares[NODE] ?? '0x'] as const,
      ),
    )
    this.publicKeys = cluster.validators.map(({ publicKey }) => publicKey)
    this.auditLog = join(folder, 'audit.log')
    this.relayer = new WantingRelayer({
      network: devnet.network,
      shareIndex: BigInt(NODE + 1),
      publicShareOf: (publicKey) => shares.get(publicKey) ?? '0x',
      auditLog: this.auditLog,
    })
    this.#env = {
      OBOL_KEYSTORES_DIR: cluster.template.replace('{node_index}', String(NODE)),
      AUDIT_LOG: this.auditLog,
      POLL_INTERVAL: '0.1',
    }
  }

  /** @param folder for the cluster's files and the audit log */
  static async start(devnet: Devnet, folder: string, validators: number): Promise<ObolNode> {
    const node = new ObolNode(devnet, folder, validators)
    await node.relayer.double.start()
    return node
  }

  /** What its sidecar is told, beside the network. */
  get env(): Readonly<Record<string, string>> {
    return { RELAYER_ENDPOINT: this.relayer.double.url, ...this.#env }
  }

  close(): Promise<void> {
    return this.relayer.double.stop()
  }
}
