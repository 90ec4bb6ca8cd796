import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { generatePrivateKey } from 'viem/accounts'
import { obolOptions } from '../../../adapters/obol/options.js'
import { runSidecar, sidecarOptions } from '../../../adapters/sidecar/command.js'
import { ssvOptions } from '../../../adapters/ssv/options.js'
import { DvtExitError, describeError } from '../../../core/errors.js'
import { readOptions } from '../../../core/options.js'
import { runOperator } from '../../../operator/agent/command.js'
import { operatorOptions } from '../../../operator/agent/options.js'
import { relayerOptions, runRelayer } from '../../../relayer/command.js'
import { makeCertificate } from '../../doubles/certificates.js'
import { TestLog } from '../../doubles/log.js'
import { obolNodeDirectory, SSV_OPERATOR_IDS, ssvOperatorFiles } from '../clusters.js'
import { writeWallet } from '../wallet-file.js'
import { useCanary } from './shared.js'

const canary = useCanary()
const TOKEN = `dvtexit_${randomBytes(32).toString('base64url')}`
const PASSWORD = 'correct-horse-battery'
const KEY = randomBytes(32).toString('hex')
canary.secrets.addText('the token', TOKEN)
canary.secrets.addText('the password', PASSWORD)
canary.secrets.addKey('the key', KEY)

type Env = Readonly<Record<string, string>>

