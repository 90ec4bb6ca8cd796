import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadNetwork } from '../../core/network.js'
import type { BundledValidator } from '../devnet/clusters.js'
import { type Devnet, startDevnet } from '../devnet/devnet.js'
import { makeObolCluster, makeSsvCluster } from '../devnet/made-clusters.js'
import { protocolConfigOf } from '../devnet/oracles.js'
import { type CollectedFile, checkCollected, startRelayer } from '../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../devnet/processes.js'

describe('the real processes, with clusters made anew', function () {
  this.timeout(120_000)
  let devnet: Devnet | undefined
  let folder: string
  const running: DvtExitProcess[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-made-'))
  })

  afterEach(async function () {
    for (const child of running.splice(0)) {
      await child.stop()
      if (this.currentTest?.state === 'failed') {
        process.stderr.write(`--- ${child.name}\n${child.output.slice(-4_000)}\n`)
      }
    }
    await devnet?.close()
    devnet = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  /** The devnet of the running test. */
  function net(): Devnet {
    if (devnet === undefined) throw new Error('the devnet is not started')
    return devnet
  }

  function start(name: string, args: readonly string[], env: Record<string, string>): DvtExitProcess {
    const home = join(folder, name)
    mkdirSync(home, { recursive: true })
    const child = net().run(name, args, home, env)
    running.push(child)
    return child
  }

  /** Collects the exits of the validators, and lets the oracles use them. */
  async function collect(
    relayerUrl: string,
    validators: readonly BundledValidator[],
    env: Record<string, string> = {},
  ) {
    const depositData = join(folder, 'deposit_data.json')
    const out = join(folder, 'exits.json')
    writeFileSync(depositData, JSON.stringify(validators.map(({ deposit }) => deposit)))
    const args = [
      'operator',
      'collect',
      '--deposit-data',
      depositData,
      '--count',
      String(validators.length),
      '--out',
      out,
    ]
    const operator = start('operator', args, { RELAYER_ENDPOINT: relayerUrl, ...env })
    expect(await operator.exited, operator.output).to.deep.equal({ code: 0, signal: null })
    const file = JSON.parse(readFileSync(out, 'utf8')) as CollectedFile
    const checked = checkCollected(net(), validators, file)
    expect(checked.map(({ failure }) => failure)).to.deep.equal(validators.map(() => undefined))
  }

  it('finish on mainnet: five of seven Charon nodes with scrypt keystores, five of seven SSV operators with ids to 2^64 − 1', async () => {
    const mainnet = loadNetwork('mainnet')
    const kdf = { function: 'scrypt', n: 4096, r: 8, p: 1 } as const
    const obol = makeObolCluster(join(folder, 'charon'), mainnet, {
      nodes: 7,
      threshold: 5,
      validators: 2,
      kdf,
    })
    const operatorIds = [5n, 1_000n, 70_000n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]
    const ssv = makeSsvCluster(mainnet, { operatorIds, threshold: 5, validators: 2 })
    devnet = await startDevnet({ oracles: 11, threshold: 8, network: 'mainnet', ssvLogs: ssv.logs })
    const relayer = await startRelayer(net(), folder, await freePort(), {
      CLUSTER_LOCK_FILES: obol.lockFile,
      SSV_CLUSTERS: ssv.owner,
    })
    running.push(relayer.process)

    start('charon-nodes', ['sidecar'], {
      CLUSTER_TYPE: 'obol',
      RELAYER_ENDPOINT: relayer.url,
      OBOL_KEYSTORES_DIR_TEMPLATE: obol.template,
      OBOL_NODE_INDEXES: '0,2,3,5,6',
    })
    const keys = join(folder, 'operators')
    mkdirSync(keys)
    for (const [id, key] of ssv.operatorKeys) writeFileSync(join(keys, `${id}.base64`), key, { mode: 0o600 })
    start('ssv-operators', ['sidecar', 'ssv'], {
      RELAYER_ENDPOINT: relayer.url,
      SSV_OPERATOR_KEY_FILE_TEMPLATE: join(keys, '{operator_id}.base64'),
      SSV_OPERATOR_IDS: [operatorIds[0], operatorIds[2], operatorIds[4], operatorIds[5]].join(','),
      SSV_OWNERS: ssv.owner,
    })
    start('ssv-operator', ['sidecar', 'ssv'], {
      RELAYER_ENDPOINT: relayer.url,
      OPERATOR_KEY: ssv.operatorKeys.get(2n ** 64n - 1n) ?? '',
    })
    await collect(relayer.url, [...obol.validators, ...ssv.validators])
  })

  it('finish on gnosis: seven of ten Charon nodes, no public shares at the relayer, the oracles’ config from a file', async () => {
    const gnosis = loadNetwork('gnosis')
    const kdf = { function: 'pbkdf2', c: 1000 } as const
    const obol = makeObolCluster(join(folder, 'charon'), gnosis, {
      nodes: 10,
      threshold: 7,
      validators: 1,
      kdf,
    })
    devnet = await startDevnet({ oracles: 4, threshold: 4, network: 'gnosis', ssvLogs: [] })
    const configFile = join(folder, 'config.json')
    writeFileSync(configFile, protocolConfigOf(net().oracles))
    const relayer = await startRelayer(net(), folder, await freePort(), {
      SIGNATURE_THRESHOLD: '7',
      PROTOCOL_CONFIG_FILE: configFile,
      IPFS_FETCH_ENDPOINTS: 'http://127.0.0.1:1',
    })
    running.push(relayer.process)
    start('charon-nodes', ['sidecar', 'obol'], {
      RELAYER_ENDPOINT: relayer.url,
      OBOL_KEYSTORES_DIR_TEMPLATE: obol.template,
      OBOL_NODE_INDEXES: '0,2,3,5,6,8,9',
    })
    await collect(relayer.url, obol.validators, { PROTOCOL_CONFIG_FILE: configFile })
  })
})
