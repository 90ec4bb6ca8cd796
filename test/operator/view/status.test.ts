import { expect } from 'chai'
import { parseEther } from 'viem'
import { UnavailableError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { stringifyJson } from '../../../core/json.js'
import { loadNetwork } from '../../../core/network.js'
import type { ProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { VaultDeposits } from '../../../operator/deposit-data/vault-deposits.js'
import { BatchSelection } from '../../../operator/registration/batch.js'
import type { Registration } from '../../../operator/transactions/store/transaction.js'
import { stakingRulesOf } from '../../../operator/vault/staking-rules.js'
import type { VaultState } from '../../../operator/vault/vault-reader.js'
import { describeStatus, readStatus } from '../../../operator/view/status.js'
import { TestLog } from '../../doubles/log.js'
import { mined } from '../agent/registrations.js'
import { hoodi, signedEntry, VAULT } from '../signed-entries.js'

const MANAGER: Hex = `0x${'12'.repeat(20)}`
const config: ProtocolConfig = {
  oracles: [],
  exitSignatureRecoverThreshold: 1,
  setHash: `0x${'00'.repeat(32)}`,
  validatorsApprovalBatchLimit: 2,
  validatorsExitRotationBatchLimit: 1,
  signatureValidityPeriod: 600,
}
const names = ['a', 'b', 'c']

interface Situation {
  state?: Partial<VaultState>
  last?: Registration
  waiting?: unknown
  protocolConfig?: () => Promise<ProtocolConfig>
  network?: typeof hoodi
}

function statusOf({ state, last, waiting, protocolConfig, network = hoodi }: Situation) {
  const entries = names.map((name) => signedEntry(name, { network }))
  const options = { network, vault: VAULT, validatorType: undefined, source: 'deposits.json' }
  const deposits = new VaultDeposits(entries, options)
  const rules = stakingRulesOf(network)
  return readStatus({
    network,
    vault: VAULT,
    rules,
    protocolConfig: protocolConfig ?? (async () => config),
    reader: {
      state: async () => ({
        version: 5,
        way: { kind: 'manager', manager: MANAGER, compounding: true },
        harvest: undefined,
        assets: parseEther('100.5'),
        minOracles: 3,
        ...state,
      }),
    },
    deposits: {
      depositData: { deposits: async () => deposits },
      batches: new BatchSelection({
        reader: { depositData: async () => ({ root: '0x', index: 0 }) },
        rules,
        knownKeys: async () => [],
        root: () => '0x',
        minimum: 1,
        logger: new TestLog().logger,
      }),
    },
    store: {
      registrations: async (limit) => (last === undefined ? [] : [last].slice(0, limit)),
      note: async (name) => (name === 'waiting' ? waiting : undefined),
    },
  })
}
const [keyA, keyB] = names.map((name) => signedEntry(name).publicKey)

describe('the status of a vault', () => {
  it('before anything happened', async () => {
    expect(await statusOf({})).to.deep.equal({
      network: 'hoodi',
      vault: VAULT,
      version: 5,
      way: `the validators manager ${MANAGER}`,
      assets: '100500000000000000000',
      token: 'ETH',
      harvestDue: false,
      nextKeys: [
        { position: 0, publicKey: keyA },
        { position: 1, publicKey: keyB },
      ],
      whyNone: null,
      lastRegistration: null,
      waitsFor: null,
    })
  })

  it('as JSON has the assets exactly, and null for what there is not', async () => {
    const text = stringifyJson(await statusOf({ state: { assets: 100_000_000_000_000_000_001n } }), 2)
    expect(JSON.parse(text)).to.include({
      assets: '100000000000000000001',
      whyNone: null,
      lastRegistration: null,
      waitsFor: null,
      version: 5,
    })
  })

  it('has the last registration and what the agent waits for', async () => {
    const waiting = { code: 'FEES_TOO_HIGH', text: 'gas costs too much', since: 1_800_000_000 }
    const status = await statusOf({ last: mined(), waiting })
    expect(status.waitsFor).to.deep.equal(waiting)
    expect(status.lastRegistration).to.deep.equal({
      state: 'mined',
      publicKeys: [`0x${'aa'.repeat(48)}`, `0x${'bb'.repeat(48)}`],
      startIndex: 2000,
      transaction: `0x${'cc'.repeat(32)}`,
      block: 77,
      failure: null,
      sentAt: 1_800_000_000,
    })
  })

  it('has the newest transaction of one that is not mined', async () => {
    const { attempts } = mined()
    const [first] = attempts
    const last = mined({
      state: 'sent',
      block: undefined,
      minedHash: undefined,
      attempts: [first, { ...first, hash: `0x${'ee'.repeat(32)}` }],
    })
    expect((await statusOf({ last })).lastRegistration).to.include({
      state: 'sent',
      transaction: `0x${'ee'.repeat(32)}`,
      block: null,
    })
  })

  it('has the transaction that was mined, although another was sent after it', async () => {
    const [first] = mined().attempts
    const last = mined({ attempts: [first, { ...first, hash: `0x${'ee'.repeat(32)}` }] })
    expect((await statusOf({ last })).lastRegistration).to.include({ transaction: first.hash })
  })

  it('says why there are no next keys', async () => {
    const poor = await statusOf({ state: { assets: parseEther('1') } })
    expect(poor.nextKeys).to.deep.equal([])
    expect(poor.whyNone).to.match(/^the vault has 1 ETH for validators/)
    const none = await statusOf({ state: { way: { kind: 'none', reason: 'it is a meta vault' } } })
    expect([none.nextKeys, none.whyNone]).to.deep.equal([[], 'it is a meta vault'])
    const away = await statusOf({
      protocolConfig: async () => {
        throw new UnavailableError('ALL_ENDPOINTS_FAILED', 'IPFS file x: down')
      },
    })
    expect(away.whyNone).to.equal('IPFS file x: down')
    const without = await statusOf({
      protocolConfig: async () => ({ ...config, validatorsApprovalBatchLimit: undefined }),
    })
    expect(without.whyNone).to.include('validators_approval_batch_limit')
  })

  it('waits for nothing where what was written down is of another version', async () => {
    expect((await statusOf({ waiting: { reason: 'old' } })).waitsFor).to.equal(null)
  })
})

describe('the status for a person', () => {
  it('is one line a thing', async () => {
    expect(describeStatus(await statusOf({}))).to.equal(
      [
        `vault:             ${VAULT} on hoodi, version 5`,
        `registers by:      the validators manager ${MANAGER}`,
        'assets:            100.5 ETH',
        `next keys:         entry 0 ${keyA?.slice(0, 12)}…${keyA?.slice(-6)}, entry 1 ${keyB?.slice(0, 12)}…${keyB?.slice(-6)}`,
        'last registration: none',
        'waits for:         nothing',
      ].join('\n'),
    )
  })

  it('says that a harvest is due, what was registered, and since when it waits', async () => {
    const harvest = { rewardsRoot: '0x', reward: 0n, unlockedMevReward: 0n, proof: [] } as const
    const waiting = { code: 'WOULD_REVERT', text: 'it would revert', since: 1_800_000_000 }
    const lines = describeStatus(
      await statusOf({ state: { harvest, assets: parseEther('2') }, last: mined(), waiting }),
    ).split('\n')
    expect(lines.slice(2)).to.deep.equal([
      'assets:            2 ETH, after the harvest that is due',
      'next keys:         none: the vault has 2 ETH for validators, the next one (entry 0) takes 32 ETH',
      `last registration: 2 validators from index 2000 on, mined in block 77, transaction 0x${'cc'.repeat(32)}, sent 2027-01-15T08:00:00Z`,
      'waits for:         it would revert (since 2027-01-15T08:00:00Z)',
    ])
  })

  it('says what a registration failed with', async () => {
    const last = mined({ state: 'failed', failure: 'reverted with NotHarvested' })
    expect(describeStatus(await statusOf({ last }))).to.match(
      /last registration: 2 validators .* failed in block 77, .*: reverted with NotHarvested$/m,
    )
  })

  it('counts GNO on gnosis', async () => {
    const text = describeStatus(await statusOf({ network: loadNetwork('gnosis') }))
    expect(text).to.include('100.5 GNO').and.to.include('on gnosis')
  })
})
