import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import { type PlanInput, planRegistration } from '../../../operator/registration/plan.js'
import { depositableGwei, stakingRulesOf } from '../../../operator/vault/staking-rules.js'
import { ETH, several, unusable, usable } from './entries.js'

const plenty = 1_000_000n * ETH

function plan(input: Partial<PlanInput>) {
  return planRegistration({
    candidates: several(100),
    ordered: false,
    gwei: plenty,
    batchLimit: 50,
    minimum: 1,
    ...input,
  })
}

/** The positions that are registered, or what comes instead. */
function planned(input: Partial<PlanInput>): number[] | string {
  const result = plan(input)
  return result.kind === 'register' ? result.deposits.map(({ position }) => position) : result.kind
}

/** How many are registered. */
function count(input: Partial<PlanInput>): number | string {
  const positions = planned(input)
  return typeof positions === 'string' ? positions : positions.length
}

describe('how many validators are registered at once', () => {
  for (const [gwei, expected] of [
    [32n * ETH, 1],
    [64n * ETH - 1n, 1],
    [64n * ETH, 2],
    [96n * ETH, 3],
    [32n * 22n * ETH + 5n, 22],
  ] as const) {
    it(`${gwei} Gwei suffice for ${expected} of type 0x01`, () => {
      expect(count({ gwei })).to.equal(expected)
    })
  }

  for (const gwei of [0n, 9n * ETH, 10n * ETH, 32n * ETH - 1n]) {
    it(`${gwei} Gwei suffice for none`, () => {
      expect(plan({ gwei })).to.deep.equal({ kind: 'too-few-assets', next: usable(0) })
    })
  }

  it('validators of type 0x02 take what their deposits say', () => {
    const candidates = [1945n, 1945n, 40n, 32n].map((amount, i) => usable(i, '0x02', amount * ETH))
    expect(planned({ candidates, gwei: 3962n * ETH })).to.deep.equal([0, 1, 2, 3])
    expect(planned({ candidates, gwei: 3962n * ETH - 1n })).to.deep.equal([0, 1, 2])
    // In order: the smaller ones do not go before a larger one that is not affordable yet.
    expect(planned({ candidates, gwei: 1945n * ETH + 100n * ETH })).to.deep.equal([0])
    expect(planned({ candidates, gwei: 100n * ETH })).to.equal('too-few-assets')
  })

  it('the protocol’s limit of a batch holds', () => {
    expect(count({ batchLimit: 10 })).to.equal(10)
    expect(count({ batchLimit: 1 })).to.equal(1)
    expect(count({ batchLimit: 50 })).to.equal(50)
  })

  for (const [type, wanted, taken] of [
    ['0x01', 22, 22],
    ['0x01', 23, 22],
    ['0x01', 24, 24],
    ['0x01', 46, 45],
    ['0x02', 21, 21],
    ['0x02', 22, 21],
    ['0x02', 23, 23],
    ['0x02', 44, 43],
  ] as const) {
    it(`of ${wanted} of type ${type} ${taken} go at once, so that the contract can read them`, () => {
      const candidates = several(wanted, type, 64n * ETH)
      expect(planned({ candidates })).to.deep.equal(
        candidates.slice(0, taken).map(({ position }) => position),
      )
      expect(count({ candidates: several(100, type, 64n * ETH), batchLimit: wanted })).to.equal(taken)
      expect(count({ candidates: several(100, type, 64n * ETH), gwei: BigInt(wanted) * 64n * ETH })).to.equal(
        taken,
      )
    })
  }
})

describe('types in one batch', () => {
  it('are never mixed: the first entry’s type goes, in the file’s order', () => {
    const candidates = [usable(0), usable(1), usable(2, '0x02'), usable(3), usable(4, '0x02')]
    expect(planned({ candidates })).to.deep.equal([0, 1])
    expect(planned({ candidates: candidates.slice(2) })).to.deep.equal([2])
  })
})

describe('a wrong entry', () => {
  const candidates = [usable(0), unusable(1), usable(2), usable(3)]

  it('is passed over by a manager', () => {
    expect(planned({ candidates })).to.deep.equal([0, 2, 3])
    expect(planned({ candidates: candidates.slice(1) })).to.deep.equal([2, 3])
  })

  it('lets those before it go where the contract takes no other order, and stops the rest', () => {
    expect(planned({ candidates, ordered: true })).to.deep.equal([0])
    expect(plan({ candidates: candidates.slice(1), ordered: true })).to.deep.equal({
      kind: 'blocked',
      entry: unusable(1),
    })
  })

  it('is named where nothing else is left', () => {
    expect(plan({ candidates: [unusable(4), unusable(5)] })).to.deep.equal({
      kind: 'blocked',
      entry: unusable(4),
    })
  })

  it('costs no assets', () => {
    expect(planned({ candidates, gwei: 64n * ETH })).to.deep.equal([0, 2])
  })
})

describe('the least number of validators', () => {
  it('is waited for', () => {
    expect(plan({ gwei: 100n * ETH, minimum: 4 })).to.deep.equal({ kind: 'below-minimum', count: 3 })
    expect(count({ gwei: 128n * ETH, minimum: 4 })).to.equal(4)
  })

  it('may be more than a batch can hold', () => {
    expect(plan({ gwei: 11n * 32n * ETH, minimum: 12, batchLimit: 5 })).to.deep.equal({
      kind: 'below-minimum',
      count: 11,
    })
    expect(count({ gwei: 12n * 32n * ETH, minimum: 12, batchLimit: 5 })).to.equal(5)
  })

  it('does not turn too few assets or nothing left into something else', () => {
    expect(planned({ gwei: 5n * ETH, minimum: 4 })).to.equal('too-few-assets')
    expect(planned({ candidates: [], minimum: 4 })).to.equal('nothing-left')
  })
})

describe('what validators count in', () => {
  const gnosis = stakingRulesOf(loadNetwork('gnosis'))
  const WEI = 10n ** 18n

  it('is ETH, whole Gwei of it', () => {
    for (const name of ['mainnet', 'hoodi']) {
      const rules = stakingRulesOf(loadNetwork(name))
      expect(depositableGwei(rules, 32n * WEI)).to.equal(32n * ETH)
      expect(depositableGwei(rules, 32n * WEI - 1n)).to.equal(32n * ETH - 1n)
      expect([rules.token, rules.unit]).to.deep.equal(['ETH', 'ETH'])
      expect([rules.defaultMaxFee, rules.minPriorityFee]).to.deep.equal([10n * ETH, 0n])
    }
  })

  it('is mGNO on gnosis: 1 GNO makes a validator', () => {
    expect(depositableGwei(gnosis, WEI)).to.equal(32n * ETH)
    expect(count({ gwei: depositableGwei(gnosis, 3n * WEI) })).to.equal(3)
    expect(count({ gwei: depositableGwei(gnosis, 3n * WEI - 1n) })).to.equal(2)
    expect(planned({ gwei: depositableGwei(gnosis, WEI - 1n) })).to.equal('too-few-assets')
    expect([gnosis.token, gnosis.unit]).to.deep.equal(['GNO', 'mGNO'])
    expect([gnosis.defaultMaxFee, gnosis.minPriorityFee]).to.deep.equal([2n * ETH, ETH])
  })
})
