import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hex, PublicKeyHex } from '../../../../core/hex.js'
import { startDevnet } from '../../../devnet/devnet.js'
import { makeObolCluster } from '../../../devnet/made-clusters.js'
import type { SoakPart } from '../../part.js'
import { seededRandom } from '../random.js'
import { SidecarKills, type SidecarScene } from './sidecar-kills.js'
import { WantingRelayer } from './wanting-relayer.js'

const KILLS = { long: 50, short: 10 }
const VALIDATORS = 12
const NODE = 2

interface Lock {
  readonly distributed_validators: readonly {
    readonly distributed_public_key: PublicKeyHex
    readonly public_shares: readonly Hex[]
  }[]
}

/** One Charon node of four. */
export const obolKills: SoakPart = {
  name: 'kill -9 of an Obol sidecar',
  async run(short) {
    const random = seededRandom('obol')
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-obol-kills-'))
    const devnet = await startDevnet({ oracles: 4, threshold: 3, ssvLogs: [] })
    const kdf = { function: 'pbkdf2', c: 1_000 } as const
    const cluster = makeObolCluster(folder, devnet.network, {
      nodes: 4,
      threshold: 3,
      validators: VALIDATORS,
      kdf,
    })
    const lock = JSON.parse(readFileSync(cluster.lockFile, 'utf8')) as Lock
    const shares = new Map(
      lock.distributed_validators.map(
        (one) => [one.distributed_public_key, one.public_shares[NODE] ?? '0x'] as const,
      ),
    )
    const auditLog = join(folder, 'audit.log')
    const relayer = new WantingRelayer({
      network: devnet.network,
      shareIndex: BigInt(NODE + 1),
      publicShareOf: (publicKey) => shares.get(publicKey) ?? '0x',
      auditLog,
    })
    await relayer.double.start()
    const scene: SidecarScene = {
      relayer,
      auditLog,
      moments: [],
      run: (env) =>
        devnet.run('sidecar', ['sidecar', 'obol'], folder, {
          RELAYER_ENDPOINT: relayer.double.url,
          OBOL_KEYSTORES_DIR: cluster.template.replace('{node_index}', String(NODE)),
          AUDIT_LOG: auditLog,
          POLL_INTERVAL: '0.1',
          ...env,
        }),
      advance: () => cluster.validators.map(({ publicKey }) => publicKey),
      faults: () => [],
    }
    try {
      return await new SidecarKills(scene, random).run(short ? KILLS.short : KILLS.long)
    } finally {
      await relayer.double.stop()
      await devnet.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
