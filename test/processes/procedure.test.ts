import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { bls } from '../../core/bls/backend.js'
import { secretFromScalar, secureRandomScalar } from '../../core/bls/threshold.js'
import { toHex } from '../../core/hex.js'
import { parseJson, stringifyJson } from '../../core/json.js'
import { exitsAnswer } from '../../core/wire/dialect1.js'
import { BUNDLED_CLUSTERS, type BundledValidator, bundledValidators } from '../devnet/clusters.js'
import { type Devnet, startDevnet } from '../devnet/devnet.js'
import {
  type CollectedFile,
  checkCollected,
  startObolSidecar,
  startRelayer,
  startSsvSidecar,
} from '../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../devnet/processes.js'

/** A right point that is a wrong share: the signature of a random key over a random message. */
const garbage = () =>
  toHex(bls.encodeSignature(bls.sign(secretFromScalar(secureRandomScalar()), new Uint8Array(32))))

async function exitsOf(relayerUrl: string) {
  const answer = await fetch(`${relayerUrl}/exits`).catch(() => undefined)
  return answer?.ok ? exitsAnswer.parse(parseJson(await answer.text())).exits : []
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Posts garbage for an index of every validator, as a hostile sidecar or a stranger would. */
async function postGarbage(relayerUrl: string, shareIndex: number, validators: readonly BundledValidator[]) {
  const shares = validators.map(({ publicKey }) => ({ public_key: publicKey, exit_signature: garbage() }))
  const body = stringifyJson({ share_index: shareIndex, shares })
  const answer = await fetch(`${relayerUrl}/exit-signature`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(answer.status).to.equal(200)
}

describe('the real processes', function () {
  this.timeout(180_000)
  let devnet: Devnet
  let folder: string
  const running: DvtExitProcess[] = []

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-processes-'))
    devnet = await startDevnet({ oracles: 5, threshold: 3 })
  })

  afterEach(async function () {
    await Promise.all(
      running.splice(0).map((child) =>
        child.stop().then(() => {
          if (this.currentTest?.state === 'failed')
            process.stderr.write(`--- ${child.name}\n${child.output.slice(-4_000)}\n`)
        }),
      ),
    )
    await devnet.close()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const [knowing, clusters] of [
    ['with cluster locks at the relayer', BUNDLED_CLUSTERS],
    ['without cluster locks at the relayer', {}],
  ] as const) {
    it(`finish with a relayer killed in the middle, a node down in each cluster, and garbage posted before anyone else, ${knowing}`, async () => {
      const validators = bundledValidators()
      const obol = validators.filter(({ stack }) => stack === 'obol')
      const ssv = validators.filter(({ stack }) => stack === 'ssv')
      const port = await freePort()
      let relayer = await startRelayer(devnet, folder, port, clusters)
      running.push(relayer.process)
      const depositData = join(folder, 'deposit_data.json')
      const out = join(folder, 'exits.json')
      writeFileSync(depositData, JSON.stringify(validators.map(({ deposit }) => deposit)))
      const collect = [
        'operator',
        'collect',
        '--deposit-data',
        depositData,
        '--count',
        String(validators.length),
        '--out',
        out,
      ]
      const operator = devnet.run('operator', collect, folder, { RELAYER_ENDPOINT: relayer.url })
      running.push(operator)
      await until(
        'the exits are wanted',
        async () => (await exitsOf(relayer.url)).length === validators.length,
      )

      // Nodes 1 and 11 are down; somebody posts for them, and for the honest nodes 2 and 27 before they do.
      for (const index of [1, 2]) await postGarbage(relayer.url, index, obol)
      for (const index of [11, 27]) await postGarbage(relayer.url, index, ssv)
      const early = [
        ...[1, 2].map((nodeIndex) => startObolSidecar(devnet, folder, relayer.url, nodeIndex)),
        ...[27, 42].map((operatorId) => startSsvSidecar(devnet, folder, relayer.url, operatorId)),
      ]
      running.push(...early)
      for (const node of [early[1], early[3]]) await node?.waitFor(/posted \d exit (and deposit )?shares/)

      await relayer.process.kill()
      relayer = await startRelayer(devnet, folder, port, clusters)
      running.push(relayer.process)
      running.push(startObolSidecar(devnet, folder, relayer.url, 3))
      running.push(startSsvSidecar(devnet, folder, relayer.url, 350))

      expect(await operator.exited).to.deep.equal({ code: 0, signal: null })
      const file = JSON.parse(readFileSync(out, 'utf8')) as CollectedFile
      const checked = checkCollected(devnet, validators, file)
      expect(checked.map(({ failure }) => failure)).to.deep.equal(validators.map(() => undefined))
      expect(statSync(out).mode & 0o077).to.equal(0)
      if (knowing.startsWith('with '))
        expect(relayer.process.output + running[0]?.output).to.match(/wrong-signature/)
    })
  }
})
