import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { pino } from 'pino'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createObolSigners } from '../../adapters/obol/create.js'
import { obolOptions } from '../../adapters/obol/options.js'
import { SsvSigner } from '../../adapters/ssv/signer.js'
import { bls } from '../../core/bls/backend.js'
import { BeaconClient } from '../../core/clients/beacon.js'
import { ExecutionClient } from '../../core/clients/execution.js'
import { IpfsClient } from '../../core/clients/ipfs.js'
import { RelayerClient } from '../../core/clients/relayer.js'
import { relayerAgent } from '../../core/clients/relayer-tls.js'
import { describeError } from '../../core/errors.js'
import { fromHex, type PublicKeyHex } from '../../core/hex.js'
import { loadNetwork } from '../../core/network.js'
import { readOptions } from '../../core/options.js'
import { Secret } from '../../core/secret.js'
import { ShareCipher } from '../../relayer/store/share-cipher.js'
import { nodeHome } from '../adapters/obol/node-directory.js'
import { makeCertificate } from '../doubles/certificates.js'
import { failureOf } from '../doubles/failure.js'
import { TestLog } from '../doubles/log.js'

/** Port 9 of this machine, where nobody listens. */
const NOBODY = '127.0.0.1:9'
const PASSWORD = 'pa55-w0rd-of-an-endpoint'
const TOKEN = 'dvtexit_t0ken-of-a-caller'
const ONCE = { retry: { rounds: 1, delay: 1 } }
const network = loadNetwork('hoodi')

/** How bytes look in anything that is printed: hex, spaced hex, base64, lists of numbers. */
function formsOf(bytes: Uint8Array): string[] {
  const start = [...bytes.subarray(4, 14)]
  return [
    Buffer.from(bytes).toString('hex'),
    start.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    Buffer.from(bytes).toString('base64').replace(/=+$/, ''),
    start.join(','),
    start.join(', '),
  ]
}

/** Everything that somebody could print of a thing, by console.log, a debugger, a log or JSON. */
function printed(thing: unknown): string {
  const texts: string[] = [
    inspect(thing, {
      depth: Number.POSITIVE_INFINITY,
      showHidden: true,
      maxArrayLength: null,
      maxStringLength: null,
    }),
    String(thing),
    thing instanceof Error ? describeError(thing) : '',
  ]
  const logger = pino({ level: 'trace' }, { write: (line: string) => void texts.push(line) })
  logger.info({ thing, err: thing, list: [thing] }, 'printed')
  logger.error(thing)
  try {
    texts.push(JSON.stringify(thing) ?? '')
  } catch {
    // Round or with bigints: JSON cannot show it at all.
  }
  // inspect puts lists of numbers in columns.
  return texts.join('\n').replace(/ +/g, ' ').replace(/,\n /g, ', ')
}

function expectNothing(things: Readonly<Record<string, unknown>>, needles: readonly string[]): void {
  for (const [name, thing] of Object.entries(things)) {
    const text = printed(thing)
    for (const needle of needles) expect(text.includes(needle), `${name} shows ${needle}`).to.equal(false)
  }
}

