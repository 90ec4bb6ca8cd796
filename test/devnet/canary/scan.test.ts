import { createHash, generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import { addPrivateKey } from './private-keys.js'
import { type Leak, Scanner } from './scan.js'
import { inFile, SecretRegister } from './secrets.js'

/** Bytes that look random and are the same in every run. */
function bytesOf(seed: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash('sha256').update(`${seed} ${i}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

const KEY = bytesOf('key', 32)
const SIGNATURE = bytesOf('signature', 96)
const TOKEN = 'dvt_Xk83-hJq2_aa71'
const PASSWORD = 'pass wörd "of" node/2 + more'

const register = new SecretRegister()
register.add('number', 'the key', KEY)
register.add('bytes', 'the signature', SIGNATURE)
register.addText('the token', TOKEN)
register.addText('the password', PASSWORD)
const scanner = new Scanner(register)

function find(bytes: Uint8Array | string): Leak[] {
  return scanner.find({ place: { kind: 'text', what: 'a text' }, bytes: Buffer.from(bytes as string) })
}
const names = (leaks: readonly Leak[]) => [...new Set(leaks.map(({ secret }) => secret))]

const urlSafe = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** What writes bytes in the ways that programs do, by itself or with something around it. */
const WAYS: readonly (readonly [string, (value: Buffer) => Uint8Array | string])[] = [
  ['raw', (value) => value],
  ['hex', (value) => value.toString('hex')],
  ['hex with 0x', (value) => `0x${value.toString('hex')}`],
  ['hex in upper case', (value) => value.toString('hex').toUpperCase()],
  ['base64', base64],
  ['base64url', (value) => value.toString('base64url')],
  [
    'base64 of a text in which it begins one byte later',
    (value) => base64(Buffer.concat([Buffer.from('a'), value, Buffer.from('z')])),
  ],
  [
    'base64 of a text in which it begins two bytes later',
    (value) => base64(Buffer.concat([Buffer.from('ab'), value, Buffer.from('yz')])),
  ],
  [
    'base64url of a text in which it begins one byte later',
    (value) => urlSafe(base64(Buffer.concat([Buffer.from('a'), value]))),
  ],
  ['base64 without padding', (value) => base64(value).replace(/=+$/, '')],
  [
    'JSON within JSON',
    (value) => JSON.stringify({ body: JSON.stringify({ share: `0x${value.toString('hex')}` }) }),
  ],
  ['in a database page', (value) => Buffer.concat([Buffer.alloc(4_000, 7), value, Buffer.alloc(4_000)])],
]
const WAYS_OF_BYTES: typeof WAYS = [
  [
    'base64 of JSON that has it in hex',
    (value) => base64(Buffer.from(`{"share":"0x${value.toString('hex')}"}`)),
  ],
  ['JSON of a typed array', (value) => JSON.stringify({ share: new Uint8Array(value) })],
  ['JSON of a buffer', (value) => JSON.stringify(value)],
  ['a typed array as a string', (value) => String(new Uint8Array(value))],
  ['an inspected buffer', (value) => inspect({ share: value })],
  ['percent-encoded base64', (value) => encodeURIComponent(base64(value))],
]
const WAYS_OF_KEYS: typeof WAYS = [
  ['a decimal number', (value) => `secret=${BigInt(`0x${value.toString('hex')}`)}n`],
  ['raw with the lowest byte first', (value) => Buffer.from(value).reverse()],
  ['hex with the lowest byte first', (value) => Buffer.from(value).reverse().toString('hex')],
]
const WAYS_OF_TEXTS: typeof WAYS = [
  ['JSON', (value) => JSON.stringify({ password: value.toString('utf8') })],
  ['JSON in a string of JSON', (value) => JSON.stringify(JSON.stringify(value.toString('utf8')))],
  ['percent-encoded', (value) => `https://x:${encodeURIComponent(value.toString('utf8'))}@host`],
  [
    'a URL as it is printed',
    (value) => new URL(`http://x/?key=${encodeURIComponent(value.toString('utf8'))}`).href,
  ],
  ['form-encoded', (value) => new URLSearchParams({ key: value.toString('utf8') }).toString()],
  ['Basic credentials', (value) => `Basic ${base64(Buffer.from(`operator:${value.toString('utf8')}`))}`],
  ['normalised as keystores do', (value) => value.toString('utf8').normalize('NFKD')],
]

describe('the search for secrets', () => {
  for (const [kind, value, ways] of [
    ['the key', KEY, [...WAYS, ...WAYS_OF_BYTES, ...WAYS_OF_KEYS]],
    ['the signature', SIGNATURE, [...WAYS, ...WAYS_OF_BYTES]],
    ['the token', Buffer.from(TOKEN), [...WAYS, ...WAYS_OF_TEXTS]],
    ['the password', Buffer.from(PASSWORD), [...WAYS, ...WAYS_OF_TEXTS]],
  ] as const) {
    for (const [way, write] of ways) {
      it(`finds ${kind} written as: ${way}`, () => {
        expect(names(find(write(value)))).to.deep.equal([kind])
      })
    }
  }

  it('finds each wherever it is in whatever is around it, and says where', () => {
    const values = [KEY, SIGNATURE, Buffer.from(TOKEN), Buffer.from(PASSWORD)]
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom(...values),
        fc.constantFrom('hex', 'base64', 'base64url', 'latin1'),
        fc.uint8Array({ maxLength: 100 }),
        (before, value, encoding, after) => {
          const plain = Buffer.concat([
            before,
            Buffer.from(value.toString(encoding as 'hex'), 'latin1'),
            after,
          ])
          const [leak] = find(plain)
          // A neighbour may happen to continue the run: it begins where the value does, or before.
          expect(leak?.offset).to.equal(before.length)
          const inside = Buffer.concat([before, value, after]).toString(encoding as 'hex')
          expect(find(Buffer.from(inside, 'latin1'))).to.have.length.greaterThan(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('finds a part of a random secret that an excerpt has left', () => {
    const digits = SIGNATURE.toString('hex')
    expect(names(find(`{"exit_signature":"0x${digits.slice(0, 60)}…`))).to.deep.equal(['the signature'])
    expect(names(find(`…${digits.slice(-60)}"`))).to.deep.equal(['the signature'])
    for (let cut = 0; cut < 96; cut++) {
      expect(names(find(`…${digits.slice(cut, cut + 40)}…`)), `from digit ${cut} on`).to.deep.equal([
        'the signature',
      ])
    }
  })

  it('finds nothing in what has no secrets', () => {
    const clean = [
      bytesOf('another key', 1_000_000),
      bytesOf('another key', 500_000).toString('hex'),
      bytesOf('another key', 500_000).toString('base64'),
      Array.from({ length: 50_000 }, (_, i) => (i * i) % 256).join(','),
      JSON.stringify(new Uint8Array(bytesOf('another', 20_000))),
      // What people may be shown of a public value is never so much of a secret.
      `0x${KEY.toString('hex').slice(0, 10)}…${KEY.toString('hex').slice(-6)}`,
      PASSWORD.slice(0, -1),
      TOKEN.slice(1),
    ]
    for (const text of clean) expect(find(text)).to.deep.equal([])
  })

  it('finds what is registered later, too', () => {
    const late = bytesOf('late', 32)
    expect(find(late)).to.deep.equal([])
    register.addKey('the late key', late.toString('hex'))
    expect(names(find(late))).to.deep.equal(['the late key'])
  })

  it('finds private keys in a PEM, in base64 of one, and number by number, but not the public key', () => {
    const secrets = new SecretRegister()
    const search = new Scanner(secrets)
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string
    expect(addPrivateKey(secrets, 'the operator', Buffer.from(pkcs1).toString('base64'))).to.equal(true)
    const found = (text: string) =>
      search.find({ place: { kind: 'text', what: 'a text' }, bytes: Buffer.from(text) }).length > 0
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    for (const pem of [pkcs1, pkcs8]) {
      expect(found(pem)).to.equal(true)
      expect(found(pem.replaceAll('\n', '\\n'))).to.equal(true)
    }
    expect(found(Buffer.from(pkcs1).toString('base64'))).to.equal(true)
    expect(found(JSON.stringify(privateKey.export({ format: 'jwk' })))).to.equal(true)
    const published = publicKey.export({ type: 'spki', format: 'pem' }) as string
    expect(found(published)).to.equal(false)
    expect(found(Buffer.from(published).toString('base64'))).to.equal(false)
    expect(addPrivateKey(secrets, 'no key', 'what is no key')).to.equal(false)
  })

  it('lets a secret be where it was allowed, and nowhere else', () => {
    const secrets = new SecretRegister()
    secrets.addText('a password', 'correct horse', inFile('/tmp/a/password'))
    secrets.addText('the same password', 'correct horse', inFile('/tmp/b/password'))
    const search = new Scanner(secrets)
    const foundIn = (path: string) =>
      search.find({ place: { kind: 'file', path }, bytes: Buffer.from('correct horse\n') }).length
    expect(foundIn('/tmp/a/password')).to.equal(0)
    expect(foundIn('/tmp/b/password')).to.equal(0)
    expect(foundIn('/tmp/a/log')).to.be.greaterThan(0)
    expect(secrets.size).to.equal(1)
  })

  it('takes no secret that would be found by chance', () => {
    expect(() => register.addText('a PIN', '1234')).to.throw('a PIN has fewer than 8 bytes')
  })
})
