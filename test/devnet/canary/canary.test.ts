import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { PrivateKey } from 'eciesjs'
import Sqlite from 'libsql'
import { bls } from '../../../core/bls/backend.js'
import { secretFromScalar, secureRandomScalar } from '../../../core/bls/threshold.js'
import { toHex } from '../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { sealForOracle } from '../../../core/oracles/seal.js'
import { makeCertificate } from '../../doubles/certificates.js'
import { Canary } from './canary.js'
import { describePlace } from './records.js'

const LEAKING = fileURLToPath(new URL('./leaking-process.mjs', import.meta.url))
const SECRET = createHash('sha256').update('what nobody may know').digest('hex')
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

describe('the canary', () => {
  let canary: Canary
  let folder: string
  const children: ChildProcess[] = []

  beforeEach(() => {
    canary = new Canary()
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-canary-test-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const places = () => canary.leaks().map(({ place }) => describePlace(place))

  /** Starts the leaking process as DvtExitProcess starts a dvt-exit. */
  async function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const record = canary.watch({ name: 'leaking', args, env, cwd: folder })
    const child = spawn(process.execPath, ['--import', record.preload, LEAKING, ...args], {
      cwd: folder,
      env: { SECRET, ...env },
    })
    children.push(child)
    child.stderr.on('data', (chunk: Buffer) => record.wrote('stderr', chunk))
    const port = await new Promise<number>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        record.wrote('stdout', chunk)
        const match = /port (\d+)/.exec(record.stdout)
        if (match !== null) resolve(Number(match[1]))
      })
      child.once('exit', () => reject(new Error('it ended')))
    })
    const end = async () => {
      const closed = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGKILL')
      await closed
      canary.ended(record)
    }
    return { child, record, port, end, url: `http://127.0.0.1:${port}` }
  }

  it('finds nothing where nothing is', async () => {
    canary.secrets.addKey('the secret', SECRET)
    const { url, end } = await start()
    await (await fetch(`${url}/clean`)).text()
    await end()
    expect(places()).to.deep.equal([])
    canary.assertNothingLeaked()
  })

  it('finds what a process answers: bodies, headers, status lines, pieces, and what is no answer to a request', async () => {
    canary.secrets.addKey('the secret', SECRET)
    const { url, port, end } = await start()
    for (const path of ['/body', '/header', '/status', '/chunks'])
      await (await fetch(`${url}${path}?x=1`)).text()
    await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('close', resolve).resume().end('no HTTP\r\n\r\n')
    })
    await end()
    expect(new Set(places())).to.deep.equal(
      new Set([
        'answer of leaking (process 1) to GET /body',
        'answer of leaking (process 1) to GET /header',
        'answer of leaking (process 1) to GET /status',
        'answer of leaking (process 1) to GET /chunks',
        'answer of leaking (process 1) to what is no request',
      ]),
    )
    expect(places()).to.deep.equal([])
  })

  it('finds what a process answers over TLS, and the key that it does so with', async () => {
    canary.secrets.addKey('the secret', SECRET)
    const { cert, key } = makeCertificate({ name: 'localhost' })
    const keyFile = join(folder, 'tls.key')
    writeFileSync(keyFile, key)
    const env = { RELAYER_TLS_KEY_FILE: keyFile, CERTIFICATE: cert, KEY: key }
    const { port, end } = await start([], env)
    await new Promise((resolve, reject) => {
      const sent = request(`https://127.0.0.1:${port}/body`, { rejectUnauthorized: false }, (response) => {
        response.resume().on('end', resolve)
      })
      sent.on('error', reject).end()
    })
    await end()
    expect(places()).to.deep.equal(['answer of leaking (process 1) to GET /body'])
    canary.noteText('a log', key)
    expect(places()).to.include('a log')
  })

  it('finds what a process answered that was killed at once', async () => {
    canary.secrets.addKey('the secret', SECRET)
    const { url, end } = await start()
    await fetch(`${url}/killed`)
      .then((answer) => answer.text())
      .catch(() => undefined)
    await end()
    expect(places()).to.include('answer of leaking (process 1) to GET /killed')
  })

  it('finds what a process printed or wrote to a file, while it runs and when it has ended', async () => {
    canary.secrets.addKey('the secret', SECRET)
    for (const [where, expected] of [
      ['stdout', /^stdout of leaking \(process \d\)$/],
      ['stderr', /^stderr of leaking \(process \d\)$/],
      ['file', /^file .*some\.log$/],
    ] as const) {
      const { end } = await start([where])
      expect(places().join(), where).to.match(expected)
      await end()
      expect(places().join(), where).to.match(expected)
      rmSync(join(folder, 'some.log'), { force: true })
    }
  })

  it('finds what is in a database: in its write-ahead log, in a row, and in a freed page', () => {
    canary.secrets.addKey('the secret', SECRET)
    const file = join(folder, 'x.db')
    const database = new Sqlite(file)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA secure_delete = OFF; CREATE TABLE t (value BLOB)')
    database.exec(`INSERT INTO t VALUES (x'${SECRET}')`)
    canary.noteFolder(folder)
    expect(places()).to.deep.equal([`file ${file}-wal`])
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    canary.noteFolder(folder)
    expect(places()).to.deep.equal([`file ${file}`])
    database.exec('DELETE FROM t')
    database.close()
    canary.noteFolder(folder)
    expect(places()).to.deep.equal([`file ${file}`])
  })

  it('makes secrets of what a process is told in confidence, and lets them be where they were given', async () => {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    mkdirSync(join(folder, 'node3'))
    const env = {
      RELAYER_ENDPOINT: 'http://operator:t%C3%B6ken-of-url@127.0.0.1:1',
      CONSENSUS_ENDPOINTS: 'http://127.0.0.1:2,http://127.0.0.1:3/v3/key-in-the-path?apikey=key-in-the-query',
      RELAYER_TOKEN_FILE: write('token', 'token-of-file\n'),
      WALLET_PASSWORD_FILE: write('password', 'password-of-file\n'),
      OBOL_KEYSTORES_DIR_TEMPLATE: join(folder, 'node{node_index}'),
      KEYSTORE: write('node3/keystore-0.txt', 'password-of-keystore'),
    }
    const { end } = await start(['--consensus-endpoint=http://127.0.0.1:4/key-of-flag'], env)
    await end()
    expect(places(), 'in the files that they were given in').to.deep.equal([])
    const secrets = [
      'töken-of-url',
      'key-in-the-path',
      'key-in-the-query',
      'token-of-file',
      'password-of-file',
      'password-of-keystore',
      'key-of-flag',
    ]
    for (const secret of secrets) {
      canary.noteText('a log', `there is ${secret} in it`)
      expect(places(), secret).to.deep.equal(['a log'])
    }
  })

  it('knows every signature that was wanted: exits, whole and of each node, and each node’s part of deposits', () => {
    const network = loadNetwork('hoodi')
    const [whole, one, two] = [secureRandomScalar(), secureRandomScalar(), secureRandomScalar()]
    const hex = (scalar: bigint) => scalar.toString(16).padStart(64, '0')
    const publicKey = toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(whole))))
    canary.validators.add({
      name: 'a validator',
      network,
      publicKey,
      whole: { secret: hex(whole) },
      shares: [
        { node: 'node 1', secret: hex(one) },
        { node: 'node 2', sign: (root) => bls.encodeSignature(bls.sign(secretFromScalar(two), root)) },
      ],
    })
    const vault = `0x${'ab'.repeat(20)}` as const
    canary.noteText(
      'an answer',
      JSON.stringify({
        validators: [
          {
            public_key: publicKey,
            vault,
            amount: 32_000_000_000,
            validator_type: '0x01',
            validator_index: 7,
          },
        ],
      }),
    )
    expect(places()).to.deep.equal([])
    const exit = voluntaryExitSigningRoot(network, presignedExit(network, 7))
    const other = voluntaryExitSigningRoot(network, presignedExit(network, 8))
    const deposit = depositSigningRoot(network, {
      publicKey,
      withdrawalCredentials: withdrawalCredentials('0x01', vault),
      amount: 32_000_000_000n,
    })
    const found = (scalar: bigint, root: Uint8Array) => {
      const signature = bls.encodeSignature(bls.sign(secretFromScalar(scalar), root))
      canary.noteText('a log', Buffer.from(signature).toString('base64'))
      return canary.leaks().map(({ secret }) => secret)[0]
    }
    expect(found(whole, exit)).to.match(/the whole signature of the exit of a validator with index 7/)
    expect(found(one, exit)).to.match(/node 1 .*exit of a validator with index 7/)
    expect(found(two, exit)).to.match(/node 2 .*exit of a validator with index 7/)
    expect(found(two, deposit)).to.match(/node 2 .*deposit of 32000000000 Gwei/)
    expect(found(whole, deposit), 'which everybody may see').to.equal(undefined)
    expect(found(one, other), 'which nobody wanted').to.equal(undefined)
    canary.noteText(
      'an audit log',
      JSON.stringify({ public_key: publicKey, validator_index: 8, share_index: 1 }),
    )
    expect(found(one, other)).to.match(/index 8/)
  })

  it('knows the oracles’ parts that were answered, sealed for each', () => {
    const keys = [randomBytes(32), randomBytes(32)]
    canary.oracles.add([randomBytes(32), randomBytes(32)])
    canary.oracles.add(keys)
    canary.oracles.add([randomBytes(32)])
    const parts = [randomBytes(96), randomBytes(96)]
    const sealed = keys.map((key, i) =>
      toHex(sealForOracle(new PrivateKey(key).publicKey.toBytes(false), parts[i] ?? Buffer.alloc(96))),
    )
    const answer = JSON.stringify({ oracles_exit_signature_shares: { encrypted_exit_signatures: sealed } })
    canary.note({
      place: { kind: 'answer', process: 'relayer', request: 'POST /validators' },
      bytes: Buffer.from(answer),
    })
    expect(places(), 'sealed').to.deep.equal([])
    for (const part of parts) {
      canary.noteText('a log', part.toString('hex'))
      expect(places()).to.deep.equal(['a log'])
    }
  })

  it('says what was found where, and never the secret itself', () => {
    canary.secrets.addKey('the key share of node 2', SECRET)
    canary.noteText('the log', `0x${SECRET}`)
    let message = ''
    try {
      canary.assertNothingLeaked()
    } catch (error) {
      message = String(error)
    }
    expect(message).to.include('the key share of node 2: 64 bytes, hex, at 2 of the log')
    expect(message).to.not.include(SECRET.slice(0, 8))
  })

  it('refuses a process that may write where nobody looks', () => {
    const elsewhere = { name: 'x', args: [], env: {}, cwd: ROOT }
    expect(() => canary.watch(elsewhere)).to.throw('no temporary folder')
  })

  it('refuses an answer that it could not read', async () => {
    const { url, end } = await start()
    await (await fetch(`${url}/compressed`)).text()
    await end()
    expect(() => canary.leaks()).to.throw('compressed its answer to GET /compressed')
  })

  it('fails a mocha run in which something leaked', async () => {
    const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js')
    const args = [mocha, fileURLToPath(new URL('./leaking.mocha.ts', import.meta.url))]
    const { code, stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => error,
    )
    expect(code, stdout).to.not.equal(0)
    expect(stdout).to.match(/the secret of a test: 19 bytes, raw, at 15 of the log/)
    expect(stdout).to.not.include('tell nobody')
  })
})
