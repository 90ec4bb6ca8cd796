import { readFileSync } from 'node:fs'
import { create, decrypt } from '@chainsafe/bls-keystore'
import { expect } from 'chai'
import fc from 'fast-check'
import { DvtExitError } from '../../../core/errors.js'
import { toHex } from '../../../core/hex.js'
import {
  decryptCrypto,
  normalizePassword,
  parseCrypto,
  parseKeystore,
} from '../../../core/keystore/eip2335.js'
import { type Kdf, keystoreMaker } from '../../doubles/keystore.js'

const SECRET = '0x000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'
const fixture = (path: string) =>
  readFileSync(new URL(`../../fixtures/obol/${path}`, import.meta.url), 'utf8')
/** The test vectors' password, as EIP-2335 gives it. */
const PASSWORD =
  '\u{1d531}\u{1d522}\u{1d530}\u{1d531}\u{1d52d}\u{1d51e}\u{1d530}\u{1d530}\u{1d534}\u{1d52c}\u{1d52f}\u{1d521}\u{1f511}'

const VECTOR = {
  checksum: { function: 'sha256', params: {}, message: '' },
  cipher: { function: 'aes-128-ctr', params: { iv: '264daa3f303d7259501c93d997d84fe6' }, message: '' },
}

describe('EIP-2335 keystore', () => {
  it('opens the specification’s vectors, pbkdf2 and scrypt', async () => {
    const salt = 'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3'
    const pbkdf2 = parseCrypto({
      kdf: { function: 'pbkdf2', params: { dklen: 32, c: 262144, prf: 'hmac-sha256', salt }, message: '' },
      checksum: {
        ...VECTOR.checksum,
        message: '8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1',
      },
      cipher: {
        ...VECTOR.cipher,
        message: 'cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad',
      },
    })
    const scrypt = parseCrypto({
      kdf: { function: 'scrypt', params: { dklen: 32, n: 262144, p: 1, r: 8, salt }, message: '' },
      checksum: {
        ...VECTOR.checksum,
        message: 'd2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484',
      },
      cipher: {
        ...VECTOR.cipher,
        message: '06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f',
      },
    })
    expect(toHex(await decryptCrypto(pbkdf2, normalizePassword(PASSWORD)))).to.equal(SECRET)
    expect(toHex(await decryptCrypto(scrypt, normalizePassword(PASSWORD)))).to.equal(SECRET)
  })

  it('normalises the password to testpassword and the key’s emoji', () => {
    expect(Buffer.from(normalizePassword(PASSWORD)).toString('hex')).to.equal(
      '7465737470617373776f7264f09f9491',
    )
    expect(Buffer.from(normalizePassword('a\u0000b\u009f\u007f\r\n')).toString()).to.equal('ab')
  })

  it('opens what the reference implementation makes', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, passwords, cheapKdfs, async (secret, password, kdf) => {
        const made = await create(password, secret, new Uint8Array(48), 'm/', undefined, referenceKdf(kdf))
        const { crypto } = parseKeystore(JSON.parse(JSON.stringify(made)))
        expect(toHex(await decryptCrypto(crypto, normalizePassword(password)))).to.equal(toHex(secret))
      }),
      { numRuns: 40 },
    )
  })

  it('is read as the reference implementation reads it', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, passwords, cheapKdfs, async (secret, password, kdf) => {
        const made = keystoreMaker(password, kdf)(secret, '00'.repeat(48))
        expect(toHex(await decrypt(made as Parameters<typeof decrypt>[0], password))).to.equal(toHex(secret))
        const { crypto } = parseKeystore(made)
        expect(toHex(await decryptCrypto(crypto, normalizePassword(password)))).to.equal(toHex(secret))
      }),
      { numRuns: 40 },
    )
  })

  it('opens with a password whose characters are composed otherwise, or that ends in a newline', async () => {
    const { crypto } = parseKeystore(
      keystoreMaker('p\u00e4ss\ufb01')(new Uint8Array(32).fill(7), '00'.repeat(48)),
    )
    for (const same of ['pa\u0308ssfi', 'p\u00e4ssfi\n', '\tp\u00e4ss\ufb01\r\n']) {
      expect(await decryptCrypto(crypto, normalizePassword(same))).to.deep.equal(new Uint8Array(32).fill(7))
    }
  })

  it('names the one field that is wrong, in one line', () => {
    const good = () => keystoreMaker('x')(new Uint8Array(32), '00'.repeat(48))
    const wrongs: [(keystore: ReturnType<typeof good>) => object, string][] = [
      [(k) => ({ ...k, version: 3 }), 'version'],
      [(k) => ({ ...k, pubkey: 'aa' }), 'pubkey'],
      [(k) => ({ ...k, crypto: { ...k.crypto, kdf: undefined } }), 'crypto.kdf'],
      [
        (k) => ({ ...k, crypto: { ...k.crypto, kdf: { ...k.crypto.kdf, function: 'argon2' } } }),
        'crypto.kdf.function',
      ],
      [(k) => withKdfParams(k, { salt: 'xyz' }), 'crypto.kdf.params.salt'],
      [(k) => withKdfParams(k, { dklen: 16 }), 'crypto.kdf.params.dklen'],
      [(k) => withKdfParams(k, { prf: 'hmac-md5' }), 'crypto.kdf.params.prf'],
      [(k) => withKdfParams(k, { c: '16' }), 'crypto.kdf.params.c'],
      [
        (k) => ({ ...k, crypto: { ...k.crypto, checksum: { function: 'sha256', message: 'aa' } } }),
        'crypto.checksum.message',
      ],
      [
        (k) => ({ ...k, crypto: { ...k.crypto, cipher: { ...k.crypto.cipher, params: { iv: 'aa' } } } }),
        'crypto.cipher.params.iv',
      ],
    ]
    expect(() => parseKeystore(good())).not.to.throw()
    for (const [change, field] of wrongs) {
      const changed = change(good())
      expect(() => parseKeystore(changed), field)
        .to.throw(
          DvtExitError,
          new RegExp(`^not an EIP-2335 keystore: ${field.replaceAll('.', '\\.')}: [^\\n]+$`),
        )
        .with.property('code', 'INVALID_KEYSTORE')
    }
    for (const bad of [null, [], 'keystore', 7]) {
      expect(() => parseKeystore(bad))
        .to.throw()
        .with.property('code', 'INVALID_KEYSTORE')
      expect(() => parseCrypto(bad))
        .to.throw()
        .with.property('code', 'INVALID_KEYSTORE')
    }
  })

  it('tells a wrong password from a damaged file, and repeats neither', async () => {
    const text = fixture('obol-4n3t-hoodi/node0/validator_keys/keystore-insecure-0.json')
    const { crypto } = parseKeystore(JSON.parse(text))
    const failure = await decryptCrypto(crypto, normalizePassword('canary')).catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'WRONG_PASSWORD')
    expect(String(failure)).not.to.include('canary')
    for (const [find, put] of [
      ['"sha256"', '"md5"'],
      ['"aes-128-ctr"', '"aes-256-gcm"'],
      ['"pbkdf2"', '"argon2"'],
      ['"version"', '"edition"'],
    ] as const) {
      expect(text).to.include(find)
      expect(() => parseKeystore(JSON.parse(text.replace(find, put))))
        .to.throw()
        .with.property('code', 'INVALID_KEYSTORE')
    }
  })

  it('refuses key derivation beyond sense before doing any', () => {
    const crypto = (kdf: unknown) => ({
      kdf,
      checksum: { ...VECTOR.checksum, message: '00'.repeat(32) },
      cipher: { ...VECTOR.cipher, message: '00'.repeat(32) },
    })
    const pbkdf2 = (c: number) =>
      crypto({ function: 'pbkdf2', params: { dklen: 32, c, prf: 'hmac-sha256', salt: 'aa' } })
    const scrypt = (n: number, r = 8, p = 1) =>
      crypto({ function: 'scrypt', params: { dklen: 32, n, r, p, salt: 'aa' } })
    expect(() => parseCrypto(pbkdf2(2 ** 24))).not.to.throw()
    expect(() => parseCrypto(scrypt(2 ** 20))).not.to.throw()
    const expensive = [
      pbkdf2(2 ** 24 + 1),
      scrypt(2 ** 21),
      scrypt(2 ** 20, 64),
      scrypt(2 ** 14, 8, 1000),
      scrypt(2, 2 ** 20),
    ]
    for (const bad of expensive) {
      expect(() => parseCrypto(bad))
        .to.throw()
        .with.property('code', 'KDF_TOO_EXPENSIVE')
    }
    for (const bad of [pbkdf2(0), scrypt(3), scrypt(2.5), scrypt(2 ** 16, 1)]) {
      expect(() => parseCrypto(bad))
        .to.throw()
        .with.property('code', 'INVALID_KEYSTORE')
    }
  })
})

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 })
const passwords = fc.string({ unit: 'grapheme' })
// The reference allows scrypt memory for n ≥ 128 and small p only.
const cheapKdfs: fc.Arbitrary<Kdf> = fc.oneof(
  fc.record({ function: fc.constant('pbkdf2' as const), c: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    function: fc.constant('scrypt' as const),
    n: fc.constantFrom(128, 256, 1024),
    r: fc.constantFrom(1, 4, 8),
    p: fc.integer({ min: 1, max: 3 }),
  }),
)

/** The reference's form of the same parameters. */
function referenceKdf(kdf: Kdf) {
  const common = { dklen: 32, salt: 'ab'.repeat(32) }
  if (kdf.function === 'pbkdf2') {
    const params = { ...common, c: kdf.c, prf: 'hmac-sha256' as const }
    return { function: 'pbkdf2' as const, params, message: '' as const }
  }
  const params = { ...common, n: kdf.n, r: kdf.r, p: kdf.p }
  return { function: 'scrypt' as const, params, message: '' as const }
}

function withKdfParams(keystore: ReturnType<ReturnType<typeof keystoreMaker>>, changes: object) {
  const { kdf } = keystore.crypto
  const params = { ...kdf.params, ...changes }
  return { ...keystore, crypto: { ...keystore.crypto, kdf: { ...kdf, params } } }
}
