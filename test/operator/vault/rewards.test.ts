import { expect } from 'chai'
import { IpfsClient } from '../../../core/clients/ipfs.js'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { Rewards } from '../../../operator/vault/rewards.js'
import { IpfsDouble } from '../../devnet/ipfs-double.js'
import { failureOf } from '../../doubles/failure.js'
import { hoodi, VAULT } from '../signed-entries.js'
import { RewardsDouble } from './rewards-double.js'

const ROOT: Hex = `0x${'aa'.repeat(32)}`
const NODE: Hex = `0x${'bb'.repeat(32)}`
/** None of the three is a double: a plain JSON.parse gives others. */
const CONSENSUS = 1_234_567_890_123_456_789_123n
const LOCKED = 9_007_199_254_740_993n
const UNLOCKED = 20_000_000_000_000_000_001n

/** A file with this vault among others, as the oracles write it. */
function fileText(vault: string = VAULT, fields: Record<string, unknown> = {}): string {
  const texts = {
    consensus_reward: CONSENSUS,
    locked_mev_reward: LOCKED,
    unlocked_mev_reward: UNLOCKED,
    proof: `["${NODE}", "${NODE.slice(2).toUpperCase()}"]`,
    ...fields,
  }
  const shown = Object.entries(texts).map(([name, value]) => `"${name}": ${value}`)
  const other = `{"vault": "0x${'01'.repeat(20)}", "consensus_reward": 1, "proof": []}`
  return `{"vaults": [${other}, {"vault": "${vault}", ${shown.join(', ')}}]}`
}

function rewardsOf(text: string, network = hoodi) {
  const double = new RewardsDouble(BigInt(network.keeper.block) + 1_000n)
  double.update(ROOT, 'cid', text)
  return { double, rewards: new Rewards({ network, reader: double.reader, ipfs: double.ipfs }) }
}

describe('what a vault harvests', () => {
  it('with the shared escrow is everything, exactly', async () => {
    expect(await rewardsOf(fileText()).rewards.harvestParams(VAULT, true)).to.deep.equal({
      rewardsRoot: ROOT,
      reward: CONSENSUS + LOCKED + UNLOCKED,
      unlockedMevReward: UNLOCKED,
      proof: [NODE, NODE],
    })
  })

  it('with its own escrow is the consensus reward alone', async () => {
    expect(await rewardsOf(fileText()).rewards.harvestParams(VAULT, false)).to.deep.equal({
      rewardsRoot: ROOT,
      reward: CONSENSUS,
      unlockedMevReward: 0n,
      proof: [NODE, NODE],
    })
  })

  it('on gnosis is the consensus reward, and the MEV apart', async () => {
    const { rewards } = rewardsOf(fileText(), loadNetwork('gnosis'))
    expect(await rewards.harvestParams(VAULT, true)).to.include({
      reward: CONSENSUS,
      unlockedMevReward: UNLOCKED,
    })
    expect(await rewards.harvestParams(VAULT, false)).to.include({ reward: CONSENSUS, unlockedMevReward: 0n })
  })

  it('may be a loss', async () => {
    const fields = { consensus_reward: -CONSENSUS, locked_mev_reward: 0, unlocked_mev_reward: 0 }
    const { rewards } = rewardsOf(fileText(VAULT, fields))
    expect(await rewards.harvestParams(VAULT, true)).to.include({ reward: -CONSENSUS, unlockedMevReward: 0n })
  })

  it('is found in whatever case the addresses are written', async () => {
    const { rewards } = rewardsOf(fileText(VAULT.toLowerCase()))
    expect(await rewards.harvestParams(VAULT, false)).to.include({ reward: CONSENSUS })
    const lower = VAULT.toLowerCase() as Hex
    expect(await rewardsOf(fileText(VAULT)).rewards.harvestParams(lower, false)).to.include({
      reward: CONSENSUS,
    })
  })

  it('is nothing for a vault that the file does not have', async () => {
    const { rewards } = rewardsOf(fileText(`0x${'02'.repeat(20)}`))
    expect(await rewards.harvestParams(VAULT, true)).to.equal(undefined)
  })

  it('is of the last update, whose file is read once', async () => {
    const { double, rewards } = rewardsOf(fileText())
    await rewards.harvestParams(VAULT, false)
    await rewards.harvestParams(VAULT, false)
    const next: Hex = `0x${'cc'.repeat(32)}`
    double.head += 10n
    double.update(next, 'next', fileText(VAULT, { consensus_reward: 7 }))
    expect(await rewards.harvestParams(VAULT, false)).to.include({ rewardsRoot: next, reward: 7n })
    expect(double.fetched).to.deep.equal(['cid', 'next'])
  })

  it('is read again once it has turned out wrong', async () => {
    const { double, rewards } = rewardsOf(fileText())
    await rewards.harvestParams(VAULT, false)
    rewards.forget()
    await rewards.harvestParams(VAULT, false)
    expect(double.fetched).to.deep.equal(['cid', 'cid'])
  })

  it('cannot be known where there never was an update', async () => {
    const double = new RewardsDouble()
    const rewards = new Rewards({ network: hoodi, reader: double.reader, ipfs: double.ipfs })
    const error = await failureOf(rewards.harvestParams(VAULT, true))
    expect(error.code).to.equal('NO_REWARDS_UPDATE')
    expect(error.message).to.include(hoodi.keeper.address)
  })

  for (const [what, fields] of [
    ['a number with a fraction', { consensus_reward: '1.5' }],
    ['a number as text', { consensus_reward: '"12"' }],
    ['a proof that is none', { proof: '["0x12"]' }],
  ] as const) {
    it(`is refused in one line where it has ${what}`, async () => {
      const error = await failureOf(rewardsOf(fileText(VAULT, fields)).rewards.harvestParams(VAULT, true))
      expect(error.code).to.equal('INVALID_REWARDS')
      expect(error.message).to.include('cid').and.to.include(VAULT).and.to.not.include('\n')
    })
  }
})

describe('the rewards file through gateways', () => {
  let gateways: IpfsDouble[]
  beforeEach(async () => {
    gateways = await Promise.all([new IpfsDouble().listen(), new IpfsDouble().listen()])
  })
  afterEach(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()))
  })

  const harvest = async (cid: string) => {
    const double = new RewardsDouble()
    double.update(ROOT, cid, '')
    const retry = { rounds: 1, delay: 1 }
    const ipfs = new IpfsClient(
      gateways.map(({ url }) => url),
      { retry },
    )
    return new Rewards({ network: hoodi, reader: double.reader, ipfs }).harvestParams(VAULT, false)
  }

  for (const [what, content] of [
    ['is garbage', '<html>sign in</html>'],
    ['is another file', fileText(VAULT, { consensus_reward: 1 })],
    ['has no vaults', '{"vaults": 5}'],
  ] as const) {
    it(`is taken from the next one where the first ${what}, and refused where all are so`, async () => {
      const [first, second] = gateways
      const cid = second?.add(fileText()) ?? ''
      first?.put(cid, content)
      expect(await harvest(cid)).to.include({ reward: CONSENSUS })
      second?.put(cid, content)
      const error = await failureOf(harvest(cid))
      expect(error.code).to.equal('ALL_ENDPOINTS_FAILED')
      expect(error.message).to.include(cid).and.to.not.include('\n')
    })
  }
})
