import { expect } from 'chai'
import { parseEther } from 'viem'
import type { DepositDataEntry } from '../../../core/deposits/deposit-data.js'
import { type Hex, type PublicKeyHex, shorten } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { VaultDeposits } from '../../../operator/deposit-data/vault-deposits.js'
import { BatchSelection } from '../../../operator/registration/batch.js'
import { stakingRulesOf } from '../../../operator/vault/staking-rules.js'
import type { Way } from '../../../operator/vault/way.js'
import { failureOf } from '../../doubles/failure.js'
import { TestLog } from '../../doubles/log.js'
import { bareEntry, hoodi, signedEntry, VAULT } from '../signed-entries.js'
import { ETH } from './entries.js'

const REGISTRY: Hex = `0x${'93'.repeat(20)}`
const ROOT: Hex = `0x${'ab'.repeat(32)}`
const BY_REGISTRY: Way = { kind: 'registry', registry: REGISTRY }
const BY_MANAGER: Way = { kind: 'manager', manager: `0x${'12'.repeat(20)}`, compounding: true }

interface Situation {
  entries?: readonly DepositDataEntry[]
  way?: Way
  /** ETH, or GNO. */
  assets?: string
  index?: number
  root?: Hex
  known?: readonly PublicKeyHex[]
  minimum?: number
  batchLimit?: number
  network?: typeof hoodi
}

/** A selection over a vault in this situation, which can be changed between two rounds. */
function selection(situation: Situation) {
  const log = new TestLog()
  const { entries = ['a', 'b', 'c', 'd'].map((name) => signedEntry(name)), network = hoodi } = situation
  const deposits = new VaultDeposits(entries, {
    network,
    vault: VAULT,
    validatorType: undefined,
    source: 'deposits.json',
  })
  const batches = new BatchSelection({
    reader: { depositData: async () => ({ root: situation.root ?? ROOT, index: situation.index ?? 0 }) },
    rules: stakingRulesOf(network),
    knownKeys: async (keys) => keys.filter((key) => situation.known?.includes(key)),
    root: () => ROOT,
    minimum: situation.minimum ?? 1,
    logger: log.logger,
  })
  const next = async () => {
    const { way = BY_MANAGER, assets = '1000', batchLimit = 10 } = situation
    const state = { version: 5, way, harvest: undefined, assets: parseEther(assets), minOracles: 3 }
    return (await batches.next(deposits, state, batchLimit)).map(({ position }) => position)
  }
  return { next, log, deposits }
}

const positions = (situation: Situation) => selection(situation).next()

describe('the next batch', () => {
  const wrong = bareEntry('wrong', { vault: `0x${'12'.repeat(20)}` })
  const mixed = [signedEntry('a'), wrong, signedEntry('c'), signedEntry('d', { type: '0x02' })]

  it('is what the assets suffice for, from the contract’s index on', async () => {
    expect(await positions({ way: BY_REGISTRY, assets: '95.9' })).to.deep.equal([0, 1])
    expect(await positions({ way: BY_REGISTRY, assets: '95.9', index: 1 })).to.deep.equal([1, 2])
    expect(await positions({ way: { kind: 'own' }, index: 3 })).to.deep.equal([3])
    expect(await positions({ way: BY_REGISTRY, batchLimit: 3 })).to.deep.equal([0, 1, 2])
  })

  it('of a manager is what was not deposited', async () => {
    expect(await positions({ known: [signedEntry('b').publicKey] })).to.deep.equal([0, 2, 3])
  })

  it('of a manager goes on past a wrong entry, which is named once', async () => {
    const { next, log } = selection({ entries: mixed })
    expect(await next()).to.deep.equal([0, 2])
    expect(await next()).to.deep.equal([0, 2])
    expect(log.messages('warn')).to.deep.equal([
      `entry 1 of deposits.json (${shorten(wrong.publicKey)}) is left out: its deposit signature does not verify for this vault and network`,
    ])
  })

  it('by the registry stops before a wrong entry, and waits at it', async () => {
    const situation: Situation = { entries: mixed, way: BY_REGISTRY }
    const { next, log } = selection(situation)
    expect(await next()).to.deep.equal([0])
    situation.index = 1
    const error = await failureOf(next())
    expect(error).to.include({ code: 'ENTRY_UNUSABLE', level: 'warn' })
    expect(error.message).to.match(
      /^entry 1 of deposits\.json .* cannot be registered: its deposit signature/,
    )
    expect(error.hint).to.equal('The vault takes no later entry before it')
    // Those of 0x02 and with a wrong signature, once each.
    expect(log.messages('warn')).to.have.length(2)
  })

  it('by the registry waits at an entry that was deposited before', async () => {
    const known = [signedEntry('a').publicKey]
    const error = await failureOf(positions({ way: BY_REGISTRY, known }))
    expect(error.code).to.equal('ENTRY_UNUSABLE')
    expect(error.message).to.match(/entry 0 .* deposited before, and registering it again/)
  })

  it('names an entry that a vault before 0x02 does not take, and goes on with the others', async () => {
    const way: Way = { kind: 'manager', manager: `0x${'12'.repeat(20)}`, compounding: false }
    const entries = [signedEntry('d', { type: '0x02' }), signedEntry('a')]
    const { next, log } = selection({ entries, way })
    expect(await next()).to.deep.equal([1])
    expect(log.messages('warn')).to.have.length(1)
    expect(log.messages('warn')[0]).to.match(/entry 0 .* takes only 0x01/)
  })
})

