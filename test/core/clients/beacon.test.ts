import { expect } from 'chai'
import { BeaconClient } from '../../../core/clients/beacon.js'
import { ConfigurationError, UnavailableError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { BeaconDouble } from '../../devnet/beacon-double.js'
import { Chain, compactRegistry } from '../../devnet/chain.js'
import { signedDeposit } from '../../devnet/deposits.js'
import { failureOf } from '../../doubles/failure.js'

const network = loadNetwork('hoodi')
const retry = { rounds: 1, delay: 1 }
const VALIDATORS = 5000

const validatorData = (pubkey: string, index: number) => ({
  index: `${index}`,
  status: 'active_ongoing',
  balance: '32000000000',
  validator: { pubkey, withdrawal_credentials: `0x${'01'.repeat(32)}` },
})

describe('BeaconClient', () => {
  const registry = compactRegistry(VALIDATORS)
  let chain: Chain
  let first: BeaconDouble
  let second: BeaconDouble
  const client = (options = {}) => new BeaconClient([first.url, second.url], { retry, ...options })
  const onlyFirst = (options = {}) => new BeaconClient([first.url], { retry, ...options })

  beforeEach(async () => {
    chain = new Chain({ network, registry, head: 100, finalized: 90 })
    first = await new BeaconDouble(chain).listen()
    second = await new BeaconDouble(chain).listen()
  })
  afterEach(async () => {
    await Promise.all([first.close(), second.close()])
  })

  it('tells which keys and indexes the registry has', async () => {
    const stranger = signedDeposit(network, 'stranger').publicKey
    const known = await onlyFirst().knownValidators(
      [registry.publicKeyOf(3), stranger],
      [0, VALIDATORS - 1, VALIDATORS, VALIDATORS + 7],
    )
    expect([...known.publicKeys]).to.deep.equal([registry.publicKeyOf(3)])
    expect([...known.indexes].sort()).to.deep.equal([0, VALIDATORS - 1])
  })

  it('asks about many keys in several requests', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => registry.publicKeyOf(index))
    expect((await onlyFirst().knownValidators(keys, [])).publicKeys.size).to.equal(2500)
    expect(first.requests.get('POST validators')).to.equal(3)
  })

  it('asks about many indexes by GET in several requests', async () => {
    const indexes = Array.from({ length: 130 }, (_, index) => index)
    const [endpoint] = onlyFirst().endpoints
    expect(await endpoint?.validatorsByIndex('head', indexes)).to.have.length(130)
    expect(first.requests.get('GET validators')).to.equal(3)
  })

  it('refuses a node that answers about others than were asked for', async () => {
    first.alter = ({ path }, answer) =>
      path.endsWith('/validators')
        ? { ...answer, body: { data: [validatorData(registry.publicKeyOf(5), 5)] } }
        : answer
    const error = await failureOf(onlyFirst().knownValidators([], [VALIDATORS]))
    expect(error.message).to.include('validator 5 was not asked for')
    expect([...(await client().knownValidators([], [VALIDATORS])).indexes]).to.deep.equal([])
  })

  it('asks nothing about nothing', async () => {
    expect(await onlyFirst().validatorStatuses([])).to.deep.equal([])
    expect(first.total).to.equal(0)
  })

  for (const [state, set] of [
    ['is syncing', () => Object.assign(first, { syncing: true })],
    ['is optimistic', () => Object.assign(first, { optimistic: true })],
    ['is down', () => Object.assign(first.faults, { down: true })],
    ['answers something else', () => Object.assign(first.faults, { garbage: true })],
  ] as const) {
    it(`believes no node that ${state}: the next one is asked, or nothing is known`, async () => {
      set()
      const error = await failureOf(onlyFirst().knownValidators([], [1]))
      expect(error).to.be.instanceOf(UnavailableError)
      expect([...(await client().knownValidators([], [1])).indexes]).to.deep.equal([1])
    })
  }

  it('refuses optimistic answers about states and headers', async () => {
    const [endpoint] = onlyFirst().endpoints
    first.optimistic = true
    for (const work of [
      endpoint?.finalizedHeader(),
      endpoint?.validators('head', [1]),
      endpoint?.validatorsByIndex('head', [1]),
      endpoint?.pendingDeposits('head'),
    ]) {
      expect((await failureOf(Promise.resolve(work))).code).to.equal('BEACON_NODE_OPTIMISTIC')
    }
  })

  it('takes an unknown state for a failure, not for an empty registry', async () => {
    const [endpoint] = onlyFirst().endpoints
    const unknown = `0x${'ab'.repeat(32)}` as const
    for (const work of [endpoint?.validatorsByIndex(unknown, [1]), endpoint?.validators(unknown, [1])]) {
      expect((await failureOf(Promise.resolve(work))).code).to.equal('UNKNOWN_STATE')
    }
  })

  it('knows a state by its root, and not by its block’s', async () => {
    const [endpoint] = onlyFirst().endpoints
    const header = await onlyFirst().finalizedHeader()
    expect(header.slot).to.equal(90)
    expect(await endpoint?.validatorsByIndex(header.stateRoot, [1])).to.have.length(1)
    const failure = failureOf(Promise.resolve(endpoint?.validatorsByIndex(header.root, [1])))
    expect((await failure).code).to.equal('UNKNOWN_STATE')
  })

  it('reads the queue of pending deposits and a block’s execution payload', async () => {
    const deposit = signedDeposit(network, 'a')
    chain.landAt(80, deposit)
    const [endpoint] = onlyFirst().endpoints
    const header = await onlyFirst().finalizedHeader()
    const queue = await endpoint?.pendingDeposits(header.stateRoot)
    const { valid: _, ...fields } = deposit
    expect(queue).to.deep.equal({ version: 'electra', deposits: [{ ...fields, slot: 80n }] })
    const payload = await endpoint?.blockPayload(header.root, ['electra'])
    expect(payload).to.deep.include({ number: 90n, hash: chain.block(90)?.hash, stateRoot: header.stateRoot })
  })

  it('says where a fork has no pending deposits or a block that it cannot read', async () => {
    chain.fork = 'deneb'
    const [endpoint] = onlyFirst().endpoints
    const header = await onlyFirst().finalizedHeader()
    const queue = failureOf(Promise.resolve(endpoint?.pendingDeposits(header.stateRoot)))
    expect((await queue).code).to.equal('UNSUPPORTED_FORK')
    chain.fork = 'gloas'
    const block = failureOf(Promise.resolve(endpoint?.blockPayload(header.root, ['electra', 'fulu'])))
    expect((await block).code).to.equal('UNSUPPORTED_FORK')
  })

  it('refuses a node of another network, at its first use', async () => {
    const genesisValidatorsRoot = `0x${'00'.repeat(32)}` as const
    const error = await failureOf(onlyFirst({ genesisValidatorsRoot }).knownValidators([], [1]))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.code).to.equal('WRONG_NETWORK')
    const right = onlyFirst({ genesisValidatorsRoot: network.genesisValidatorsRoot })
    expect((await right.knownValidators([], [1])).indexes.size).to.equal(1)
  })
})
