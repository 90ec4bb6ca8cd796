import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { privateKeyToAddress } from 'viem/accounts'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { recoverPublicKey, recoverSignature } from '../../../core/bls/threshold.js'
import { fromHex, type Hex, toHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { parseProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { openAsOracle } from '../../../core/oracles/seal.js'
import { exitsAnswer, validatorsAnswer } from '../../../core/wire/dialect1.js'

const read = (file: string) =>
  parseJson(readFileSync(new URL(`../../fixtures/wire/${file}`, import.meta.url), 'utf8'))
const keys = read('keys.json') as {
  oracles_config: Record<string, unknown> & { oracles: { public_key: string; endpoints: string[] }[] }
  oracle_secret_keys: string[]
}
const recording = read('relayer-v0.3.1-v1-e2e.json') as { name: string; response: { body: string } }[]
const answer = (name: string) =>
  parseJson(recording.find((entry) => entry.name === name)?.response.body ?? '')
const parse = (change: Record<string, unknown> = {}) =>
  parseProtocolConfig({ ...keys.oracles_config, ...change }, 'test')

describe('protocol config', () => {
  it('reads a real config and derives the oracles’ addresses', () => {
    const config = parse()
    expect(config.oracles).to.have.length(11)
    expect(config.exitSignatureRecoverThreshold).to.equal(8)
    expect(config.validatorsApprovalBatchLimit).to.equal(10)
    expect(config.validatorsExitRotationBatchLimit).to.equal(50)
    expect(config.signatureValidityPeriod).to.equal(60)
    for (const [i, oracle] of config.oracles.entries()) {
      const secret = `0x${keys.oracle_secret_keys[i]?.replace(/^0x/, '')}` as Hex
      expect(oracle.address).to.equal(privateKeyToAddress(secret))
    }
  })

  it('names a set by its ordered keys and threshold, not by its endpoints', () => {
    const { oracles } = keys.oracles_config
    const { setHash } = parse()
    expect(parse({ oracles: oracles.map((oracle) => ({ ...oracle, endpoints: [] })) }).setHash).to.equal(
      setHash,
    )
    expect(parse({ oracles: oracles.toReversed() }).setHash).not.to.equal(setHash)
    expect(parse({ oracles: oracles.slice(1) }).setHash).not.to.equal(setHash)
    expect(parse({ exit_signature_recover_threshold: 7 }).setHash).not.to.equal(setHash)
  })

  it('refuses what no exit could be split for', () => {
    const { oracles } = keys.oracles_config
    const offCurve = { public_key: `0x${'07'.repeat(64)}`, endpoints: [] }
    for (const change of [
      { oracles: [] },
      { oracles: [...oracles, oracles[0]] },
      { oracles: [...oracles, offCurve] },
      { oracles: [{ public_key: '0x1234', endpoints: [] }] },
      { exit_signature_recover_threshold: 0 },
      { exit_signature_recover_threshold: 12 },
      { exit_signature_recover_threshold: undefined },
    ]) {
      expect(() => parse(change), JSON.stringify(change))
        .to.throw()
        .with.property('code', 'INVALID_PROTOCOL_CONFIG')
    }
  })

  it('opens the parts that the Python relayer sealed, any eight of which make the exit signature', () => {
    const network = loadNetwork('hoodi')
    const exits = exitsAnswer.parse(answer('exits-all-ready')).exits
    for (const validator of validatorsAnswer.parse(answer('validators-all-ready')).validators) {
      const shares = validator.oracles_exit_signature_shares
      const index = exits.find((exit) => exit.public_key === validator.public_key)?.validator_index ?? -1
      const message = voluntaryExitSigningRoot(network, presignedExit(network, index))
      const parts = keys.oracle_secret_keys.map((secret, i) => ({
        index: BigInt(i + 1),
        publicKey: parsePublicKey(shares?.public_keys[i] ?? ''),
        signature: parseSignature(
          openAsOracle(fromHex(secret), fromHex(shares?.encrypted_exit_signatures[i] ?? '')),
        ),
      }))
      for (const part of parts)
        expect(bls.verify({ ...part, message }), `oracle ${part.index}`).to.equal(true)
      const eight = parts.slice(3)
      expect(toHex(bls.encodePublicKey(recoverPublicKey(eight)))).to.equal(validator.public_key)
      const signature = recoverSignature(eight)
      expect(bls.verify({ message, publicKey: parsePublicKey(validator.public_key), signature })).to.equal(
        true,
      )
    }
  })
})
