/** 10,000 replays of the posts that real sidecars and a real operator sent to a relayer process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUNDLED_CLUSTERS, bundledValidators } from '../../devnet/clusters.js'
import { startDevnet } from '../../devnet/devnet.js'
import { startRelayer, startSidecars } from '../../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../../devnet/processes.js'
import { garbage } from '../../relayer/clusters.js'
import { type Random, seededRandom } from '../kills/random.js'
import { until } from '../kills/waiting.js'
import { check, type Outcome, type SoakPart, sum } from '../part.js'
import { Recorder } from './recorder.js'
import { replay } from './replay.js'

const TIMES = 10_000

export const replays: SoakPart = {
  name: 'replays of recorded posts',
  async run(short) {
    const random = seededRandom('replays')
    const times = short ? TIMES : 3 * TIMES
    return sum([
      await replayRun('with cluster locks at the relayer', BUNDLED_CLUSTERS, times, random),
      await replayRun('without', {}, short ? TIMES / 10 : times, random),
    ])
  },
}

function replayRun(
  name: string,
  clusters: Readonly<Record<string, string>>,
  times: number,
  random: Random,
): Promise<Outcome> {
  return check(`${times} replays change nothing, ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-replays-'))
    const devnet = await startDevnet({ oracles: 5, threshold: 3 })
    const running: DvtExitProcess[] = []
    let recorder: Recorder | undefined
    try {
      const env = { ...clusters, RELAYER_MAX_REQUESTS_PER_SECOND: '100000' }
      const relayer = await startRelayer(devnet, folder, await freePort(), env)
      running.push(relayer.process)
      recorder = await Recorder.start(relayer.url)
      const validators = bundledValidators()
      await postGarbage(recorder.url, validators[0]?.publicKey)
      const depositData = join(folder, 'deposit_data.json')
      writeFileSync(depositData, JSON.stringify(validators.map(({ deposit }) => deposit)))
      const args = [
        'operator',
        'collect',
        '--deposit-data',
        depositData,
        '--count',
        String(validators.length),
      ]
      const out = ['--out', join(folder, 'exits.json')]
      const operator = devnet.run('operator', [...args, ...out], folder, { RELAYER_ENDPOINT: recorder.url })
      running.push(operator)
      await until('exits are wanted', async () => (await exitsAt(relayer.url)).length === validators.length)
      await postGarbage(recorder.url, validators[0]?.publicKey)
      const sidecars = startSidecars(devnet, folder, recorder.url)
      running.push(...sidecars)
      if ((await operator.exited).code !== 0) throw new Error(`collecting failed:\n${operator.output}`)
      await until('all is signed', () => isAllSigned(relayer.url))
      await Promise.all(sidecars.map((sidecar) => sidecar.stop()))
      const { posts } = recorder
      process.stdout.write(`  ${posts.length} posts recorded, ${name}\n`)
      const faults = await replay({
        url: relayer.url,
        database: join(folder, 'relayer.db'),
        posts,
        times,
        random,
      })
      if (faults.length > 0) throw new Error(faults.slice(0, 10).join('\n    '))
    } finally {
      await Promise.all(running.map((child) => child.stop()))
      await recorder?.stop()
      await devnet.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

interface ListedExit {
  readonly is_exit_signature_ready: boolean
}

/** Deposits are wanted where there is a deposit to sign; nothing is worked on once all is there. */
async function isAllSigned(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/validators`)
  const { validators } = (await answer.json()) as { validators: readonly { is_signatures_ready: boolean }[] }
  const exits = await exitsAt(url)
  return (
    exits.every((exit) => exit.is_exit_signature_ready) && validators.every((one) => one.is_signatures_ready)
  )
}

async function exitsAt(url: string): Promise<readonly ListedExit[]> {
  const answer = await fetch(`${url}/exits`)
  return ((await answer.json()) as { exits: readonly ListedExit[] }).exits
}

/** A wrong share, as a hostile node posts it: before its exit is wanted, and then again. */
async function postGarbage(url: string, publicKey: string | undefined): Promise<void> {
  const shares = [{ public_key: publicKey, exit_signature: `0x${Buffer.from(garbage(1)).toString('hex')}` }]
  const body = JSON.stringify({ share_index: 2, shares })
  await fetch(`${url}/exit-signature`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
}