describe('why there is no batch', () => {
  for (const [what, situation, code, message] of [
    [
      'too few assets',
      { assets: '31.5' },
      'TOO_FEW_ASSETS',
      /^the vault has 31\.5 ETH for validators, the next one \(entry 0\) takes 32 ETH$/,
    ],
    ['less than the least deposit', { assets: '9.99' }, 'TOO_FEW_ASSETS', /has 9\.99 ETH/],
    [
      'too few assets for a large 0x02',
      { assets: '100', entries: [signedEntry('x', { type: '0x02', amount: 1945n * ETH })] },
      'TOO_FEW_ASSETS',
      /has 100 ETH .* takes 1945 ETH$/,
    ],
    [
      'fewer than wanted',
      { assets: '64', minimum: 3 },
      'BELOW_MINIMUM',
      /can register 2 validators now, fewer than MIN_VALIDATORS_REGISTRATION \(3\)/,
    ],
    [
      'all registered',
      { way: BY_REGISTRY, index: 4 },
      'NO_KEYS_LEFT',
      /every entry of deposits\.json was registered/,
    ],
    [
      'all deposited',
      { known: ['a', 'b', 'c', 'd'].map((name) => signedEntry(name).publicKey) },
      'NO_KEYS_LEFT',
      /every entry/,
    ],
    [
      'no deposit data accepted',
      { way: BY_REGISTRY, root: `0x${'00'.repeat(32)}` as Hex },
      'NO_DEPOSIT_DATA',
      /has no deposit data root yet/,
    ],
    [
      'another file accepted',
      { way: { kind: 'own' } as const, root: `0x${'cd'.repeat(32)}` as Hex },
      'DEPOSIT_DATA_ROOT',
      /the root of deposits\.json is 0xabab.*, the vault has accepted 0xcdcd/,
    ],
    [
      'only wrong entries',
      { entries: [bareEntry('wrong', { vault: `0x${'12'.repeat(20)}` })] },
      'ENTRY_UNUSABLE',
      /entry 0 .* cannot be registered/,
    ],
  ] as const) {
    it(`is said in one line: ${what}`, async () => {
      const error = await failureOf(positions(situation))
      expect(error).to.include({ name: 'NotNow', code })
      expect(error.message).to.match(message).and.to.not.include('\n')
    })
  }

  it('tells the root that the deposit data manager has to set', async () => {
    const error = await failureOf(positions({ way: BY_REGISTRY, root: `0x${'00'.repeat(32)}` }))
    expect(error.hint).to.include(ROOT)
  })

  it('counts in mGNO on gnosis, and says what that is in GNO', async () => {
    const network = loadNetwork('gnosis')
    const entries = ['a', 'b', 'c'].map((name) => signedEntry(name, { network }))
    expect(await positions({ network, entries, assets: '2.5' })).to.deep.equal([0, 1])
    const error = await failureOf(positions({ network, entries, assets: '0.9' }))
    expect(error.message).to.equal(
      'the vault has 0.9 GNO for validators, the next one (entry 0) takes 32 mGNO (1 GNO)',
    )
  })
})
