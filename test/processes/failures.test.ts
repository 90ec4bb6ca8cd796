import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { bls } from '../../core/bls/backend.js'
import { parseSecretKey } from '../../core/bls/points.js'
import { toHex } from '../../core/hex.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../core/network.js'
import { useCanary } from '../devnet/canary/shared.js'
import {
  BUNDLED_CLUSTERS,
  bundledValidators,
  obolNodeDirectory,
  ssvOperatorFiles,
} from '../devnet/clusters.js'
import { createOracles, protocolConfigOf } from '../devnet/oracles.js'
import { DvtExitProcess, freePort } from '../devnet/processes.js'
import { BeaconDouble } from '../doubles/beacon.js'
import { type Answer, type RecordedRequest, RelayerDouble } from '../doubles/relayer.js'

/**
 * At the end of every test all that its processes wrote is searched for secrets. Here the processes are given every
 * reason to write some: everything that they talk to is away, or repeats what it was told.
 */
describe('processes to which everything goes wrong', function () {
  this.timeout(120_000)
  const canary = useCanary()
  const token = () => {
    const text = `dvtexit_${randomBytes(32).toString('base64url')}`
    canary.secrets.addText('a token', text)
    return text
  }
  const apiKey = () => randomBytes(16).toString('hex')
  /** One exit more than the registry has validators. */
  const INDEX = 1_300_000
  const validators = bundledValidators().filter(({ stack }) => stack === 'obol')
  const exits = validators.map(({ publicKey }, i) => ({
    public_key: publicKey,
    validator_index: INDEX + i,
    is_exit_signature_ready: false,
    share_indexes_ready: [],
  }))
  let folder: string
  let servers: RelayerDouble[]
  let running: DvtExitProcess[]

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-failures-'))
    servers = []
    running = []
  })
  afterEach(async function () {
    await Promise.all(running.map((child) => child.stop()))
    if (this.currentTest?.state === 'failed') {
      for (const { name, output } of running) process.stderr.write(`--- ${name}\n${output.slice(-4_000)}\n`)
    }
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (name: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
    const home = join(folder, name)
    mkdirSync(home, { recursive: true })
    const child = new DvtExitProcess(name, args, { NETWORK: 'hoodi', POLL_INTERVAL: '0.2', ...env }, home)
    running.push(child)
    return child
  }
  const serve = async (respond: (request: RecordedRequest) => Answer | undefined) => {
    const server = await new RelayerDouble(respond).start()
    servers.push(server)
    return server
  }
  /** Answers with everything that it was told. */
  const echo = (status: number) => (request: RecordedRequest) => ({
    status,
    body: { detail: JSON.stringify(request) },
  })
  /** A node that knows its users by their password and by keys in path and query, in one URL. */
  const withSecrets = (url: string) =>
    `${url.replace('http://', `http://me:${apiKey()}@`)}/v3/${apiKey()}?apikey=${apiKey()}`

  it('a sidecar tells no password, key or share of what its relayer and beacon nodes repeat', async () => {
    const beacon = await new BeaconDouble(loadNetwork('hoodi')).start()
    const node = await serve(echo(500))
    let answerPost: (request: RecordedRequest) => Answer = echo(500)
    const relayer = await serve((request) => {
      if (request.path === '/info') return { body: { network: 'hoodi' } }
      if (request.path === '/exits') return { body: { exits } }
      return request.path === '/exit-signature' ? answerPost(request) : undefined
    })
    try {
      const away = `http://127.0.0.1:${await freePort()}`
      beacon.length = INDEX
      beacon.syncing = true
      const sidecar = start('sidecar', ['sidecar', 'obol'], {
        RELAYER_ENDPOINT: relayer.url.replace('http://', `http://operator:${token()}@`),
        CONSENSUS_ENDPOINTS: [withSecrets(node.url), withSecrets(away), beacon.url].join(','),
        OBOL_KEYSTORES_DIR: join(obolNodeDirectory(1), 'validator_keys'),
      })
      await sidecar.waitFor(/HTTP 500 .*\[left out\].*ECONNREFUSED.*not in sync/)
      beacon.syncing = false
      await sidecar.waitFor(/relayer is away.*HTTP 500 .*\[left out\]/)
      answerPost = echo(422)
      await sidecar.waitFor(/HTTP 422 .*\[left out\]/)
      answerPost = ({ body }) => ({
        body: {
          rejected: validators.map(({ publicKey }) => ({ public_key: publicKey, reason: `wrong: ${body}` })),
        },
      })
      await sidecar.waitFor(/wrong: .*\[left out\]/)
    } finally {
      await beacon.stop()
    }
  })

  it('a relayer and an SSV sidecar tell no key of what their nodes and gateways repeat, nor what callers send', async () => {
    const node = await serve(echo(500))
    const rpc = await serve((request) => ({
      body: { jsonrpc: '2.0', id: 1, error: { code: -32_000, message: JSON.stringify(request) } },
    }))
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const relayer = start('relayer', ['relayer'], {
      RELAYER_PORT: String(port),
      RELAYER_KEY_FILE: join(folder, 'relayer.key'),
      DATABASE: join(folder, 'relayer.db'),
      EXECUTION_ENDPOINTS: [withSecrets(node.url), withSecrets(rpc.url)].join(','),
      CONSENSUS_ENDPOINTS: withSecrets(node.url),
      IPFS_FETCH_ENDPOINTS: withSecrets(node.url),
      RELAYER_REQUIRE_TOKENS_FOR_POSTING: 'true',
      ...BUNDLED_CLUSTERS,
    })
    const files = ssvOperatorFiles(11)
    const sidecar = start('ssv', ['sidecar', 'ssv'], {
      RELAYER_ENDPOINT: `http://operator:${token()}@127.0.0.1:9`,
      UNCHECKED_EXITS: 'true',
      EXECUTION_ENDPOINTS: [withSecrets(node.url), withSecrets(rpc.url)].join(','),
      OPERATOR_KEY: readFileSync(join(dirname(files.key), 'private_key.base64'), 'utf8').trim(),
    })
    await relayer.waitFor(/listening/)
    const send = (path: string, init: RequestInit) =>
      fetch(`${url}${path}`, init).then(async (answer) => ({
        status: answer.status,
        text: await answer.text(),
      }))
    const share = exitShare()
    const post = { share_index: 2, shares: [{ public_key: validators[0]?.publicKey, exit_signature: share }] }
    const bodies = [
      JSON.stringify(post),
      JSON.stringify(post).slice(0, -2),
      JSON.stringify({ share_index: share, shares: [{ public_key: share, exit_signature: [share] }] }),
      JSON.stringify({
        [share]: share,
        share_index: 2,
        shares: [{ [share]: 1, public_key: '0x', exit_signature: share }],
      }),
      JSON.stringify(post.shares),
      share,
    ]
    for (const authorization of [
      '',
      `Bearer ${token()}`,
      `Basic ${btoa(`x:${token()}`)}`,
      `Digest ${token()}`,
    ]) {
      const headers = {
        'content-type': 'application/json',
        ...(authorization === '' ? {} : { authorization }),
      }
      for (const body of bodies) {
        for (const path of [
          '/exit-signature',
          '/signatures',
          '/validators',
          `/${token()}?token=${token()}`,
        ]) {
          const { status } = await send(path, { method: 'POST', headers, body })
          expect(status, path).to.be.within(200, 503).and.not.equal(500)
        }
      }
    }
    const ask = await send('/validators', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ public_keys: [validators[0]?.publicKey] }),
    })
    expect(ask.status, ask.text).to.equal(503)
    for (const path of ['/metrics', '/health', '/exits', '/validators', '/info', '/docs/json'])
      await send(path, {})
    await relayer.waitFor(/HTTP 500 .*\[left out\]/)
    await sidecar.waitFor(/\[left out\]/)
  })

  /** Node 1's share of the exit with an index that nobody asked for. */
  function exitShare(): string {
    const [validator] = validators
    const network = loadNetwork('hoodi')
    const root = voluntaryExitSigningRoot(network, presignedExit(network, 4_711))
    const signature = bls.sign(parseSecretKey(Buffer.from(validator?.secretKey.slice(2) ?? '', 'hex')), root)
    canary.secrets.add('bytes', 'an exit signature', bls.encodeSignature(signature))
    return toHex(bls.encodeSignature(signature))
  }

  it('an operator tells no token of a relayer that refuses it and repeats the request', async () => {
    const relayer = await serve(echo(401))
    const deposits = join(folder, 'deposit_data.json')
    const tokenFile = join(folder, 'token')
    writeFileSync(deposits, JSON.stringify(validators.map(({ deposit }) => deposit)))
    writeFileSync(tokenFile, `${token()}\n`)
    const out = join(folder, 'out.json')
    const operator = start(
      'operator',
      ['operator', 'collect', '--deposit-data', deposits, '--count', '1', '--out', out],
      {
        RELAYER_ENDPOINT: relayer.url,
        RELAYER_TOKEN_FILE: tokenFile,
        PROTOCOL_CONFIG_FILE: configFile(),
        UNCHECKED_INDEX: 'true',
      },
    )
    expect(await operator.exited, operator.output).to.deep.equal({ code: 2, signal: null })
    expect(operator.output).to.match(/HTTP 401 .*\[left out\]/)
  })

  function configFile(): string {
    const file = join(folder, 'oracles.json')
    writeFileSync(file, protocolConfigOf(createOracles(3, 2)))
    return file
  }
})
