import { expect } from 'chai'
import { zeroAddress } from 'viem'
import { RpcError } from '../../../core/clients/json-rpc.js'
import { ConfigurationError, UnavailableError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { Rewards } from '../../../operator/vault/rewards.js'
import { VaultReader } from '../../../operator/vault/vault-reader.js'
import { failureOf } from '../../doubles/failure.js'
import { hoodi, VAULT } from '../signed-entries.js'
import { RewardsDouble } from './rewards-double.js'
import { VaultDouble } from './vault-double.js'

const ROOT: Hex = `0x${'aa'.repeat(32)}`
const NODE: Hex = `0x${'bb'.repeat(32)}`
const SHARED = hoodi.sharedMevEscrow?.address ?? zeroAddress
const REGISTRY = hoodi.depositDataRegistry?.address ?? zeroAddress
const REWARD = 9_007_199_254_740_993n
const FILE = `{"vaults": [{"vault": "${VAULT}", "consensus_reward": ${REWARD}, "locked_mev_reward": 2,
  "unlocked_mev_reward": 4, "proof": ["${NODE}"]}]}`

describe('the vault as it is', () => {
  let vault: VaultDouble
  let rewards: RewardsDouble
  let reader: VaultReader

  beforeEach(() => {
    vault = new VaultDouble(hoodi, VAULT)
    vault.assets = 5n
    vault.assetsHarvested = 7n
    rewards = new RewardsDouble()
    rewards.update(ROOT, 'cid', FILE)
    const { reader: logs, ipfs } = rewards
    const execution = {
      call: (to: Hex, data: Hex) => vault.call(to, data),
      simulate: async () => '0x' as Hex,
    }
    const parts = { network: hoodi, vault: VAULT, execution }
    reader = new VaultReader({ ...parts, rewards: new Rewards({ network: hoodi, reader: logs, ipfs }) })
  })

  it('has its version, its way, its assets and the number of oracles', async () => {
    vault.minOracles = 6n
    expect(await reader.state()).to.deep.equal({
      version: 5,
      way: { kind: 'manager', manager: vault.manager, compounding: true },
      harvest: undefined,
      assets: 5n,
      minOracles: 6,
    })
    expect(rewards.fetched).to.deep.equal([])
  })

  for (const version of [1, 6]) {
    it(`of version ${version} is not asked for a manager that it does not have`, async () => {
      vault.version = version
      const { way } = await reader.state()
      expect(way.kind).to.equal(version === 1 ? 'own' : 'none')
      expect(vault.asked).to.not.include('validatorsManager')
    })
  }

  it('registers by the registry where that is its manager', async () => {
    vault.manager = REGISTRY.toLowerCase() as Hex
    expect((await reader.state()).way).to.deep.equal({ kind: 'registry', registry: REGISTRY })
  })

  for (const [what, escrow, harvest] of [
    ['shared', SHARED, { reward: REWARD + 6n, unlockedMevReward: 4n }],
    ['its own', `0x${'e5'.repeat(20)}`, { reward: REWARD, unlockedMevReward: 0n }],
  ] as const) {
    it(`counts the assets after the harvest that is due, with MEV that is ${what}`, async () => {
      vault.canHarvest = true
      vault.mevEscrow = escrow
      const expected = { rewardsRoot: ROOT, proof: [NODE], ...harvest }
      vault.refuses = (params) => {
        expect(params).to.deep.equal(expected)
        return undefined
      }
      const state = await reader.state()
      expect(state.harvest).to.deep.equal(expected)
      expect(state.assets).to.equal(7n)
    })
  }

  it('is not harvested where the rewards do not know it', async () => {
    vault.canHarvest = true
    rewards.head += 10n
    rewards.update(ROOT, 'without', '{"vaults": []}')
    const { harvest, assets } = await reader.state()
    expect([harvest, assets]).to.deep.equal([undefined, 5n])
  })

  for (const [selector, name] of [
    ['0x09bde339', 'InvalidProof'],
    ['0xd526111a', 'InvalidRewardsRoot'],
  ] as const) {
    it(`says by name that it does not take the rewards: ${name}`, async () => {
      vault.canHarvest = true
      vault.refuses = () => selector
      const error = await failureOf(reader.state())
      expect(error.code).to.equal('HARVEST_REVERTS')
      expect(error.message).to.include(name)
      expect(error.hint).to.include('IPFS_FETCH_ENDPOINTS')
    })
  }

  it('takes the rewards once a gateway has stopped giving wrong ones', async () => {
    vault.canHarvest = true
    vault.refuses = ({ reward }) => (reward === REWARD ? undefined : '0x09bde339')
    rewards.update(ROOT, 'cid', FILE.replace(String(REWARD), '1'))
    expect((await failureOf(reader.state())).code).to.equal('HARVEST_REVERTS')
    rewards.update(ROOT, 'cid', FILE)
    expect((await reader.state()).assets).to.equal(7n)
  })

  it('does not call an endpoint that is away a wrong reward', async () => {
    vault.canHarvest = true
    vault.refuses = () => {
      throw new UnavailableError('ALL_ENDPOINTS_FAILED', 'eth_call: down')
    }
    expect((await failureOf(reader.state())).code).to.equal('ALL_ENDPOINTS_FAILED')
  })

  it('has the deposit data that it keeps itself, or that the registry keeps for it', async () => {
    vault.version = 1
    expect(await reader.depositData({ kind: 'own' })).to.deep.equal({ root: vault.own.root, index: 1 })
    expect(await reader.depositData({ kind: 'registry', registry: REGISTRY })).to.deep.equal({
      root: vault.registered.root,
      index: 2,
    })
  })

  for (const [what, call] of [
    ['no contract', async () => '0x' as const],
    [
      'another contract',
      async () => {
        throw new RpcError('eth_call: execution reverted', { data: '0x' })
      },
    ],
  ] as const) {
    it(`is a mistake in the configuration where there is ${what} at its address`, async () => {
      vault.call = call
      const error = await failureOf(reader.version())
      expect(error).to.be.instanceOf(ConfigurationError).with.property('code', 'NO_VAULT')
      expect(error.message).to.include(VAULT).and.to.include('hoodi')
    })
  }

  it('is not missing because an endpoint refuses to answer', async () => {
    vault.call = async () => {
      throw new RpcError('eth_call: rate limit')
    }
    expect((await failureOf(reader.version())).code).to.equal('RPC_ERROR')
  })

  it('names a contract that is not what the network says', async () => {
    const call = vault.call.bind(vault)
    vault.call = async (to, data) => (to === hoodi.keeper.address ? '0x' : call(to, data))
    const error = await failureOf(reader.state())
    expect(error.code).to.equal('NOT_THE_CONTRACT')
    expect(error.message).to.include(hoodi.keeper.address)
  })
})
