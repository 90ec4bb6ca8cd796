import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { loadOperatorKey, type OperatorKey, type ReadText } from '../../../adapters/ssv/operator-key.js'
import { passwordForms } from '../../../adapters/ssv/operator-password.js'
import { ConfigurationError } from '../../../core/errors.js'
import { Secret } from '../../../core/secret.js'
import { EXPECTED, OPERATOR_IDS, operatorPrivateKey, SSV_FIXTURE } from '../../core/clusters/ssv-fixture.js'

const operatorFile = (id: number | bigint, name: string): string => join(SSV_FIXTURE, `operators/${id}`, name)
const keyFile = (id: number | bigint) => operatorFile(id, 'encrypted_private_key.json')

function expectKeyOf(key: OperatorKey, id: bigint): void {
  expect(key.privateKey.equals(operatorPrivateKey(id))).to.equal(true)
  expect(key.publicKeys).to.deep.equal([EXPECTED.operators[String(id)]?.publicKeyBase64])
}

async function failure(promise: Promise<unknown>): Promise<ConfigurationError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('it was loaded')
}

/** Files by name, all others as they are; an Error is thrown. */
function reading(files: Record<string, string | Error>): ReadText {
  return async (file) => {
    const content = files[file]
    if (content instanceof Error) throw content
    return content ?? readFileSync(file, 'utf8')
  }
}