describe('the texts of errors', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-errors-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(join(folder, name), text, { mode })
    return join(folder, name)
  }

  /** What a command fails with. Its text, its stack and all that hangs on it are searched when the test ends. */
  async function codesOf(run: (log: TestLog) => Promise<void>): Promise<string[]> {
    const log = new TestLog()
    const error = await run(log).then(
      () => expect.fail('it did not fail'),
      (error: unknown) => error,
    )
    expect(error, inspect(error)).to.be.instanceOf(DvtExitError)
    canary.noteText('the text of an error', describeError(error))
    canary.noteText(
      'an error with everything that hangs on it',
      inspect(error, { depth: 10, showHidden: true }),
    )
    canary.noteText('the log', log.lines.join('\n'))
    const { errors = [error] } = error as { errors?: readonly unknown[] }
    return errors.map((one) => (one as DvtExitError).code)
  }
  const read = <S extends Parameters<typeof readOptions>[0]>(options: S, env: Env, configFile?: string) =>
    readOptions(options, { flags: {}, env, configFile })

  const sidecar = (env: Env) =>
    codesOf(async (log) =>
      runSidecar(
        undefined,
        read(
          { ...sidecarOptions, ...obolOptions, ...ssvOptions },
          {
            NETWORK: 'hoodi',
            CLUSTER_TYPE: 'obol',
            RELAYER_ENDPOINT: 'http://127.0.0.1:9',
            UNCHECKED_EXITS: 'true',
            OBOL_KEYSTORES_DIR: join(obolNodeDirectory(1), 'validator_keys'),
            AUDIT_LOG: join(folder, 'audit.log'),
            DATABASE: join(folder, 'ssv.db'),
            ...env,
          },
        ),
        { signal: AbortSignal.timeout(10_000), logger: log.logger },
      ),
    )
  const relayer = (env: Env) =>
    codesOf(async (log) =>
      runRelayer(
        read(relayerOptions, {
          NETWORK: 'hoodi',
          RELAYER_PORT: '0',
          EXECUTION_ENDPOINT: 'http://127.0.0.1:9',
          CONSENSUS_ENDPOINT: 'http://127.0.0.1:9',
          SIGNATURE_THRESHOLD: '3',
          DATABASE: join(folder, 'relayer.db'),
          RELAYER_KEY_FILE: join(folder, 'relayer.key'),
          ...env,
        }),
        { signal: AbortSignal.timeout(10_000), logger: log.logger },
      ),
    )
  const operator = (env: Env) =>
    codesOf(async (log) =>
      runOperator(
        read(operatorOptions, {
          NETWORK: 'hoodi',
          VAULT: `0x${'be'.repeat(20)}`,
          RELAYER_ENDPOINT: 'http://127.0.0.1:9',
          EXECUTION_ENDPOINTS: 'http://127.0.0.1:9',
          CONSENSUS_ENDPOINTS: 'http://127.0.0.1:9',
          DATABASE: join(folder, 'operator.db'),
          ...env,
        }),
        { signal: AbortSignal.timeout(10_000), logger: log.logger },
      ),
    )

  it('about the relayer’s address do not repeat the token in it', async () => {
    for (const [endpoint, code] of [
      [`htp:/operator:${TOKEN}@relayer.example`, 'INVALID_OPTION'],
      [`operator:${TOKEN}@relayer.example`, 'INVALID_OPTION'],
      [`http://operator:${TOKEN}@relayer.example:port`, 'INVALID_OPTION'],
      [`http://operator:${TOKEN}@192.0.2.1`, 'PLAIN_HTTP_RELAYER'],
    ] as const) {
      expect(await sidecar({ RELAYER_ENDPOINT: endpoint }), code).to.deep.equal([code])
    }
    const both = {
      RELAYER_ENDPOINT: `https://operator:${TOKEN}@relayer.example`,
      RELAYER_TOKEN_FILE: write('token', `${TOKEN}\n`),
    }
    expect(await sidecar(both)).to.deep.equal(['TWO_RELAYER_CREDENTIALS'])
  })

  it('about a token’s file do not repeat what is in it, nor a token that is given in place of the file', async () => {
    for (const file of [write('two', `${TOKEN}\n${TOKEN}`), write('quoted', `token: "${TOKEN}"`), TOKEN]) {
      expect(await sidecar({ RELAYER_TOKEN_FILE: file })).to.deep.equal(['INVALID_TOKEN_FILE'])
    }
  })

  it('about a config file do not repeat its lines', async () => {
    const lines = [
      `RELAYER_ENDPOINT=operator:${TOKEN}@relayer.example`,
      `OPERATOR_KEY=${KEY}`,
      `this is no line: ${PASSWORD}`,
      `VALIDATOR_LIFETIME="${PASSWORD}`,
      '',
    ].join('\n')
    const config = write('config.env', lines)
    const all = { ...sidecarOptions, ...obolOptions, ...ssvOptions }
    expect(await codesOf(async () => void read(all, {}, config))).to.deep.equal(['INVALID_OPTION'])
    expect(await codesOf(async () => void read(all, {}, folder))).to.deep.equal(['INVALID_CONFIG_FILE'])
  })

  it('about a Charon node’s directory do not repeat passwords, keys, or what is in broken keystores', async () => {
    const broken: readonly string[] = [
      KEY,
      `"${KEY}"`,
      `{"crypto": "${KEY}", `,
      `{"${KEY}": 1} ${KEY}`,
      `{secret: ${KEY}}`,
      JSON.stringify({ version: 4, pubkey: KEY, crypto: { kdf: KEY, cipher: PASSWORD } }),
      JSON.stringify({ version: KEY, crypto: { [KEY]: PASSWORD, kdf: { function: PASSWORD } } }),
    ]
    cpSync(join(obolNodeDirectory(1), 'validator_keys'), folder, { recursive: true })
    for (const [i, text] of broken.entries()) {
      write(`keystore-${i + 10}.json`, text)
      write(`keystore-${i + 10}.txt`, PASSWORD)
    }
    cpSync(
      join(obolNodeDirectory(1), 'validator_keys/keystore-insecure-0.json'),
      join(folder, 'keystore-9.json'),
    )
    write('keystore-9.txt', PASSWORD)
    const codes = await sidecar({
      OBOL_KEYSTORES_DIR: folder,
      OBOL_CLUSTER_LOCK_FILE: join(obolNodeDirectory(1), 'cluster-lock.json'),
    })
    expect(codes.filter((code) => code === 'INVALID_KEYSTORE')).to.have.length(broken.length)
    expect(codes).to.include('WRONG_PASSWORD')
  })

  it('about an SSV operator’s key do not repeat the key or the password', async () => {
    const { key } = ssvOperatorFiles(SSV_OPERATOR_IDS[0])
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    canary.secrets.addText('the PEM', pem.split('\n')[1] ?? '')
    const cases: readonly (readonly [Env, string])[] = [
      [
        { SSV_OPERATOR_KEY_FILE: key, SSV_OPERATOR_PASSWORD_FILE: write('password', PASSWORD) },
        'WRONG_PASSWORD',
      ],
      [{ SSV_OPERATOR_KEY_FILE: key, SSV_OPERATOR_PASSWORD_FILE: PASSWORD }, 'UNREADABLE_FILE'],
      [{ SSV_OPERATOR_KEY_FILE: Buffer.from(pem).toString('base64') }, 'UNREADABLE_FILE'],
      [{ SSV_OPERATOR_KEY_FILE: pem }, 'UNREADABLE_FILE'],
      [{ SSV_OPERATOR_KEY_FILE: write('bare', KEY) }, 'INVALID_OPERATOR_KEY'],
      [
        { SSV_OPERATOR_KEY_FILE: write('half.json', `{"publicKey": "x", "privateKey": "${KEY}"`) },
        'INVALID_OPERATOR_KEY',
      ],
      [
        {
          SSV_OPERATOR_KEY_FILE: write(
            'other.json',
            JSON.stringify({ crypto: { kdf: KEY }, pubkey: PASSWORD }),
          ),
        },
        'INVALID_OPERATOR_KEY',
      ],
      [{ OPERATOR_KEY: KEY }, 'INVALID_OPERATOR_KEY'],
      [{ OPERATOR_KEY: pem }, 'INVALID_OPERATOR_KEY'],
      [{ OPERATOR_KEY: Buffer.from(pem).toString('base64') }, 'INVALID_OPERATOR_KEY'],
      [
        { OPERATOR_KEY: `-----BEGIN RSA PRIVATE KEY-----\n${KEY}\n-----END RSA PRIVATE KEY-----` },
        'INVALID_OPERATOR_KEY',
      ],
    ]
    for (const [env, code] of cases) {
      const codes = await sidecar({
        CLUSTER_TYPE: 'ssv',
        EXECUTION_ENDPOINTS: 'http://127.0.0.1:9',
        SIDECAR_VAULTS: '',
        ...env,
      })
      expect(codes, code).to.deep.equal([code])
    }
  })

  it('about wallets do not repeat the key or the password', async () => {
    const wallet = writeWallet(folder, 'wallet', generatePrivateKey())
    const wrong = write('wrong', PASSWORD)
    const cases: readonly (readonly [string, string, string])[] = [
      [wallet.file, PASSWORD, 'WALLET_UNREADABLE'],
      [KEY, wrong, 'WALLET_UNREADABLE'],
      [wallet.file, wrong, 'WRONG_WALLET_PASSWORD'],
      [write('bare', `0x${KEY}`), wrong, 'INVALID_WALLET'],
      [write('number', JSON.stringify(KEY)), wrong, 'INVALID_WALLET'],
      [write('half', `{"version": 3, "key": "${KEY}"`), wrong, 'INVALID_WALLET'],
      [
        write('fields', JSON.stringify({ version: KEY, address: KEY, crypto: { cipher: KEY, kdf: KEY } })),
        wrong,
        'INVALID_WALLET',
      ],
    ]
    for (const [file, password, code] of cases) {
      expect(await operator({ WALLET_FILE: file, WALLET_PASSWORD_FILE: password }), file).to.deep.equal([
        code,
      ])
      const manager = { VALIDATORS_MANAGER_KEY_FILE: file, VALIDATORS_MANAGER_PASSWORD_FILE: password }
      expect(await relayer(manager), file).to.deep.equal([code])
    }
  })

  it('about the relayer’s own keys do not repeat them', async () => {
    expect(await relayer({ RELAYER_KEY_FILE: write('short', KEY.slice(0, 60)) })).to.deep.equal([
      'KEY_FILE_INVALID',
    ])
    expect(await relayer({ RELAYER_KEY_FILE: write('open', KEY, 0o644) })).to.deep.equal([
      'KEY_FILE_READABLE_BY_OTHERS',
    ])
    const { cert, key } = makeCertificate({ name: 'localhost' })
    const body = key.split('\n')[1] ?? ''
    canary.secrets.addText('the TLS key', body)
    for (const text of [
      body,
      `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
      makeCertificate({ name: 'another' }).key,
    ]) {
      const env = { RELAYER_TLS_CERT_FILE: write('cert', cert), RELAYER_TLS_KEY_FILE: write('tls', text) }
      const [code = ''] = await relayer(env)
      expect(code).to.match(/TLS/)
    }
  })
})
