import { readFileSync } from 'node:fs'
import { create, decrypt } from '@chainsafe/bls-keystore'
import { expect } from 'chai'
import fc from 'fast-check'
import { toHex } from '../../../core/hex.js'
import {
  decryptCrypto,
  normalizePassword,
  parseCrypto,
  parseKeystore,
} from '../../../core/keystore/eip2335.js'

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

  it('opens what the reference implementation makes, and the other way round', async () => {
    const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 })
    await fc.assert(
      fc.asyncProperty(secrets, fc.string({ unit: 'grapheme' }), async (secret, password) => {
        const made = await create(password, secret, new Uint8Array(48), 'm/', undefined, cheapPbkdf2())
        expect(toHex(await decrypt(made, password))).to.equal(toHex(secret))
        const { crypto } = parseKeystore(JSON.parse(JSON.stringify(made)))
        expect(toHex(await decryptCrypto(crypto, normalizePassword(password)))).to.equal(toHex(secret))
      }),
      { numRuns: 30 },
    )
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
    for (const bad of [pbkdf2(2 ** 24 + 1), scrypt(2 ** 21), scrypt(2 ** 20, 64), scrypt(2 ** 14, 8, 1000)]) {
      expect(() => parseCrypto(bad))
        .to.throw()
        .with.property('code', 'KDF_TOO_EXPENSIVE')
    }
    for (const bad of [pbkdf2(0), scrypt(3), scrypt(2.5)]) {
      expect(() => parseCrypto(bad))
        .to.throw()
        .with.property('code', 'INVALID_KEYSTORE')
    }
  })
})

/** The reference's own pbkdf2 module, with few rounds. */
function cheapPbkdf2() {
  const params = { dklen: 32, c: 16, prf: 'hmac-sha256' as const, salt: 'ab'.repeat(32) }
  return { function: 'pbkdf2' as const, params, message: '' as const }
}