describe('loadOperatorKey', () => {
  for (const id of OPERATOR_IDS) {
    it(`opens the encrypted key of operator ${id} and knows its public key as registered`, async () => {
      const passwordFile = operatorFile(id, 'password')
      const key = await loadOperatorKey({ keyFile: keyFile(id), passwordFile })
      expectKeyOf(key, id)
      expect(key.source).to.equal(keyFile(id))
    })
  }

  for (const [file, owner, id] of [
    ['anchor-shape.scrypt.pubKey.json', 42, 42n],
    ['v0.7.0_to_v1.0.0-rc.1.nopubkey.json', 42, 42n],
    ['v1.0.0-rc.2_to_v1.3.2.publicKey.json', 42, 42n],
    ['v1.3.3_to_v2.3.2.pubKey.json', 27, 27n],
    ['v2.3.3_plus.pubkey.json', 11, 11n],
  ] as const) {
    it(`opens ${file}`, async () => {
      const passwordFile = operatorFile(owner, 'password')
      const variant = join(SSV_FIXTURE, 'operator-key-variants', file)
      expectKeyOf(await loadOperatorKey({ keyFile: variant, passwordFile }), id)
    })
  }

  const variants = join(SSV_FIXTURE, 'operator-password-variants')
  for (const name of readdirSync(variants)) {
    it(`opens a key whose password is of the kind "${name}"`, async () => {
      const folder = join(variants, name)
      const files = {
        keyFile: join(folder, 'encrypted_private_key.json'),
        passwordFile: join(folder, 'password'),
      }
      expectKeyOf(await loadOperatorKey(files), 42n)
    })
  }

  it('reads the unencrypted key from a file, without a password', async () => {
    const plain = operatorFile(11, 'private_key.base64')
    expectKeyOf(await loadOperatorKey({ keyFile: plain, passwordFile: undefined }), 11n)
  })

  it('reads the unencrypted key from OPERATOR_KEY, be it the key, a PEM or a file name', async () => {
    const plain = operatorFile(350, 'private_key.base64')
    const text = readFileSync(plain, 'utf8')
    for (const given of [text, ` ${text.trim()}\n`, Buffer.from(text, 'base64').toString(), plain]) {
      expectKeyOf(await loadOperatorKey({ key: new Secret(given) }), 350n)
    }
  })

  it('names both files when the password is wrong, and shows neither password nor key', async () => {
    const source = { keyFile: keyFile(11), passwordFile: '/run/secret-password' }
    const error = await failure(loadOperatorKey(source, reading({ '/run/secret-password': 'hunter2' })))
    expect(error.code).to.equal('WRONG_PASSWORD')
    expect(error.message).to.contain(keyFile(11)).and.contain('/run/secret-password')
    expect(inspect(error)).to.not.contain('hunter2')
  })

  it('says which file may not be read, or is not there', async () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    for (const [files, what] of [
      [{ '/keys/operator.json': denied }, 'operator key file /keys/operator.json'],
      [
        { '/keys/operator.json': readFileSync(keyFile(11), 'utf8'), '/keys/password': denied },
        'operator password file /keys/password',
      ],
    ] as const) {
      const source = { keyFile: '/keys/operator.json', passwordFile: '/keys/password' }
      const error = await failure(loadOperatorKey(source, reading(files)))
      expect(error.code).to.equal('UNREADABLE_FILE')
      expect(error.message).to.equal(`${what} may not be read by this user`)
      expect(error.hint).to.contain('run as that user')
    }
    const missing = await failure(loadOperatorKey({ keyFile: '/none/key.json', passwordFile: undefined }))
    expect(missing.message).to.equal('operator key file /none/key.json is not there')
  })

  it('wants a password for an encrypted key', async () => {
    const error = await failure(loadOperatorKey({ keyFile: keyFile(11), passwordFile: undefined }))
    expect(error.code).to.equal('MISSING_OPTION')
    expect(error.hint).to.contain('SSV_OPERATOR_PASSWORD_FILE')
  })

  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    type: 'pkcs1',
    format: 'pem',
  })
  const json = JSON.parse(readFileSync(keyFile(11), 'utf8'))
  for (const [what, content, reason] of [
    ['an empty file', '', /neither JSON nor base64/],
    ['JSON cut short', '{"checksum":', /not JSON/],
    ['another JSON file', '{"shares":[]}', /not an EIP-2335 keystore/],
    ['a public key', readFileSync(operatorFile(11, 'public_key.base64'), 'utf8'), /no private key/],
    ['an RSA key of another size', Buffer.from(small).toString('base64'), /no RSA key of 2048 bits/],
    [
      'an absurdly expensive key',
      JSON.stringify({ ...json, kdf: { ...json.kdf, params: { ...json.kdf.params, c: 2 ** 40 } } }),
      /beyond sense/,
    ],
  ] as const) {
    it(`refuses ${what}, naming the file`, async () => {
      const source = { keyFile: '/keys/operator.json', passwordFile: operatorFile(11, 'password') }
      const error = await failure(loadOperatorKey(source, reading({ '/keys/operator.json': content })))
      expect(error.code).to.equal('INVALID_OPERATOR_KEY')
      expect(error.message).to.match(reason).and.contain('/keys/operator.json')
    })
  }

  it('refuses a file whose public key is of another key', async () => {
    const content = JSON.stringify({ ...json, pubkey: EXPECTED.operators['27']?.publicKeyBase64 })
    const source = { keyFile: '/keys/operator.json', passwordFile: operatorFile(11, 'password') }
    const error = await failure(loadOperatorKey(source, reading({ '/keys/operator.json': content })))
    expect(error.message).to.contain('its public key is not that of its private key')
  })

  it('keeps another spelling of the same public key as a second candidate', async () => {
    const registered = EXPECTED.operators['11']?.publicKeyBase64 ?? ''
    const pem = createPublicKey(operatorPrivateKey(11n)).export({ type: 'spki', format: 'pem' }).toString()
    const written = Buffer.from(pem).toString('base64')
    const source = { keyFile: '/keys/operator.json', passwordFile: operatorFile(11, 'password') }
    const files = reading({ '/keys/operator.json': JSON.stringify({ ...json, pubkey: written }) })
    expect((await loadOperatorKey(source, files)).publicKeys).to.deep.equal([registered, written])
  })

  it('never repeats what OPERATOR_KEY holds', async () => {
    const mangled = readFileSync(operatorFile(11, 'private_key.base64'), 'utf8').slice(3)
    const error = await failure(loadOperatorKey({ key: new Secret(mangled) }))
    expect(error.code).to.equal('INVALID_OPERATOR_KEY')
    expect(`${error.message} ${error.hint}`).to.not.contain(mangled.slice(0, 20))
  })
})

describe('passwordForms', () => {
  const texts = (password: string) => passwordForms(password).map((form) => Buffer.from(form).toString())

  it('tries a plain password once, whatever line ends behind it', () => {
    expect(texts('correct horse')).to.deep.equal(['correct horse'])
    expect(texts('correct horse\r\n')).to.deep.equal(['correct horse'])
  })

  it('tries with and without white space, and with and without combining marks', () => {
    expect(texts(' pä ')).to.deep.equal(['pa\u0308', 'pa', ' pa\u0308 ', ' pa '])
    expect(texts('한')).to.deep.equal(['\u1112\u1161\u11ab', '\u1112'])
  })
})
