import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { OracleParts, PublishedExit, RequestedValidator } from '../../../core/clients/relayer.js'
import { type Hex, type PublicKeyHex, shorten } from '../../../core/hex.js'
import type { ProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { batchExits } from '../../../operator/registration/exits.js'
import { TestClock } from '../../doubles/clock.js'
import { failureOf } from '../../doubles/failure.js'
import { readRecording } from '../../doubles/wire-recordings.js'

/** The oracles' parts of three validators, as a relayer recovered and sealed them. */
const recorded = (
  readRecording('relayer-v0.3.1-v1-e2e') as (ReturnType<typeof readRecording>[number] & { name: string })[]
).find(({ name }) => name === 'validators-all-ready')
const ready = JSON.parse(String(recorded?.response.body)) as {
  validators: {
    public_key: PublicKeyHex
    oracles_exit_signature_shares: { public_keys: PublicKeyHex[]; encrypted_exit_signatures: Hex[] }
  }[]
}
const parts = new Map(
  ready.validators.map(({ public_key, oracles_exit_signature_shares: shares }) => [
    public_key,
    { publicKeys: shares.public_keys, encryptedExitSignatures: shares.encrypted_exit_signatures },
  ]),
)
const keys = [...parts.keys()]
const wire = JSON.parse(
  await readFile(new URL('../../fixtures/wire/keys.json', import.meta.url), 'utf8'),
) as { oracle_secret_keys: string[]; oracles_config: { exit_signature_recover_threshold: number } }
const config: ProtocolConfig = {
  oracles: wire.oracle_secret_keys.map(() => ({
    publicKey: new Uint8Array(65),
    address: `0x${'0a'.repeat(20)}`,
    endpoints: [],
  })),
  exitSignatureRecoverThreshold: wire.oracles_config.exit_signature_recover_threshold,
  setHash: `0x${'00'.repeat(32)}`,
  validatorsApprovalBatchLimit: 10,
  validatorsExitRotationBatchLimit: 10,
  signatureValidityPeriod: 600,
}
const ROOT: Hex = `0x${'ab'.repeat(32)}`

describe('the exits of a batch', () => {
  let clock: TestClock
  /** What the relayer has: the index of the first, which shares, and whose parts. */
  let relayers: { start: number; shares: bigint[]; parts: Map<PublicKeyHex, OracleParts> }
  let outlook: { index: number; depositRoot: Hex; known: PublicKeyHex[] }
  /** Calls in order. */
  let asked: string[]

  beforeEach(() => {
    clock = new TestClock()
    relayers = { start: 1005, shares: [1n, 2n, 3n], parts: new Map(parts) }
    outlook = { index: 1005, depositRoot: ROOT, known: [] }
    asked = []
  })

  const relayer = {
    requestValidators: async (wanted: readonly PublicKeyHex[]): Promise<RequestedValidator[]> => {
      asked.push('validators')
      return wanted.map((publicKey) => ({ publicKey, oracleParts: relayers.parts.get(publicKey) ?? null }))
    },
    exits: async (): Promise<PublishedExit[]> =>
      keys.map((publicKey, i) => ({
        publicKey,
        validatorIndex: relayers.start + i,
        isExitSignatureReady: relayers.parts.has(publicKey),
        shareIndexesReady: relayers.shares,
      })),
  }
  const collect = (patience = 12_000, signal = new AbortController().signal) =>
    batchExits(
      {
        relayer,
        predictor: {
          outlook: async (wanted) => {
            asked.push('outlook')
            expect(wanted).to.deep.equal(keys)
            return outlook
          },
        },
        clock,
        patience,
      },
      keys,
      config,
      signal,
    )

  it('are there at once where the relayer has them, with the root that their index holds for', async () => {
    expect(await collect()).to.deep.equal({
      startIndex: 1005,
      registryRoot: ROOT,
      validators: keys.map((publicKey) => ({ publicKey, oracleParts: parts.get(publicKey) })),
    })
    expect(clock.pauses).to.deep.equal([])
    // The index is read after the parts, so that one that moved meanwhile shows.
    expect(asked.at(-1)).to.equal('outlook')
  })

  it('are waited for, second by second', async () => {
    const [first] = keys
    relayers.parts.delete(first ?? '0x')
    clock.onPause = (count) => {
      if (count === 3) relayers.parts = new Map(parts)
    }
    expect(await collect()).to.have.property('startIndex', 1005)
    expect(clock.pauses).to.deep.equal([1_000, 1_000, 1_000])
  })

  it('that do not come in time are said with what is missing', async () => {
    const [first] = keys
    relayers.parts.delete(first ?? '0x')
    relayers.shares = [4n, 2n]
    const error = await failureOf(collect())
    expect(error).to.include({ name: 'NotNow', code: 'WAITING_FOR_EXITS', level: 'info' })
    expect(error.message).to.include('2 of 3 exit signatures ready')
    expect(error.message).to.include(`${shorten(first ?? '')} (shares 2, 4 are there)`)
    expect(clock.pauses.length).to.be.within(11, 12)
  })

  it('are for the index that both count', async () => {
    relayers.start = 1004
    const error = await failureOf(collect())
    expect(error).to.include({ code: 'INDEX_DIFFERS', level: 'warn' })
    expect(error.message).to.match(/for index 1004, the next validator’s index is 1005/)
    relayers.start = 1004
    clock.onPause = () => {
      relayers.start = 1005
    }
    expect(await collect()).to.have.property('startIndex', 1005)
  })

  it('follow the index and root when another deposit lands while they are waited for', async () => {
    relayers.parts.clear()
    const later: Hex = `0x${'cd'.repeat(32)}`
    clock.onPause = () => {
      outlook = { index: 1006, depositRoot: later, known: [] }
      relayers.start = 1006
      relayers.parts = new Map(parts)
    }
    expect(await collect()).to.include({ startIndex: 1006, registryRoot: later })
  })

  it('are of no use where a key was deposited meanwhile', async () => {
    const [, second] = keys
    outlook.known = keys.slice(1, 2)
    const error = await failureOf(collect())
    expect(error).to.include({ code: 'KEY_DEPOSITED', level: 'warn', soon: true })
    expect(error.message).to.include(shorten(second ?? ''))
  })

  it('are checked before an oracle sees them', async () => {
    const [first, second] = keys
    const stolen = parts.get(second ?? '0x')
    if (first === undefined || stolen === undefined) throw new Error('no parts')
    relayers.parts.set(first, stolen)
    expect((await failureOf(collect())).code).to.equal('INVALID_ORACLE_PARTS')
  })

  it('are not waited for once the agent is to stop', async () => {
    relayers.parts.clear()
    const controller = new AbortController()
    controller.abort()
    expect((await failureOf(collect(12_000, controller.signal))).code).to.equal('WAITING_FOR_EXITS')
    expect(clock.pauses).to.deep.equal([])
  })
})
