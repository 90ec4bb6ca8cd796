/** 20,000 hostile requests at a relayer process: what it answers, logs, keeps and needs. */
import type { DvtExitProcess } from '../../devnet/processes.js'
import { seededRandom } from '../kills/random.js'
import { check, type SoakPart, sum } from '../part.js'
import { keptWords } from './database-content.js'
import { type FloodReport, flood } from './flood.js'
import { growthOf, inMib, type MemorySample } from './memory.js'
import { FloodScene } from './scene.js'
import { wordsOf } from './words.js'

const REQUESTS = 20_000
const LONG_REQUESTS = 60_000
const BATCH = 500
/** Lines at the levels that are shown unless told otherwise. */
const MOST_LINES = 200
/** Each of them has to be seen: else the flood does not reach what it is to reach. */
const STATUSES = [200, 400, 401, 403, 404, 405, 409, 413, 421, 422, 431]

export const hostileFlood: SoakPart = {
  name: 'hostile requests',
  async run(short) {
    const { seed } = seededRandom('flood')
    const count = short ? REQUESTS : LONG_REQUESTS
    const scene = await FloodScene.start({ env: { RELAYER_MAX_REQUESTS_PER_SECOND: '1000000' } })
    try {
      await scene.serveHonestRequest()
      const samples: MemorySample[] = []
      const report = await flood({
        port: scene.port,
        world: await scene.world(),
        seed: seed % 2 ** 31,
        count,
        batch: BATCH,
        afterBatch: async (sent) => void samples.push(await scene.memory(sent)),
      })
      print(count, report, samples)
      return sum([
        await check('every answer is as it should be', async () => expectNone(report.faults)),
        await check('every kind of refusal was reached', async () => {
          expectNone(
            STATUSES.filter((status) => !report.statuses.has(status)).map((status) => `no ${status}`),
          )
        }),
        await check('memory is flat after the first thousand', async () => {
          const growth = growthOf(samples)
          if (growth !== undefined) throw new Error(growth)
        }),
        await check('honest requests are served', () => scene.serveHonestRequest()),
        await check('the log is short and holds nothing of them', async () =>
          checkLog(scene.relayer, report),
        ),
        await check('nothing of what was refused is kept', async () => {
          const kept = keptWords(scene.database, scene.keyFile)
          expectNone([...report.refusedWords].filter((word) => kept.has(word)))
        }),
        await check('the relayer stops as told', async () => {
          await scene.relayer.stop()
          const { code } = await scene.relayer.exited
          if (code !== 0) throw new Error(`it exited with ${code}`)
        }),
      ])
    } finally {
      await scene.stop()
    }
  },
}

function checkLog({ output }: DvtExitProcess, { refusedWords }: FloodReport): void {
  const lines = output.split('\n')
  expectNone(lines.filter((line) => / (ERROR|FATAL) |unexpected failure|^ +at .*:\d+:\d+/.test(line)))
  // What operators ask the validators manager for is told each time, by design.
  const unasked = lines.filter((line) => !line.includes('audit=true'))
  if (unasked.length > MOST_LINES)
    throw new Error(`${unasked.length} lines, the last of them ${unasked.at(-2)}`)
  const told = wordsOf(unasked.join('\n'))
  expectNone([...refusedWords].filter((word) => told.has(word)))
}

function expectNone(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(`${faults.length}, first ${faults.slice(0, 10).join('\n    ')}`)
}

function print(count: number, { statuses }: FloodReport, samples: readonly MemorySample[]): void {
  const answers = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, times]) => `${status || 'none'}: ${times}`)
  process.stdout.write(`  ${count} requests, answers ${answers.join(', ')}\n`)
  const shown = samples.filter((_, i) => i % Math.ceil(samples.length / 8) === 1 || i === samples.length - 1)
  const memory = shown.map(
    ({ requests, used, resident }) => `${requests}: ${inMib(used)} (${inMib(resident)} resident)`,
  )
  process.stdout.write(`  memory after ${memory.join(', ')}\n`)
}
