import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { decrypt, encrypt, PrivateKey } from 'eciesjs'
import { openAsOracle, SEAL_OVERHEAD, sealForOracle } from '../../../core/oracles/seal.js'

describe('sealing for an oracle', () => {
  const oracle = new PrivateKey()
  const publicKey = oracle.publicKey.toBytes(false)
  const signature = new Uint8Array(randomBytes(96))

  it('opens with eciesjs', () => {
    const sealed = sealForOracle(publicKey, signature)
    expect(sealed.length).to.equal(193)
    expect(Buffer.from(decrypt(oracle.secret, sealed))).to.deep.equal(Buffer.from(signature))
  })

  it('opens what eciesjs sealed', () => {
    const opened = openAsOracle(oracle.secret, encrypt(publicKey, signature))
    expect(Buffer.from(opened)).to.deep.equal(Buffer.from(signature))
  })

  it('round-trips any length', () => {
    for (const length of [0, 1, 95, 1000]) {
      const plaintext = new Uint8Array(randomBytes(length))
      const sealed = sealForOracle(publicKey, plaintext)
      expect(sealed.length).to.equal(length + SEAL_OVERHEAD)
      expect(openAsOracle(oracle.secret, sealed)).to.deep.equal(plaintext)
    }
  })

  it('never seals twice alike', () => {
    expect(sealForOracle(publicKey, signature)).not.to.deep.equal(sealForOracle(publicKey, signature))
  })

  it('refuses another key, altered bytes at every place, and bytes cut short', () => {
    const sealed = sealForOracle(publicKey, signature)
    expect(() => openAsOracle(new PrivateKey().secret, sealed))
      .to.throw()
      .with.property('code', 'SEAL_BROKEN')
    for (const place of [0, 1, 64, 65, 80, 81, 96, 97, 192]) {
      const altered = Uint8Array.from(sealed)
      altered[place] = (altered[place] ?? 0) ^ 1
      expect(() => openAsOracle(oracle.secret, altered), `byte ${place}`).to.throw()
    }
    expect(() => openAsOracle(oracle.secret, sealed.subarray(0, 90))).to.throw('too short')
  })

  it('refuses a key that is not a point', () => {
    const key = Uint8Array.of(4, ...new Uint8Array(64).fill(7))
    expect(() => sealForOracle(key, signature))
      .to.throw()
      .with.property('code', 'INVALID_ORACLE_KEY')
  })
})
