import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDevnet } from '../../../devnet/devnet.js'
import type { DvtExitProcess } from '../../../devnet/processes.js'
import { check, type SoakPart, sum } from '../../part.js'
import { damageOf, rowsOf, withCopy } from '../database-copy.js'
import { seededRandom } from '../random.js'
import { VAULT } from '../vault.js'
import { SidecarKills, type SidecarScene } from './sidecar-kills.js'
import { SsvRegistry } from './ssv-registry.js'
import { WantingRelayer } from './wanting-relayer.js'

const KILLS = { long: 50, short: 10 }
const OPERATOR_IDS = [7n, 1_000n, 70_000n, 2n ** 53n + 1n] as const
/** Which of them is killed. */
const OPERATOR = 3
/** As many blocks become final at most, one at least: each kill finds something to read. */
const VALIDATORS_PER_KILL = 2

/** What the follower's database held when a process was killed. */
interface Kept {
  readonly checkpoint: number
  readonly logs: readonly string[]
}

/** One SSV operator of four, while its owner registers validators. */
export const ssvKills: SoakPart = {
  name: 'kill -9 of an SSV sidecar',
  async run(short) {
    const random = seededRandom('ssv')
    const kills = short ? KILLS.short : KILLS.long
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-ssv-kills-'))
    const devnet = await startDevnet({ oracles: 4, threshold: 3, ssvLogs: [] })
    const registry = new SsvRegistry(devnet.network, OPERATOR_IDS, kills * VALIDATORS_PER_KILL + 1)
    await registry.execution.listen()
    const auditLog = join(folder, 'audit.log')
    const database = join(folder, 'ssv-sidecar.db')
    const relayer = new WantingRelayer({
      network: devnet.network,
      shareIndex: OPERATOR_IDS[OPERATOR],
      publicShareOf: (publicKey) => registry.publicShareOf(publicKey, OPERATOR),
      auditLog,
    })
    await relayer.double.start()
    registry.execution.alter = ({ body }, answer) => {
      if (body.includes('eth_getLogs')) relayer.onStep('reads')
      return answer
    }
    const keyFile = join(folder, 'operator.base64')
    writeFileSync(keyFile, registry.cluster.operatorKeys.get(OPERATOR_IDS[OPERATOR]) ?? '', { mode: 0o600 })
    const run = (env: Readonly<Record<string, string>> = {}): DvtExitProcess =>
      devnet.run('sidecar', ['sidecar', 'ssv'], folder, {
        RELAYER_ENDPOINT: relayer.double.url,
        SSV_OPERATOR_KEY_FILE: keyFile,
        EXECUTION_ENDPOINT: registry.execution.url,
        SIDECAR_VAULTS: VAULT,
        DATABASE: database,
        AUDIT_LOG: auditLog,
        POLL_INTERVAL: '0.1',
        SSV_POLL_INTERVAL: '0.1',
        ...env,
      })
    const seen: Kept[] = []
    const scene: SidecarScene = {
      relayer,
      auditLog,
      moments: ['reads', 'reads'],
      run,
      advance: () => registry.finalize(random.between(1, VALIDATORS_PER_KILL)),
      faults: () => {
        if (!existsSync(database)) return []
        return withCopy(database, (copy) => {
          const kept = keptIn(copy)
          if (kept !== undefined) seen.push(kept)
          return damageOf(copy)
        })
      },
    }
    try {
      const killed = await new SidecarKills(scene, random).run(kills)
      registry.finalizeAll()
      const compared = await check('the database is that of a sidecar that nobody killed', async () => {
        await readOn(run())
        scene.faults()
        const other = join(folder, 'undisturbed')
        mkdirSync(other)
        const undisturbed = join(other, 'ssv-sidecar.db')
        await readOn(run({ DATABASE: undisturbed, AUDIT_LOG: join(other, 'audit.log') }))
        const whole = withCopy(undisturbed, keptIn)
        if (whole === undefined) throw new Error('the undisturbed one has read nothing')
        compare(seen, whole)
      })
      return sum([killed, compared])
    } finally {
      await relayer.double.stop()
      await registry.execution.close()
      await devnet.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Lets it read all that is final. */
async function readOn(sidecar: DvtExitProcess): Promise<void> {
  try {
    await sidecar.waitFor(/holds key shares of \d+ validators/)
  } finally {
    await sidecar.kill()
  }
}

/** @returns undefined where it was killed before there was anything */
function keptIn(database: Parameters<typeof rowsOf>[0]): Kept | undefined {
  const tables = rowsOf(database, "SELECT 1 FROM sqlite_master WHERE name = 'ssv_logs'")
  if (tables.length === 0) return undefined
  const [row] = rowsOf(database, 'SELECT max(block_number) AS block FROM ssv_checkpoints')
  const logs = rowsOf(
    database,
    `SELECT block_number, log_index, owner, topics, hex(data) AS data, signed_nonce, shares_belong_together
      FROM ssv_logs ORDER BY block_number, log_index`,
  )
  return { checkpoint: Number(row?.['block'] ?? 0), logs: logs.map((log) => JSON.stringify(log)) }
}

/** Up to its checkpoint each has what the whole has, no log less and none more. */
function compare(seen: readonly Kept[], whole: Kept): void {
  const blockOf = (log: string) => (JSON.parse(log) as { block_number: number }).block_number
  const last = seen.at(-1)
  if (last?.checkpoint !== whole.checkpoint)
    throw new Error(`read to ${last?.checkpoint} of ${whole.checkpoint}`)
  for (const { checkpoint, logs } of seen) {
    const expected = whole.logs.filter((log) => blockOf(log) <= checkpoint)
    if (expected.join('\n') === logs.join('\n')) continue
    throw new Error(
      `at block ${checkpoint} it had ${logs.length} logs, ${expected.length} were expected, or others`,
    )
  }
  process.stdout.write(`  ${whole.logs.length} logs, compared at ${seen.length} kills\n`)
}
