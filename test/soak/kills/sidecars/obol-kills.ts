import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDevnet } from '../../../devnet/devnet.js'
import type { SoakPart } from '../../part.js'
import { seededRandom } from '../random.js'
import { ObolNode } from './obol-node.js'
import { SidecarKills } from './sidecar-kills.js'

const KILLS = { long: 50, short: 10 }
const VALIDATORS = 12

/** One Charon node of four. */
export const obolKills: SoakPart = {
  name: 'kill -9 of an Obol sidecar',
  async run(short) {
    const random = seededRandom('obol')
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-obol-kills-'))
    const devnet = await startDevnet({ oracles: 4, threshold: 3, ssvLogs: [] })
    const node = await ObolNode.start(devnet, folder, VALIDATORS)
    const scene = {
      relayer: node.relayer,
      auditLog: node.auditLog,
      moments: [],
      run: (env: Readonly<Record<string, string>> = {}) =>
        devnet.run('sidecar', ['sidecar', 'obol'], folder, { ...node.env, ...env }),
      advance: () => node.publicKeys,
      faults: () => [],
    }
    try {
      return await new SidecarKills(scene, random).run(short ? KILLS.short : KILLS.long)
    } finally {
      await node.close()
      await devnet.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
