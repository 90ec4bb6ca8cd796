import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { bundledValidators, obolNodeDirectory, ssvOperatorFiles } from '../devnet/clusters.js'
import { type Devnet, startDevnet } from '../devnet/devnet.js'
import type { DvtExitProcess } from '../devnet/processes.js'
import { until } from '../doubles/poll.js'
import { RelayerDouble } from '../doubles/relayer.js'
import { silentServer } from '../doubles/silent-server.js'

/** Milliseconds. */
const LONGEST_WAIT = 60_000
const GRACEFUL = { code: 0, signal: null }

describe('a sidecar that is told to stop', function () {
  this.timeout(90_000)
  let devnet: Devnet
  let folder: string
  const running: DvtExitProcess[] = []
  const closing: (() => unknown)[] = []

  before(async () => {
    devnet = await startDevnet({ oracles: 4, threshold: 3 })
  })

  after(() => devnet.close())

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-stopping-'))
  })

  afterEach(async function () {
    for (const child of running.splice(0)) {
      await child.kill()
      if (this.currentTest?.state === 'failed')
        process.stderr.write(`--- ${child.name}\n${child.output.slice(-3_000)}\n`)
    }
    for (const close of closing.splice(0)) await close()
    rmSync(folder, { recursive: true, force: true })
  })

  const sidecars = {
    obol: {
      keys: bundledValidators().filter(({ stack }) => stack === 'obol'),
      env: { OBOL_KEYSTORES_DIR: join(obolNodeDirectory(1), 'validator_keys') },
    },
    ssv: {
      keys: bundledValidators().filter(({ stack }) => stack === 'ssv'),
      env: {
        SSV_OPERATOR_KEY_FILE: ssvOperatorFiles(27).key,
        SSV_OPERATOR_PASSWORD_FILE: ssvOperatorFiles(27).password,
      },
    },
  } as const

  const startSidecar = (vendor: keyof typeof sidecars, env: Readonly<Record<string, string>>) => {
    const sidecar = devnet.run(vendor, ['sidecar', vendor], folder, { ...sidecars[vendor].env, ...env })
    running.push(sidecar)
    return sidecar
  }

  /** A relayer that wants exits, and answers posts when it is told to. */
  const wanting = async (vendor: keyof typeof sidecars, answer: Promise<unknown>) => {
    const exits = sidecars[vendor].keys.map(({ publicKey }, i) => ({
      public_key: publicKey,
      validator_index: 1_300_000 + i,
      is_exit_signature_ready: false,
      share_indexes_ready: [],
    }))
    const double = await new RelayerDouble(async ({ method, path }) => {
      if (path === '/info') return { body: { network: 'hoodi' } }
      if (path === '/exits') return { body: { exits } }
      if (method === 'POST') await answer
      return method === 'POST' ? {} : undefined
    }).start()
    closing.push(() => double.stop())
    return double
  }

  for (const vendor of ['obol', 'ssv'] as const) {
    it(`beside ${vendor} waits for the answer to the shares that it has posted`, async () => {
      let answer: () => void = () => undefined
      const relayer = await wanting(vendor, new Promise<void>((resolve) => (answer = resolve)))
      const sidecar = startSidecar(vendor, { RELAYER_ENDPOINT: relayer.url })
      await until(() => relayer.to('POST', '/exit-signature').length > 0, 'it posts', LONGEST_WAIT)
      const stopped = sidecar.stop()
      answer()
      await stopped
      expect(await sidecar.exited).to.deep.equal(GRACEFUL)
      expect(sidecar.output).to.match(/posted \d exit shares/)
    })
  }

  it('beside obol ends although its relayer never answers', async () => {
    const relayer = await wanting('obol', new Promise(() => undefined))
    const sidecar = startSidecar('obol', { RELAYER_ENDPOINT: relayer.url, RELAYER_TIMEOUT: '60' })
    await until(() => relayer.to('POST', '/exit-signature').length > 0, 'it posts', LONGEST_WAIT)
    await sidecar.stop()
    expect(await sidecar.exited).to.deep.equal(GRACEFUL)
    const lines = readFileSync(join(folder, 'dvt-exit-audit.log'), 'utf8').trim().split('\n')
    expect(lines).to.have.length(sidecars.obol.keys.length)
  })

  it('beside ssv while it waits for the chain ends', async () => {
    const silent = await silentServer()
    closing.push(silent.close)
    const relayer = await wanting('ssv', Promise.resolve())
    const sidecar = startSidecar('ssv', {
      RELAYER_ENDPOINT: relayer.url,
      EXECUTION_ENDPOINT: silent.url,
    })
    await until(() => readable(join(folder, 'dvt-exit-audit.log')), 'it keeps an audit log', LONGEST_WAIT)
    await sidecar.stop()
    expect(await sidecar.exited).to.deep.equal(GRACEFUL)
  })
})

function readable(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}
