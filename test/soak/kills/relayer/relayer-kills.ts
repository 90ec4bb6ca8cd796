/** kill -9 of a relayer at random moments: while it starts, while it works, while it makes its database. */
import { existsSync } from 'node:fs'
import type { DvtExitProcess } from '../../../devnet/processes.js'
import { check, type Outcome, type SoakPart, sum } from '../../part.js'
import { damageOf, withCopy } from '../database-copy.js'
import { type Random, seededRandom } from '../random.js'
import { pause, until } from '../waiting.js'
import { faultsOf } from './database-file.js'
import { RelayerScene } from './scene.js'

const KILLS = { long: 200, short: 40 }
/** Milliseconds of work before a kill, and of a database's making, at most. */
const LONGEST_WORK = 900
const LONGEST_BIRTH = 150
/** Older waves that are asked for again after each restart. */
const SAMPLE = 3

const MOMENTS = [
  'working',
  'working',
  'working',
  'working',
  'starting',
  'starting',
  'starting',
  'born',
] as const

export const relayerKills: SoakPart = {
  name: 'kill -9 of the relayer',
  async run(short) {
    const random = seededRandom('relayer')
    const kills = short ? KILLS.short : KILLS.long
    const scene = await RelayerScene.start(kills * 2, random)
    try {
      scene.load.start()
      const outcomes: Outcome[] = []
      for (let i = 0; i < kills; i++) outcomes.push(await killOnce(scene, random, i))
      outcomes.push(await finish(scene, random))
      tell(scene)
      return sum(outcomes)
    } finally {
      await scene.load.stop()
      await scene.close()
    }
  },
}

/** How long the last start took, milliseconds. */
let startTime = 2_000

async function killOnce(scene: RelayerScene, random: Random, i: number): Promise<Outcome> {
  const moment = random.pick(MOMENTS)
  switch (moment) {
    case 'born':
      return check(`kill ${i}, while the database is made`, () => killNewborn(scene, random))
    case 'starting':
      return check(`kill ${i}, while it starts`, async () => {
        const relayer = scene.run()
        await killAfter(relayer, random.between(0, Math.round(startTime)))
        assertNothing(faultsOf(scene.database, scene))
      })
    case 'working':
      return check(`kill ${i}, while it works`, async () => {
        const relayer = await started(scene)
        try {
          assertNothing(await scene.forgotten(SAMPLE, random), relayer)
          await killAfter(relayer, random.between(0, LONGEST_WORK))
        } finally {
          await relayer.kill()
        }
        assertNothing(faultsOf(scene.database, scene))
      })
  }
}

async function started(scene: { run: () => DvtExitProcess }): Promise<DvtExitProcess> {
  const began = performance.now()
  const relayer = scene.run()
  await relayer.waitFor(/listening/)
  startTime = performance.now() - began
  return relayer
}

/** @throws Error where it ended by itself before */
async function killAfter(relayer: DvtExitProcess, milliseconds: number): Promise<void> {
  await pause(milliseconds)
  if (!relayer.running) throw new Error(`it ended by itself:\n${relayer.output}`)
  await relayer.kill()
}

async function killNewborn(scene: RelayerScene, random: Random): Promise<void> {
  const { run, database } = scene.another()
  const first = run()
  await until('its database is there', () => existsSync(database))
  await killAfter(first, random.between(0, LONGEST_BIRTH))
  assertNothing(withCopy(database, damageOf))
  await (await started({ run })).kill()
}

/** All that was asked for gets ready, and the relayer ends as it is told. */
async function finish(scene: RelayerScene, random: Random): Promise<Outcome> {
  return check('after all kills', async () => {
    const relayer = await started(scene)
    const waves = scene.load.waves.length
    await until('the last wave is ready', () => scene.load.waves.length > waves, 60_000)
    await scene.load.stop()
    assertNothing(await scene.forgotten(scene.load.waves.length, random), relayer)
    await relayer.stop()
    const { code } = await relayer.exited
    if (code !== 0) throw new Error(`it ended with ${code}:\n${relayer.output}`)
    assertNothing(faultsOf(scene.database, scene))
  })
}

function assertNothing(faults: readonly string[], relayer?: DvtExitProcess): void {
  if (faults.length === 0) return
  const shown = faults.slice(0, 5).join('\n    ')
  const more = faults.length > 5 ? `\n    and ${faults.length - 5} more` : ''
  throw new Error(`${shown}${more}${relayer === undefined ? '' : `\n${relayer.output.slice(-2_000)}`}`)
}

/** What the load was, so that one sees that there was any. */
function tell({ ledger, load }: RelayerScene): void {
  const shares = [...ledger.shares.values()].reduce((count, indexes) => count + indexes.size, 0)
  process.stdout.write(
    `  ${load.waves.length} waves, ${ledger.asked.size} messages, ${shares} acknowledged shares, ${ledger.served.size} served; a start took ${(startTime / 1000).toFixed(1)} s\n`,
  )
}
