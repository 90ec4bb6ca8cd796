import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { RelayerClient } from '../../../core/clients/relayer.js'
import type { DepositDataEntry } from '../../../core/deposits/deposit-data.js'
import { DvtExitError, describeError, UnavailableError } from '../../../core/errors.js'
import { fromHex, type Hex, type PublicKeyHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { openAsOracle } from '../../../core/oracles/seal.js'
import { type ChainView, type CollectParts, ExitCollection } from '../../../operator/collect/collect.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'

/** The recorded procedure of three validators, as the Python relayer answered it. */
const recording = readRecording('relayer-v0.3.1-v1-e2e') as (ReturnType<typeof readRecording>[number] & {
  name: string
})[]
const recorded = (name: string) => {
  const found = recording.find((entry) => entry.name === name)
  if (found === undefined) throw new Error(`${name} was not recorded`)
  return found
}
/** What POST /validators and GET /exits answer, one pair after the other. */
const STAGES = [
  ['validators-first', 'exits-pending'],
  ['validators-after-share1', 'exits-after-share1'],
  ['validators-after-share2', 'exits-after-share2'],
  ['validators-one-ready', 'exits-one-ready'],
  ['validators-all-ready', 'exits-all-ready'],
] as const
const READY = STAGES.length - 1

interface ValidatorsBody {
  ready: boolean
  validators: {
    public_key: PublicKeyHex
    oracles_exit_signature_shares: { public_keys: string[]; encrypted_exit_signatures: string[] } | null
  }[]
}
const readyBody = () => JSON.parse(String(recorded('validators-all-ready').response.body)) as ValidatorsBody
const keys = JSON.parse(recorded('validators-first').request.body ?? '') as { public_keys: PublicKeyHex[] }
const oracles = JSON.parse(
  await readFile(new URL('../../fixtures/wire/keys.json', import.meta.url), 'utf8'),
) as { oracle_secret_keys: string[]; oracles_config: { exit_signature_recover_threshold: number } }
const deposits: DepositDataEntry[] = keys.public_keys.map((publicKey, i) => ({
  publicKey,
  signature: `0x${String(i).repeat(192)}` as Hex,
  amount: 32_000_000_000n,
}))
const START = 1005
const chain = (nextIndex: () => Promise<number>, known: PublicKeyHex[] = []): ChainView => ({
  next: async () => ({ index: await nextIndex() }),
  knownKeys: async (asked) => known.filter((key) => asked.includes(key)),
})

describe('ExitCollection', () => {
  let relayer: RelayerDouble
  let clock: TestClock
  let log: TestLog
  let stage: number
  let ownIndex: number

  beforeEach(async () => {
    clock = new TestClock()
    log = new TestLog()
    stage = 0
    ownIndex = START
    relayer = await new RelayerDouble(({ method, path }) => {
      const [validators, exits] = STAGES[stage] ?? []
      if (path === '/info') return { body: { network: 'hoodi' } }
      if (method === 'POST' && path === '/validators' && validators) return recorded(validators).response
      return path === '/exits' && exits ? recorded(exits).response : undefined
    }).start()
  })
  afterEach(() => relayer.stop())

  const collection = (changes: Partial<CollectParts> = {}) =>
    new ExitCollection({
      network: loadNetwork('hoodi'),
      relayer: new RelayerClient(relayer.url),
      deposits,
      oracles: async () => ({
        count: oracles.oracle_secret_keys.length,
        threshold: oracles.oracles_config.exit_signature_recover_threshold,
      }),
      chain: chain(async () => ownIndex),
      clock,
      logger: log.logger,
      random: () => 0.5,
      ...changes,
    })
  const run = (changes: Partial<CollectParts> = {}) => collection(changes).run(new AbortController().signal)
  async function failure(changes: Partial<CollectParts> = {}): Promise<DvtExitError> {
    try {
      await run(changes)
    } catch (error) {
      expect(error).to.be.instanceOf(DvtExitError)
      return error as DvtExitError
    }
    throw new Error('it did not fail')
  }
  /** The double's answers with the ready list changed. */
  function changeReady(change: (body: ValidatorsBody) => void): void {
    stage = READY
    const respond = relayer.respond
    relayer.respond = (request) => {
      if (request.method !== 'POST') return respond(request)
      const body = readyBody()
      change(body)
      return { body }
    }
  }

  it('polls every second, shows who signed, and ends with what the oracles can open', async () => {
    clock.onPause = () => {
      stage += 1
    }
    const progress: string[] = []
    const collected = await run({
      status: { clear: () => undefined, show: (ready, of) => progress.push(`${ready}/${of}`) },
    })

    expect(clock.pauses).to.deep.equal([1000, 1000, 1000, 1000])
    expect(collected?.validator_index).to.equal(START)
    expect(collected?.public_keys).to.deep.equal(keys.public_keys)
    expect(collected?.deposit_signatures).to.deep.equal(deposits.map(({ signature }) => signature))
    const parts = readyBody().validators.map((validator) => validator.oracles_exit_signature_shares)
    expect(collected?.public_key_shards).to.deep.equal(parts.map((part) => part?.public_keys))
    expect(collected?.exit_signature_shards).to.deep.equal(
      parts.map((part) => part?.encrypted_exit_signatures),
    )
    for (const sealed of collected?.exit_signature_shards ?? []) {
      for (const [i, secret] of oracles.oracle_secret_keys.entries()) {
        expect(openAsOracle(fromHex(secret), fromHex(sealed[i] ?? ''))).to.have.length(96)
      }
    }
    expect(progress).to.deep.equal(['0/3', '0/3', '0/3', '1/3', '3/3'])
    const said = log.messages('info')
    expect(said[0]).to.equal("the next validator's index is 1005")
    expect(said[1]).to.match(/^0 of 3 exit signatures ready; waiting for .* \(no share yet\)/)
    expect(said[2]).to.include('(shares 1 are there)')
    expect(said[3]).to.include('(shares 1, 2 are there)')
    expect(said[4]).to.match(/^1 of 3 exit signatures ready/)
    expect(said[5]).to.equal('3 of 3 exit signatures ready')
  })

  it('asks as the Python operator does', async () => {
    stage = READY
    await run()
    const asked = comparable(recorded('validators-first').request)
    for (const request of relayer.to('POST', '/validators')) expect(comparable(request)).to.deep.equal(asked)
    expect(new Set(relayer.requests.map(({ method, path }) => `${method} ${path}`))).to.deep.equal(
      new Set(['GET /info', 'POST /validators', 'GET /exits']),
    )
  })

  it('never waits silently: says again after half a minute what is missing', async () => {
    const end = new AbortController()
    clock.onPause = (count) => count === 65 && end.abort()
    expect(await collection().run(end.signal)).to.equal(undefined)
    const said = log.messages('info').filter((message) => message.startsWith('0 of 3'))
    expect(said).to.have.length(3)
  })

  it('carries on when the relayer is away for a while, saying it once', async () => {
    const respond = relayer.respond
    relayer.respond = () => ({ status: 503, body: { detail: 'restarting' } })
    clock.onPause = (count) => {
      if (count === 4) relayer.respond = respond
      if (count === 4) stage = READY
    }
    expect((await run())?.validator_index).to.equal(START)
    expect(clock.pauses).to.deep.equal([1000, 2000, 4000, 8000])
    expect(log.messages('warn')).to.have.length(1)
    expect(log.messages('warn')[0]).to.include('restarting')
  })

  it('carries on when its own nodes are away for a while', async () => {
    stage = READY
    let failures = 2
    const nextIndex = async () => {
      if (failures-- > 0) throw new UnavailableError('BEACON_AWAY', 'the beacon node is away')
      return START
    }
    expect((await run({ chain: chain(nextIndex) }))?.validator_index).to.equal(START)
    expect(log.messages('warn')).to.have.length(1)
  })

  describe('the index', () => {
    it('that the relayer counts otherwise is waited for, and said once', async () => {
      stage = READY
      ownIndex = START + 1
      const end = new AbortController()
      clock.onPause = (count) => {
        if (count === 30) ownIndex = START
        if (count === 60) end.abort()
      }
      const collected = await collection().run(end.signal)
      expect(collected?.validator_index).to.equal(START)
      expect(clock.pauses.length).to.be.within(30, 43)
      const [warning, moved] = log.messages('warn')
      expect(warning).to.include('for index 1005').and.to.include('is 1006 by the own count')
      expect(moved).to.include('moved from 1006 to 1005')
      expect(log.messages('warn')).to.have.length(2)
    })

    it('that moves at the last moment is not written: it starts over', async () => {
      stage = READY
      const end = new AbortController()
      let counts = 0
      const nextIndex = async () => (counts++ === 0 ? START : START + 2)
      clock.onPause = (count) => count === 3 && end.abort()
      expect(await collection({ chain: chain(nextIndex) }).run(end.signal)).to.equal(undefined)
      expect(log.messages('warn')[0]).to.include('moved from 1005 to 1007: starting over')
    })

    it('is the relayer’s where no own count is wanted, if the keys follow one another', async () => {
      stage = READY
      expect((await run({ chain: undefined }))?.validator_index).to.equal(START)
      const end = new AbortController()
      clock.onPause = (count) => count === 5 && end.abort()
      const swapped = deposits.toReversed()
      const respond = relayer.respond
      relayer.respond = (request) => {
        if (request.method !== 'POST') return respond(request)
        const body = readyBody()
        return { body: { ...body, validators: body.validators.reverse() } }
      }
      expect(await collection({ chain: undefined, deposits: swapped }).run(end.signal)).to.equal(undefined)
    })
  })

  it('does not take parts that change while it looks', async () => {
    let answers = 0
    changeReady((body) => {
      answers += 1
      const first = body.validators[0]?.oracles_exit_signature_shares
      if (answers === 2 && first) {
        first.encrypted_exit_signatures = first.encrypted_exit_signatures.toReversed()
      }
    })
    const collected = await run()
    expect(answers).to.equal(4)
    expect(collected?.exit_signature_shards[0]).to.deep.equal(
      readyBody().validators[0]?.oracles_exit_signature_shares?.encrypted_exit_signatures,
    )
  })

  describe('refuses parts', () => {
    type Parts = { public_keys: string[]; encrypted_exit_signatures: string[] }
    const cases: [what: string, change: (parts: Parts) => void, expected: RegExp][] = [
      ['of fewer oracles', (parts) => parts.public_keys.pop(), /10 public key shares and 11 parts for 11/],
      [
        'of another length than a sealed signature',
        (parts) => {
          parts.encrypted_exit_signatures[4] = '0x1234'
        },
        /that of oracle 4 does not have 193 bytes/,
      ],
      [
        'whose public key shares are in another order',
        (parts) => parts.public_keys.reverse(),
        /do not give the validator's key/,
      ],
      [
        'with one forged public key share, the last',
        (parts) => {
          parts.public_keys[10] = parts.public_keys[9] ?? ''
        },
        /do not give the validator's key/,
      ],
      [
        'with a public key share that is no point',
        (parts) => {
          parts.public_keys[2] = `0x${'ff'.repeat(48)}`
        },
        /not a valid point/,
      ],
    ]
    for (const [what, change, expected] of cases) {
      it(what, async () => {
        changeReady((body) => {
          const parts = body.validators[1]?.oracles_exit_signature_shares
          if (parts) change(parts)
        })
        const error = await failure()
        expect(error.code).to.equal('INVALID_ORACLE_PARTS')
        expect(error.message).to.match(expected)
      })
    }

    it('split with another threshold', async () => {
      stage = READY
      const error = await failure({ oracles: async () => ({ count: 11, threshold: 7 }) })
      expect(error.code).to.equal('INVALID_ORACLE_PARTS')
    })
  })

  it('asks for nothing when a key was deposited already', async () => {
    const error = await failure({ chain: chain(async () => START, [deposits[1]?.publicKey ?? '0x']) })
    expect(error.code).to.equal('KEY_DEPOSITED')
    expect(error.message).to.include(deposits[1]?.publicKey)
    expect(relayer.to('POST', '/validators')).to.have.length(0)
  })

  it('ends when the relayer refuses: another network, known keys, no token', async () => {
    const respond = relayer.respond
    relayer.respond = () => ({ body: { network: 'mainnet' } })
    expect((await failure()).code).to.equal('WRONG_NETWORK')
    for (const [status, code] of [
      [409, 'RELAYER_CONFLICT'],
      [403, 'RELAYER_FORBIDDEN'],
    ] as const) {
      relayer.respond = (request) =>
        request.method === 'POST' ? { status, body: { detail: 'says the relayer' } } : respond(request)
      const error = await failure()
      expect(error.code).to.equal(code)
      expect(describeError(error)).to.include('says the relayer')
    }
  })
})