describe('what holds a secret and is printed whole', () => {
  it('would be caught by this test', () => {
    const bytes = new Uint8Array(randomBytes(32))
    for (const thing of [
      bytes,
      Buffer.from(bytes),
      { deep: [[bytes]] },
      Buffer.from(bytes).toString('hex'),
    ]) {
      expect(() => expectNothing({ thing }, formsOf(bytes))).to.throw(/shows/)
    }
  })

  it('are clients of endpoints with keys and passwords, and the errors that they throw', async () => {
    const url = `http://operator:${PASSWORD}@${NOBODY}/${PASSWORD}?key=${PASSWORD}`
    const needles = [PASSWORD, ...formsOf(Buffer.from(`operator:${PASSWORD}`)), TOKEN]
    const relayer = new RelayerClient(url)
    const withToken = new RelayerClient(`http://${NOBODY}`, { token: new Secret(TOKEN) })
    const execution = new ExecutionClient([url, url], ONCE)
    const beacon = new BeaconClient([url], ONCE)
    const ipfs = new IpfsClient([url], ONCE)
    const errors = await Promise.all([
      failureOf(relayer.info()),
      failureOf(withToken.info()),
      failureOf(relayer.postExitSignatures(1n, [])).catch(() => undefined),
      failureOf(execution.chainId()),
      failureOf(beacon.knownValidators([], [0])),
      failureOf(ipfs.fetch('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG')),
    ])
    expectNothing({ relayer, withToken, execution, beacon, ipfs, ...errors }, needles)
  })

  it('are agents with a client’s key', () => {
    const { cert, key } = makeCertificate({ name: 'a node' })
    const own = { cert, key: new Secret(key), validTo: Date.now() }
    const needles = key.split('\n').slice(1, 3)
    const relayer = new RelayerClient(`https://${NOBODY}`, { tls: { own } })
    expectNothing({ own, agent: relayerAgent({ own }), relayer }, needles)
  })

  it('are signers with the key shares of a node', async () => {
    const values = readObolOptions(`${nodeHome('obol-4n3t-hoodi', 0)}/validator_keys`)
    const [signer] = await createObolSigners(values, {
      network,
      logger: new TestLog().logger,
      progress: () => {},
    })
    try {
      const needles = obolSecrets('obol-4n3t-hoodi', 0).flatMap((secret) => formsOf(fromHex(secret, 32)))
      expect(needles.length).to.be.greaterThan(4)
      expect(signer?.validators().size).to.be.greaterThan(0)
      expectNothing({ signer, validators: signer?.validators() }, needles)
    } finally {
      await signer?.close()
    }
  })

  it('are signers with the key shares of an SSV operator', () => {
    const scalar = Uint8Array.of(0, ...randomBytes(31))
    const publicKey: PublicKeyHex = `0x${'ab'.repeat(48)}`
    const secret = new Secret(bls.decodeSecretKey(scalar))
    const validator = { publicKey, threshold: 3, shares: new Map(), usable: true, source: 'test', secret }
    const known = new Map([[publicKey, validator as never]])
    const signer = new SsvSigner({
      operatorId: 1n,
      network,
      known: () => known,
      onChange: () => undefined,
      close: async () => undefined,
    })
    expectNothing({ signer, validators: signer.validators(), known, bare: secret.reveal() }, formsOf(scalar))
  })

  it('are the cipher of stored shares, and wallets', () => {
    const key = new Uint8Array(randomBytes(32))
    const privateKey = generatePrivateKey()
    const account = privateKeyToAccount(privateKey)
    expectNothing({ cipher: new ShareCipher(new Secret(key)), secret: new Secret(key) }, formsOf(key))
    expectNothing({ account, held: { account } }, formsOf(fromHex(privateKey, 32)))
  })

  it('are secrets in whatever holds them', () => {
    const secret = new Secret('a-passw0rd')
    const held = { secret, list: [secret], map: new Map([['secret', secret]]), nested: { secret } }
    expectNothing(
      {
        secret,
        held,
        error: new Error('with a cause', { cause: held }),
        text: `${secret}`,
        sum: `${[secret]}`,
      },
      ['a-passw0rd'],
    )
  })
})

function readObolOptions(keystoresDir: string) {
  return readOptions(obolOptions, { flags: {}, env: { OBOL_KEYSTORES_DIR: keystoresDir } })
}

/** The secret shares of one node, hex. */
function obolSecrets(cluster: string, node: number): string[] {
  const file = new URL(`../fixtures/obol/${cluster}.EXPECTED.json`, import.meta.url)
  const { node_shares } = JSON.parse(readFileSync(file, 'utf8')) as {
    node_shares: { node_index: number; validators: { share_secret: string }[] }[]
  }
  return node_shares
    .filter(({ node_index }) => node_index === node)
    .flatMap(({ validators }) => validators.map((validator) => validator.share_secret))
}
