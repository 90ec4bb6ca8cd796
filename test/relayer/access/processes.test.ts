import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { obolNodeDirectory } from '../../devnet/clusters.js'
import { DvtExitProcess } from '../../devnet/processes.js'
import { makeAuthority, makeCertificate } from '../../doubles/certificates.js'
import { until } from '../../doubles/poll.js'
import { KEYS } from '../http/transcript.js'

const SHARE = `0x${'00'.repeat(96)}`
const [validator] = KEYS.validators
/** Past the allow-list, and elsewhere by its name. */
const HOST = 'relayer.example'

describe('a relayer process that asks for tokens and certificates', function () {
  this.timeout(60_000)
  const authority = makeAuthority('the operators’ authority')
  const server = makeCertificate({ name: 'relayer', issuer: authority })
  const client = makeCertificate({ name: 'a node', issuer: authority })
  const running: DvtExitProcess[] = []
  let folder: string
  let env: Record<string, string>
  let url: string
  let agent: Agent

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'access-'))
    const write = (name: string, content: string) => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    env = {
      NETWORK: 'hoodi',
      RELAYER_PORT: '0',
      // Port 9 of this machine, where nobody listens.
      EXECUTION_ENDPOINT: 'http://127.0.0.1:9',
      CONSENSUS_ENDPOINT: 'http://127.0.0.1:9',
      SIGNATURE_THRESHOLD: '3',
      PROTOCOL_CONFIG_FILE: write('oracles.json', JSON.stringify(KEYS.oracles_config)),
      DATABASE: join(folder, 'relayer.db'),
      RELAYER_KEY_FILE: join(folder, 'keys', 'relayer.key'),
      RELAYER_ALLOWED_HOSTS: HOST,
      RELAYER_REQUIRE_TOKENS_FOR_POSTING: 'true',
      RELAYER_TLS_CERT_FILE: write('server.pem', server.cert),
      RELAYER_TLS_KEY_FILE: write('server.key', server.key),
      RELAYER_TLS_CLIENT_CA_FILE: write('authority.pem', authority.cert),
    }
    write('client.pem', client.cert)
    write('client.key', client.key)
    const relayer = start('relayer', ['relayer'], env)
    const [, at = ''] = await relayer.waitFor(/listening on (https:\S+),/)
    url = at
    agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: authority.cert,
      servername: 'localhost',
      ...client,
    })
  })
  after(async () => {
    agent?.destroy()
    await Promise.all(running.map((child) => child.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (name: string, args: string[], more: Record<string, string>): DvtExitProcess => {
    const child = new DvtExitProcess(name, args, more, folder)
    running.push(child)
    return child
  }
  /** Runs a command to its end; what it printed. */
  const run = async (...args: string[]): Promise<string> => {
    const { DATABASE = '' } = env
    const child = start(args.join(' '), args, { DATABASE })
    const { code } = await child.exited
    expect(code, child.output).to.equal(0)
    return child.stdout.trim()
  }
  const status = (method: 'GET' | 'POST', path: string, token: string, body?: object) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        host: HOST,
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const sent = request(`${url}${path}`, { method, headers, agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
  const post = (token: string, shareIndex: number) =>
    status('POST', '/exit-signature', token, {
      share_index: shareIndex,
      shares: [{ public_key: validator?.public_key, exit_signature: SHARE }],
    })

  it('takes a token from the request after it was made to the request before it was revoked', async () => {
    const sidecar = await run(
      'relayer',
      'token',
      'new',
      '--role',
      'sidecar',
      '--name',
      'node-1',
      '--share-index',
      '1',
    )
    expect([await post(sidecar, 1), await post(sidecar, 2)]).to.deep.equal([200, 403])
    expect(await status('GET', '/metrics', sidecar)).to.equal(403)
    expect(await post(`${sidecar.slice(0, -1)}${sidecar.endsWith('A') ? 'B' : 'A'}`, 1)).to.equal(401)

    await run('relayer', 'token', 'revoke', '--name', 'node-1')
    expect([await post(sidecar, 1), await status('GET', '/exits', sidecar)]).to.deep.equal([401, 401])

    const list = await run('relayer', 'token', 'list')
    expect(list).to.match(/^node-1: sidecar share index 1, made .*, revoked /)
    const kept = readdirSync(folder)
      .filter((name) => name.startsWith('relayer.db'))
      .map((name) => readFileSync(join(folder, name), 'latin1'))
    const shown = [...kept, list, ...running.map(({ stderr }) => stderr)]
    expect(shown.some((text) => text.includes(sidecar.slice(8)))).to.equal(false)
  })

  it('lets a sidecar in that shows a certificate, and tells one that shows none', async () => {
    const sidecar = (name: string, more: Record<string, string>) =>
      start(name, ['sidecar', 'obol'], {
        NETWORK: 'hoodi',
        RELAYER_ENDPOINT: url,
        RELAYER_CA_FILE: join(folder, 'authority.pem'),
        UNCHECKED_EXITS: 'true',
        OBOL_KEYSTORES_DIR: join(obolNodeDirectory(0), 'validator_keys'),
        AUDIT_LOG: join(folder, `${name}.log`),
        LOG_LEVEL: 'debug',
        ...more,
      })
    const refused = sidecar('without', {})
    await refused.waitFor(/asks for a client certificate.*RELAYER_CLIENT_CERT_FILE/)
    await refused.stop()
    const relayer = running[0] as DvtExitProcess
    await relayer.waitFor(/WARN .*no valid client certificate .*none was given/)

    const welcome = sidecar('with', {
      RELAYER_CLIENT_CERT_FILE: join(folder, 'client.pem'),
      RELAYER_CLIENT_KEY_FILE: join(folder, 'client.key'),
    })
    await welcome.waitFor(/share index 1/)
    const before = await lists()
    await until(async () => (await lists()) > before, 'the sidecar reads the list')
    expect(welcome.output).to.not.match(/WARN .*relayer/)
  })
  /** How many lists of exits the relayer has given, by its own count; this machine needs no token for it. */
  const lists = () =>
    new Promise<number>((resolve, reject) => {
      const sent = request(`${url}/metrics`, { agent }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => {
          const line = /request_seconds_count\{[^}]*route="\/exits",status="(?:200|304)"\} (\d+)/g
          resolve([...text.matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0))
        })
      })
      sent.on('error', reject).end()
    })
})
