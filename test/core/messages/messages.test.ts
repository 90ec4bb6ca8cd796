import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { toHex } from '../../../core/hex.js'
import {
  type DepositMessage,
  depositDataRoot,
  depositMessageRoot,
  depositSigningRoot,
  withdrawalCredentials,
} from '../../../core/messages/deposit.js'
import { depositDomain, voluntaryExitDomain } from '../../../core/messages/domain.js'
import {
  presignedExit,
  voluntaryExitRoot,
  voluntaryExitSigningRoot,
} from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { goldenMessages } from '../bls/golden-messages.js'

const hoodi = loadNetwork('hoodi')

describe('messages of the bundled clusters', () => {
  for (const golden of goldenMessages()) {
    it(`${golden.name}: roots and domain`, () => {
      if ('exit' in golden.content) {
        const { exit, domain } = golden.content
        expect(toHex(voluntaryExitRoot(exit))).to.equal(golden.messageRoot)
        expect(toHex(voluntaryExitDomain(hoodi))).to.equal(domain)
        expect(toHex(voluntaryExitSigningRoot(hoodi, exit))).to.equal(golden.signingRoot)
      } else {
        const { deposit } = golden.content
        if (golden.messageRoot !== undefined) {
          expect(toHex(depositMessageRoot(deposit))).to.equal(golden.messageRoot)
        }
        expect(toHex(depositSigningRoot(hoodi, deposit))).to.equal(golden.signingRoot)
      }
    })
  }
})

describe('deposit data files of the bundled clusters', () => {
  const file = new URL('../../fixtures/obol/obol-4n3t-hoodi/node0/deposit-data.json', import.meta.url)
  const entries = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | number>[]

  it('have the roots that Charon wrote', () => {
    expect(entries.length).to.equal(2)
    for (const entry of entries) {
      const deposit: DepositMessage = {
        publicKey: `0x${entry['pubkey']}`,
        withdrawalCredentials: `0x${entry['withdrawal_credentials']}`,
        amount: BigInt(entry['amount'] ?? 0),
      }
      const signature = Buffer.from(String(entry['signature']), 'hex')
      expect(toHex(depositMessageRoot(deposit))).to.equal(`0x${entry['deposit_message_root']}`)
      expect(toHex(depositDataRoot(deposit, signature))).to.equal(`0x${entry['deposit_data_root']}`)
    }
  })
})

describe('voluntary exits', () => {
  it('are presigned for the Capella fork epoch of the network', () => {
    expect(presignedExit(loadNetwork('mainnet'), 5)).to.deep.equal({ epoch: 194_048, validatorIndex: 5 })
    expect(presignedExit(hoodi, 5)).to.deep.equal({ epoch: 0, validatorIndex: 5 })
    expect(presignedExit(loadNetwork('gnosis'), 5)).to.deep.equal({ epoch: 648_704, validatorIndex: 5 })
  })

  it('have a root of two little-endian integers, to the largest index that a number holds', () => {
    for (const [epoch, validatorIndex] of [
      [0, 0],
      [1, 2],
      [194_048, 1_500_000],
      [2 ** 40, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const chunks = Buffer.alloc(64)
      chunks.writeBigUInt64LE(BigInt(epoch), 0)
      chunks.writeBigUInt64LE(BigInt(validatorIndex), 32)
      expect(toHex(voluntaryExitRoot({ epoch, validatorIndex }))).to.equal(
        `0x${createHash('sha256').update(chunks).digest('hex')}`,
      )
    }
  })

  it('sign under a domain that differs from network to network', () => {
    const roots = ['mainnet', 'hoodi', 'gnosis'].map((name) =>
      toHex(voluntaryExitSigningRoot(loadNetwork(name), { epoch: 0, validatorIndex: 1 })),
    )
    expect(new Set(roots).size).to.equal(3)
  })
})

describe('domains', () => {
  it('of mainnet are those that its clients publish', () => {
    const mainnet = loadNetwork('mainnet')
    expect(toHex(depositDomain(mainnet))).to.equal(
      '0x03000000f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9',
    )
    expect(toHex(voluntaryExitDomain(mainnet)).slice(0, 18)).to.equal('0x04000000bba4da96')
  })

  it('of exits are fixed to Capella and bound to the genesis validators root', () => {
    const moved = { ...hoodi, genesisForkVersion: '0x99999999' as const }
    expect(voluntaryExitDomain(moved)).to.deep.equal(voluntaryExitDomain(hoodi))
    const other = { ...hoodi, genesisValidatorsRoot: `0x${'11'.repeat(32)}` as const }
    expect(voluntaryExitDomain(other)).not.to.deep.equal(voluntaryExitDomain(hoodi))
    expect(voluntaryExitDomain({ ...hoodi, capellaForkVersion: '0x01020304' })).not.to.deep.equal(
      voluntaryExitDomain(hoodi),
    )
  })

  it('of deposits depend on the genesis fork version alone', () => {
    const other = { ...hoodi, genesisValidatorsRoot: `0x${'11'.repeat(32)}` as const }
    expect(depositDomain(other)).to.deep.equal(depositDomain(hoodi))
    expect(depositDomain({ ...hoodi, genesisForkVersion: '0x01020304' })).not.to.deep.equal(
      depositDomain(hoodi),
    )
  })
})

describe('withdrawal credentials', () => {
  it('are the type, 11 zero bytes and the lowercase address', () => {
    expect(withdrawalCredentials('0x02', '0xba447498DC4c169f2b4f427B2c4D532320457E89')).to.equal(
      '0x020000000000000000000000ba447498dc4c169f2b4f427b2c4d532320457e89',
    )
  })

  it('make no root from an address, key or signature of the wrong length', () => {
    const [golden] = goldenMessages().filter((message) => 'deposit' in message.content)
    if (golden === undefined || !('deposit' in golden.content)) throw new Error('a deposit is bundled')
    const { deposit } = golden.content
    const short = { ...deposit, withdrawalCredentials: withdrawalCredentials('0x01', '0x1234') }
    expect(() => depositSigningRoot(hoodi, short)).to.throw('expected 32 bytes of hex, got 14')
    expect(() => depositSigningRoot(hoodi, { ...deposit, publicKey: '0x12' })).to.throw('expected 48 bytes')
    for (const length of [0, 95, 97]) {
      expect(() => depositDataRoot(deposit, new Uint8Array(length))).to.throw('96 bytes')
    }
  })

  it('keep amounts beyond 2^53 exact', () => {
    const [golden] = goldenMessages().filter((message) => 'deposit' in message.content)
    if (golden === undefined || !('deposit' in golden.content)) throw new Error('a deposit is bundled')
    const { deposit } = golden.content
    const roots = [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n].map((amount) =>
      toHex(depositMessageRoot({ ...deposit, amount })),
    )
    expect(new Set(roots).size).to.equal(3)
  })
})
