import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { depositMessageOf, judgeDeposit } from '../../../adapters/sidecar/deposit-rules.js'
import { createSsvSigners } from '../../../adapters/ssv/create.js'
import { ssvOptions } from '../../../adapters/ssv/options.js'
import { systemClock } from '../../../core/clock.js'
import { DvtExitError } from '../../../core/errors.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { normalizeHex, toHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { readOptions } from '../../../core/options.js'
import type { ExitSigner } from '../../../core/signer.js'
import { SsvChainDouble } from '../../core/clusters/ssv-chain-double.js'
import { EXPECTED, LOGS, OPERATOR_IDS, SSV_FIXTURE } from '../../core/clusters/ssv-fixture.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { recovered } from '../recovered.js'

const hoodi = loadNetwork('hoodi')
const TEMPLATE = join(SSV_FIXTURE, 'operators/{operator_id}/private_key.base64')

describe('createSsvSigners', () => {
  let folder: string
  let log: TestLog
  const opened: ExitSigner[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssv-signers-'))
    log = new TestLog()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((signer) => signer.close()))
    rmSync(folder, { recursive: true })
  })

  const optionsOf = (env: Record<string, string>) =>
    readOptions(ssvOptions, { flags: {}, env: { DATABASE: join(folder, 'ssv.db'), ...env } })

  async function create(
    env: Record<string, string>,
    chain = new SsvChainDouble(LOGS),
    given: { signal?: AbortSignal; clock?: TestClock; network?: typeof hoodi } = {},
  ): Promise<ExitSigner[]> {
    const signers = await createSsvSigners(optionsOf(env), {
      network: given.network ?? hoodi,
      logger: log.logger,
      signal: given.signal ?? new AbortController().signal,
      execution: chain,
      clock: given.clock ?? systemClock,
    })
    opened.push(...signers)
    return signers
  }

  async function failure(promise: Promise<unknown>): Promise<DvtExitError> {
    try {
      await promise
    } catch (error) {
      if (error instanceof DvtExitError) return error
      throw error
    }
    throw new Error('signers were made')
  }

  const four = { SSV_OPERATOR_KEY_FILE_TEMPLATE: TEMPLATE, SSV_OPERATOR_IDS: OPERATOR_IDS.join(',') }
  const one = { SSV_OPERATOR_KEY_FILE: TEMPLATE.replace('{operator_id}', '11') }

  it('signs every golden exit and deposit byte for byte, for each operator', async () => {
    const signers = await create(four)
    let signed = 0
    for (const signer of signers) {
      const id = String(signer.shareIndex)
      for (const { publicKey, exits, deposits } of EXPECTED.validators) {
        for (const { epoch, validatorIndex, partials } of exits) {
          const exit = { epoch: Number(epoch), validatorIndex: Number(validatorIndex) }
          expect(toHex(await signer.signExit(publicKey, exit))).to.equal(partials[id])
          signed += 1
        }
        for (const { amountGwei, withdrawalCredentials, partials } of deposits) {
          const deposit = { publicKey, withdrawalCredentials, amount: BigInt(amountGwei) }
          expect(toHex(await signer.signDeposit(publicKey, deposit))).to.equal(partials[id])
          signed += 1
        }
      }
    }
    expect(signed).to.equal(4 * 3 * (2 + 3))
  })

  it('makes both golden signatures with any three of the four operators, deposits of both types', async () => {
    const signers = await create(four)
    const types = new Set<string>()
    for (const absent of signers) {
      const chosen = signers.filter((signer) => signer !== absent)
      for (const { publicKey, exits, deposits } of EXPECTED.validators) {
        for (const { epoch, validatorIndex, signature } of exits) {
          const exit = { epoch: Number(epoch), validatorIndex: Number(validatorIndex) }
          expect(await recovered(chosen, (signer) => signer.signExit(publicKey, exit))).to.equal(signature)
        }
        for (const { vault, validatorType: type, amountGwei, signature } of deposits) {
          const wanted = { publicKey, vault: normalizeHex(vault, 20), type, amount: BigInt(amountGwei) }
          expect(judgeDeposit(wanted, absent, new Set([wanted.vault]))).to.equal('sign')
          const deposit = depositMessageOf(wanted)
          expect(await recovered(chosen, (signer) => signer.signDeposit(publicKey, deposit))).to.equal(
            signature,
          )
          types.add(type)
        }
      }
    }
    expect([...types]).to.have.members(['0x01', '0x02'])
  })

  it('offers each operator what it can sign for, with all public shares, and not what can never be signed', async () => {
    const signers = await create(four)
    expect(signers.map(({ name, shareIndex }) => [name, shareIndex])).to.deep.equal(
      OPERATOR_IDS.map((id) => [`ssv operator ${id}`, id]),
    )
    for (const signer of signers) {
      const final = EXPECTED.finalByOperator[String(signer.shareIndex)] ?? {}
      const usable = Object.keys(final).filter(
        (key) => final[key as PublicKeyHex]?.sharesInterpolateToPublicKey,
      )
      expect([...signer.validators().keys()]).to.have.members(usable)
      for (const [publicKey, { threshold, shares }] of signer.validators()) {
        expect(threshold).to.equal(3)
        expect([...shares.keys()].map(Number)).to.deep.equal(final[publicKey]?.operatorIds)
        expect(shares.get(signer.shareIndex)).to.equal(final[publicKey]?.sharePublicKey)
      }
      const useless = Object.keys(final).find((key) => !usable.includes(key)) as PublicKeyHex
      const refused = await failure(signer.signExit(useless, { epoch: 0, validatorIndex: 1 }))
      expect(refused.code).to.equal('UNKNOWN_VALIDATOR')
      expect(refused.message).to.contain('can never be used')
    }
    const unknown = await failure(
      signers[0]?.signExit('0x00', { epoch: 0, validatorIndex: 1 }) ?? Promise.reject(),
    )
    expect(unknown.code).to.equal('UNKNOWN_VALIDATOR')
  })

  it('reads the chain once for all operators of a process', async () => {
    const chain = new SsvChainDouble(LOGS)
    await create(four, chain)
    const spans = chain.filters.filter(({ topics }) => topics.length === 1).map(({ fromBlock }) => fromBlock)
    expect(new Set(spans).size).to.equal(spans.length)
  })

  it('needs nothing but the key file, and starts again from its database', async () => {
    const [first] = await create(one)
    await first?.close()
    const chain = new SsvChainDouble(LOGS)
    const [again] = await create({ ...one, SSV_OPERATOR_ID: '11' }, chain)
    expect(again?.shareIndex).to.equal(11n)
    expect(again?.validators().size).to.equal(4)
    expect(chain.filters).to.deep.equal([])
  })

  it('follows the named owners alone', async () => {
    const owner = Object.keys(EXPECTED.ownerNonces)[2] ?? ''
    const [signer] = await create({ ...one, SSV_OWNERS: owner })
    expect(signer?.validators().size).to.equal(1)
  })

  it('notices validators that are added and removed while it runs, whatever the chain does meanwhile', async () => {
    const chain = new SsvChainDouble(LOGS, 1_250_200n)
    const clock = new TestClock()
    const stop = new AbortController()
    const done = new Promise<void>((resolve) => {
      clock.onPause = (count) => {
        if (count === 2) chain.down = true
        if (count === 4) chain.down = false
        if (count === 6) chain.finalized = 1_250_305n
        if (count === 8) chain.finalized = 1_300_000n
        if (count === 10) {
          stop.abort()
          resolve()
        }
      }
    })
    const [signer] = await create(one, chain, { clock, signal: stop.signal })
    const seen: number[] = []
    signer?.onChange(() => seen.push(signer.validators().size))
    expect(signer?.validators().size).to.equal(2)
    await done
    expect(seen).to.deep.equal([1, 4])
    expect(log.messages('warn').filter((line) => line.includes('trying again'))).to.have.length(1)
    expect(log.messages('info')).to.include('SSVNetwork can be followed again')
  })

  it('waits for an execution node that is away at the start', async () => {
    const chain = new SsvChainDouble(LOGS)
    const clock = new TestClock()
    chain.down = true
    clock.onPause = (count) => {
      if (count === 3) chain.down = false
    }
    const stop = new AbortController()
    const [signer] = await create(one, chain, { clock, signal: stop.signal })
    expect(signer?.validators().size).to.equal(4)
    expect(log.messages('warn').filter((line) => line.includes('operator id, trying again'))).to.have.length(
      1,
    )
    stop.abort()
  })

  it('gives up waiting when told to stop', async () => {
    const chain = new SsvChainDouble(LOGS)
    const clock = new TestClock()
    const stop = new AbortController()
    chain.down = true
    clock.onPause = (count) => count === 3 && stop.abort()
    expect(await create(one, chain, { clock, signal: stop.signal })).to.deep.equal([])
  })

  it('writes no secret to its log', async () => {
    await create(four)
    const printed = log.lines.join('\n')
    for (const keys of Object.values(EXPECTED.finalByOperator)) {
      for (const { shareSecretKey } of Object.values(keys)) {
        expect(printed).to.not.include(shareSecretKey.slice(2))
      }
    }
    expect(printed).to.include('operator 11 holds key shares of 4 validators, 1 more can never be signed for')
  })

  for (const [what, env, code, message] of [
    ['no key file', {}, 'MISSING_OPTION', /--ssv-operator-key-file/],
    [
      'a key file that is not there',
      { SSV_OPERATOR_KEY_FILE: '/none.json' },
      'UNREADABLE_FILE',
      /none\.json/,
    ],
    ['two keys', { ...one, OPERATOR_KEY: 'x' }, 'TWO_OPERATOR_KEYS', /both set/],
    [
      'the id of another operator',
      { ...one, SSV_OPERATOR_ID: '27' },
      'KEY_OF_ANOTHER_OPERATOR',
      /operator 11, not of 27/,
    ],
    [
      'a template without place for the id',
      { SSV_OPERATOR_KEY_FILE_TEMPLATE: 'x' },
      'INVALID_TEMPLATE',
      /\{operator_id\}/,
    ],
    [
      'a template without ids',
      { SSV_OPERATOR_KEY_FILE_TEMPLATE: TEMPLATE },
      'MISSING_OPTION',
      /--ssv-operator-ids/,
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await failure(create(env as Record<string, string>))
      expect(error.code).to.equal(code)
      expect(error.message).to.match(message)
    })
  }

  it('shows all operators whose keys cannot be loaded at once', async () => {
    const error = await failure(create({ ...four, SSV_OPERATOR_IDS: '11,7,8' }))
    expect(error.message).to.contain('operators/7/').and.contain('operators/8/')
  })

  it('refuses a network without SSVNetwork before it asks for anything', async () => {
    const error = await failure(create({}, new SsvChainDouble(LOGS), { network: loadNetwork('gnosis') }))
    expect(error.code).to.equal('NO_SSV_NETWORK')
  })

  it('refuses options that make no sense', () => {
    for (const [env, message] of [
      [{ SSV_OPERATOR_ID: '0' }, /SSV_OPERATOR_ID/],
      [{ SSV_OPERATOR_ID: '18446744073709551616' }, /SSV_OPERATOR_ID/],
      [{ SSV_OWNERS: '0x12' }, /SSV_OWNERS/],
      [{ SSV_OPERATOR_IDS: '11,x' }, /SSV_OPERATOR_IDS/],
    ] as const) {
      expect(() => optionsOf(env as Record<string, string>))
        .to.throw(DvtExitError)
        .with.property('message')
        .match(message)
    }
    expect(optionsOf({}).database).to.equal(join(folder, 'ssv.db'))
    expect(ssvOptions.database.default).to.equal('ssv-sidecar.db')
  })
})
