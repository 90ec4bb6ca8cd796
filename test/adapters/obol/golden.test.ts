import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { createObolSigners } from '../../../adapters/obol/create.js'
import { obolOptions } from '../../../adapters/obol/options.js'
import { type Hex, type PublicKeyHex, toHex } from '../../../core/hex.js'
import { createLogger } from '../../../core/log.js'
import { withdrawalCredentials } from '../../../core/messages/deposit.js'
import { loadNetwork } from '../../../core/network.js'
import { readOptions } from '../../../core/options.js'
import type { ExitSigner } from '../../../core/signer.js'
import { recovered } from '../recovered.js'
import { nodeHome } from './node-directory.js'

interface Golden {
  epoch: number
  validator_index: number
  partial_signatures: { share_index: number; signature: Hex }[]
  full_signature: Hex
}
interface Expected {
  nodes: number
  threshold: number
  validators: {
    distributed_public_key: PublicKeyHex
    public_shares: PublicKeyHex[]
    golden_exit: Golden
    golden_exit_alt?: Golden
    golden_deposit: {
      amount_gwei: string
      withdrawal_credentials: Hex
      partial_signatures: Golden['partial_signatures']
      full_signature: Hex
    }
  }[]
}

const network = loadNetwork('hoodi')
const logger = createLogger('test', 'silent', 'plain')

function signersOf(env: Record<string, string>): Promise<ExitSigner[]> {
  return createObolSigners(readOptions(obolOptions, { flags: {}, env }), { network, logger })
}

describe('signer of a Charon node', () => {
  for (const cluster of ['obol-4n3t-hoodi', 'obol-4n3t-hoodi-secure', 'obol-16n10t-hoodi']) {
    const file = new URL(`../../fixtures/obol/${cluster}.EXPECTED.json`, import.meta.url)
    const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected

    it(`signs each golden exit and deposit of ${cluster} as each node does, byte for byte`, async () => {
      for (let node = 0; node < expected.nodes; node++) {
        const [signer, ...others] = await signersOf({
          OBOL_KEYSTORES_DIR: `${nodeHome(cluster, node)}/validator_keys`,
        })
        expect(others).to.deep.equal([])
        if (signer === undefined) throw new Error('no signer')
        expect(signer.shareIndex).to.equal(BigInt(node + 1))
        expect(signer.validators().size).to.equal(expected.validators.length)
        for (const validator of expected.validators) {
          const key = validator.distributed_public_key
          expect(signer.validators().get(key)?.threshold).to.equal(expected.threshold)
          expect([...(signer.validators().get(key)?.shares.values() ?? [])]).to.deep.equal(
            validator.public_shares,
          )
          for (const golden of [validator.golden_exit, validator.golden_exit_alt]) {
            if (golden === undefined) continue
            const exit = { epoch: golden.epoch, validatorIndex: golden.validator_index }
            expect(toHex(await signer.signExit(key, exit))).to.equal(
              golden.partial_signatures[node]?.signature,
            )
          }
          const deposit = validator.golden_deposit
          const message = {
            publicKey: key,
            withdrawalCredentials: deposit.withdrawal_credentials,
            amount: BigInt(deposit.amount_gwei),
          }
          expect(toHex(await signer.signDeposit(key, message))).to.equal(
            deposit.partial_signatures[node]?.signature,
          )
        }
        await signer.close()
      }
    })
  }

  for (const [cluster, type] of [
    ['obol-4n3t-hoodi', '0x01'],
    ['obol-4n3t-hoodi-secure', '0x01'],
    ['obol-16n10t-hoodi', '0x02'],
  ] as const) {
    it(`makes both golden signatures of ${cluster} with any threshold of its nodes, deposits of type ${type}`, async () => {
      const file = new URL(`../../fixtures/obol/${cluster}.EXPECTED.json`, import.meta.url)
      const { nodes, threshold, validators } = JSON.parse(readFileSync(file, 'utf8')) as Expected
      const signers = await signersOf({
        OBOL_KEYSTORES_DIR_TEMPLATE: `${nodeHome(cluster, 0).replace(/node0$/, 'node{node_index}')}/validator_keys`,
        OBOL_NODE_INDEXES: [...Array(nodes).keys()].join(','),
      })
      for (const chosen of [signers.slice(0, threshold), signers.slice(-threshold)]) {
        for (const { distributed_public_key: key, golden_exit, golden_deposit } of validators) {
          const exit = { epoch: golden_exit.epoch, validatorIndex: golden_exit.validator_index }
          expect(await recovered(chosen, (signer) => signer.signExit(key, exit))).to.equal(
            golden_exit.full_signature,
          )
          const [vault = '0x'] = chosen[0]?.withdrawalAddresses(key) ?? []
          const credentials = withdrawalCredentials(type, vault)
          expect(credentials).to.equal(golden_deposit.withdrawal_credentials)
          const amount = BigInt(golden_deposit.amount_gwei)
          const deposit = { publicKey: key, withdrawalCredentials: credentials, amount }
          expect(await recovered(chosen, (signer) => signer.signDeposit(key, deposit))).to.equal(
            golden_deposit.full_signature,
          )
        }
      }
      await Promise.all(signers.map((signer) => signer.close()))
    })
  }

  it('acts for several nodes where a template names their directories', async () => {
    const signers = await signersOf({
      OBOL_KEYSTORES_DIR_TEMPLATE: nodeHome('obol-4n3t-hoodi', 0).replace(
        'node0',
        'node{node_index}/validator_keys',
      ),
      OBOL_NODE_INDEXES: '0,2,3',
    })
    expect(signers.map((signer) => signer.shareIndex)).to.deep.equal([1n, 3n, 4n])
    await Promise.all(signers.map((signer) => signer.close()))
  })

  it('refuses to sign a deposit for another withdrawal address than the lock’s, or of another validator', async () => {
    const [signer] = await signersOf({
      OBOL_KEYSTORES_DIR: `${nodeHome('obol-4n3t-hoodi', 0)}/validator_keys`,
    })
    if (signer === undefined) throw new Error('no signer')
    const [publicKey = '0x', other = '0x'] = signer.validators().keys()
    const own = '0xba447498dc4c169f2b4f427b2c4d532320457e89'
    const deposit = { publicKey, withdrawalCredentials: withdrawalCredentials('0x02', own), amount: 1n }
    expect(await signer.signDeposit(publicKey, deposit)).to.have.length(96)
    for (const change of [
      { withdrawalCredentials: withdrawalCredentials('0x01', `0x${'ab'.repeat(20)}`) },
      { withdrawalCredentials: `0x00${'11'.repeat(31)}` as const },
      { publicKey: other },
    ]) {
      const failure = await signer
        .signDeposit(publicKey, { ...deposit, ...change })
        .catch((error: unknown) => error)
      expect(failure).to.have.property('code', 'WRONG_WITHDRAWAL_ADDRESS')
    }
    await signer.close()
  })

  it('refuses to sign for a validator that it has no share of', async () => {
    const [signer] = await signersOf({
      OBOL_KEYSTORES_DIR: `${nodeHome('obol-4n3t-hoodi', 0)}/validator_keys`,
    })
    const stranger: PublicKeyHex = `0x${'aa'.repeat(48)}`
    const failure = await signer
      ?.signExit(stranger, { epoch: 0, validatorIndex: 1 })
      .catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'UNKNOWN_VALIDATOR')
    await signer?.close()
  })
})
