import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { pino } from 'pino'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { readOptions } from '../../core/options.js'
import { runNewToken } from '../../relayer/access/command.js'
import { relayerOptions, runRelayer } from '../../relayer/command.js'
import { addRelayerKey } from '../devnet/canary/given-secrets.js'
import { useCanary } from '../devnet/canary/shared.js'
import { writeWallet } from '../devnet/wallet-file.js'
import { KEYS } from './http/transcript.js'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const [validator] = KEYS.validators
const ASK = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ public_keys: [validator?.public_key] }),
}

const canary = useCanary()
canary.secrets.addText('what is secret in EXECUTION_ENDPOINT', 'secret-path')

describe('relayer command', () => {
  let folder: string
  let env: Record<string, string>
  let stop: AbortController
  let lines: string[]
  /** The whole lines, which are searched for secrets when a test ends. */
  let written: string[]
  let running: Promise<void>
  let onLine: () => void

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'relayer-command-'))
    const config = join(folder, 'protocol-config.json')
    writeFileSync(config, JSON.stringify(KEYS.oracles_config))
    env = {
      NETWORK: 'hoodi',
      RELAYER_PORT: '0',
      // Port 9 of this machine, where nobody listens.
      EXECUTION_ENDPOINT: 'http://127.0.0.1:9/secret-path',
      CONSENSUS_ENDPOINT: 'http://127.0.0.1:9',
      SIGNATURE_THRESHOLD: '3',
      PROTOCOL_CONFIG_FILE: config,
      DATABASE: join(folder, 'relayer.db'),
      RELAYER_KEY_FILE: join(folder, 'keys', 'relayer.key'),
    }
    stop = new AbortController()
    lines = []
    written = []
    onLine = () => undefined
    running = Promise.resolve()
  })
  afterEach(async () => {
    stop.abort()
    await running.catch(() => undefined)
    addRelayerKey(canary.secrets, env)
    canary.noteText('the log', written.join(''))
    canary.noteFolder(folder)
    rmSync(folder, { recursive: true, force: true })
  })

  const run = (): Promise<void> => {
    const stream = {
      write: (line: string) => {
        written.push(line)
        lines.push(String((JSON.parse(line) as { msg: string }).msg))
        onLine()
      },
    }
    const values = readOptions(relayerOptions, { flags: {}, env })
    running = runRelayer(values, { signal: stop.signal, logger: pino({ level: 'trace' }, stream) })
    return running
  }
  /** Resolves with the first match of a line that was logged. */
  const logged = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      onLine = () => {
        for (const line of lines) {
          const match = pattern.exec(line)
          if (match !== null) resolve(match[1] ?? match[0])
        }
      }
      onLine()
      running.then(() => reject(new Error('it ended')), reject)
    })
  const start = async (): Promise<string> => {
    run().catch(() => undefined)
    return logged(/^listening on (\S+),/)
  }
  const failure = async (): Promise<{ name: string; code: string; message: string }> => {
    try {
      await run()
    } catch (error) {
      return error as { name: string; code: string; message: string }
    }
    throw new Error('it did not fail')
  }

  it('serves while the chain is away, and answers 503 only where it is needed', async () => {
    const url = await start()
    await logged(/chain cannot be asked/)
    expect(await (await fetch(`${url}/info`)).json()).to.deep.equal({ network: 'hoodi' })
    expect(await (await fetch(`${url}/exits`)).json()).to.deep.equal({ exits: [] })
    expect(await (await fetch(`${url}/health`)).json()).to.deep.equal({
      status: 'ok',
      checks: { database: 'ok', oracles: 'ok' },
    })
    expect(await (await fetch(`${url}/metrics`)).text()).to.contain('dvt_exit_relayer_shares_total')
    const answer = await fetch(`${url}/validators`, ASK)
    expect(answer.status).to.equal(503)
    expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0)
    expect(await answer.text()).not.to.match(/127\.0\.0\.1|secret-path/)
    expect(lines.join('\n')).not.to.contain('secret-path')
    stop.abort()
    await running
    await fetch(`${url}/info`).then(
      () => expect.fail('it still listens'),
      () => undefined,
    )
  })

  it('sees a token that is made while it runs', async () => {
    const url = await start()
    let token = ''
    await runNewToken(
      { database: env['DATABASE'] ?? '', name: 'op', role: 'operator', shareIndexes: undefined },
      undefined,
      (text) => {
        token = text.trim()
        canary.secrets.addText('a token', token)
      },
    )
    const ask = async (authorization: string) => {
      const headers = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https', authorization }
      return (await fetch(`${url}/metrics`, { headers })).status
    }
    expect(await ask(`Bearer ${token}`)).to.equal(200)
    expect(await ask(`Basic ${Buffer.from(`operator:${token}`).toString('base64')}`)).to.equal(200)
    expect(await ask(`Bearer ${token}x`)).to.equal(401)
  })

  it('listens beyond loopback only with an operator’s token or --open', async () => {
    env['RELAYER_HOST'] = '0.0.0.0'
    expect(await failure()).to.include({ name: 'ConfigurationError', code: 'OPERATOR_TOKEN_NEEDED' })
    env['RELAYER_OPEN'] = 'true'
    await start()
    expect(lines.join('\n')).to.match(/--open: WHOEVER REACHES THIS PORT/)
    stop.abort()
    await running
    stop = new AbortController()
    env['RELAYER_OPEN'] = 'false'
    const made = { database: env['DATABASE'] ?? '', name: 'op', role: 'operator' as const }
    await runNewToken({ ...made, shareIndexes: undefined }, undefined, () => undefined)
    lines = []
    await start()
    expect(lines.join('\n')).to.match(/without https: tokens from other machines are refused/)
  })

  it('names what is wrong with its options and files', async () => {
    const manager = writeWallet(folder, 'manager', generatePrivateKey())
    const another = writeWallet(folder, 'another', generatePrivateKey())
    const cases: readonly [Record<string, string>, string, RegExp][] = [
      [{ NETWORK: 'nowhere' }, 'UNKNOWN_NETWORK', /nowhere/],
      [{ EXECUTION_ENDPOINT: '' }, 'MISSING_OPTION', /--execution-endpoints/],
      [{ CONSENSUS_ENDPOINT: '' }, 'MISSING_OPTION', /--consensus-endpoints/],
      [{ SIGNATURE_THRESHOLD: '' }, 'NO_THRESHOLD', /how many shares/],
      [{ CLUSTER_LOCK_FILES: join(folder, 'none.json') }, 'UNREADABLE_FILE', /none\.json/],
      [
        { NETWORK: 'mainnet', CLUSTER_LOCK_FILES: fixture('wire/sidecar-obol-cluster-lock.json') },
        'LOCK_OF_ANOTHER_NETWORK',
        /sidecar-obol-cluster-lock\.json/,
      ],
      [{ RELAYER_TLS_CERT_FILE: 'cert.pem' }, 'INCOMPLETE_TLS', /certificate/],
      [{ PUBLIC_KEYS_FILE: join(folder, 'none.csv') }, 'INVALID_PUBLIC_KEYS_FILE', /none\.csv/],
      [{ DEPOSIT_DATA_FILE: join(folder, 'none.json') }, 'INVALID_DEPOSIT_DATA', /none\.json/],
      [{ VALIDATORS_MANAGER_KEY_FILE: manager.file }, 'MISSING_OPTION', /--validators-manager-password-file/],
      [
        {
          VALIDATORS_MANAGER_KEY_FILE: manager.file,
          VALIDATORS_MANAGER_PASSWORD_FILE: another.passwordFile,
        },
        'WRONG_WALLET_PASSWORD',
        /VALIDATORS_MANAGER_PASSWORD_FILE/,
      ],
    ]
    const right = { ...env }
    for (const [change, code, message] of cases) {
      env = { ...right, ...change }
      const found = await failure()
      expect(found.code, JSON.stringify(change)).to.equal(code)
      expect(found.message).to.match(message)
      expect(found.name).to.equal('ConfigurationError')
    }
  })

  it('names the manager of its key, and does nothing as that without a token or without VAULTS', async () => {
    const key = generatePrivateKey()
    const { file, passwordFile } = writeWallet(folder, 'manager', key)
    env = { ...env, VALIDATORS_MANAGER_KEY_FILE: file, VALIDATORS_MANAGER_PASSWORD_FILE: passwordFile }
    let token = ''
    await runNewToken(
      { database: env['DATABASE'] ?? '', name: 'op', role: 'operator', shareIndexes: undefined },
      undefined,
      (text) => {
        token = text.trim()
        canary.secrets.addText('a token', token)
      },
    )
    const url = await start()
    expect(lines.join('\n')).to.match(/VAULTS is not set/)
    expect(await (await fetch(`${url}/info`)).json()).to.deep.equal({
      network: 'hoodi',
      validators_manager_address: privateKeyToAddress(key).toLowerCase(),
    })
    const vault = `0x${'be'.repeat(20)}`
    const body = { vault, validators_start_index: 1, amounts: [32_000_000_000], validator_type: '0x01' }
    const register = (headers: Record<string, string>) =>
      fetch(`${url}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    expect((await register({})).status).to.equal(401)
    const refused = await register({
      authorization: `Basic ${Buffer.from(`operator:${token}`).toString('base64')}`,
    })
    expect(refused.status).to.equal(403)
    expect(await refused.text()).to.match(/VAULTS is not set/)
  })

  it('ends where the port is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      env['RELAYER_PORT'] = String((server.address() as AddressInfo).port)
      expect(await failure()).to.include({ name: 'ConfigurationError', code: 'CANNOT_LISTEN' })
    } finally {
      server.close()
    }
  })

  it('ends where the execution node is of another network', async () => {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += String(chunk)
      })
      request.on('end', () => {
        const { id } = JSON.parse(body) as { id: number }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: '0x1' }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      env['EXECUTION_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      expect(await failure()).to.include({ name: 'ConfigurationError', code: 'WRONG_NETWORK' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
