import { expect } from 'chai'
import { getAddress, zeroAddress } from 'viem'
import type { Hex } from '../../../core/hex.js'
import { describeWay, wayOf } from '../../../operator/vault/way.js'

const REGISTRY: Hex = '0x93a3f880E07B27dacA6Ef2d3C23E77DBd6294487'
const MANAGER: Hex = getAddress(`0x${'ab'.repeat(20)}`)

const own = { kind: 'own' }
const registry = { kind: 'registry', registry: REGISTRY }
const manager = { kind: 'manager', manager: MANAGER, compounding: false }
const compounding = { kind: 'manager', manager: MANAGER, compounding: true }

describe('how a vault registers validators', () => {
  for (const [token, version, of, expected] of [
    ['ETH', 1, undefined, own],
    ['ETH', 2, REGISTRY, registry],
    ['ETH', 2, MANAGER, manager],
    ['ETH', 3, REGISTRY, registry],
    ['ETH', 3, MANAGER, manager],
    ['ETH', 4, REGISTRY, registry],
    ['ETH', 4, MANAGER, manager],
    ['ETH', 5, REGISTRY, registry],
    ['ETH', 5, MANAGER, compounding],
    ['GNO', 1, undefined, own],
    ['GNO', 2, REGISTRY, registry],
    ['GNO', 2, MANAGER, manager],
    ['GNO', 3, REGISTRY, registry],
    ['GNO', 3, MANAGER, compounding],
    ['GNO', 4, REGISTRY, registry],
    ['GNO', 4, MANAGER, compounding],
  ] as const) {
    const by = of === undefined ? '' : ` whose manager is ${of === REGISTRY ? 'the registry' : 'another'}`
    it(`version ${version} of ${token}${by}: ${expected.kind}`, () => {
      expect(wayOf({ version, manager: of }, REGISTRY, token)).to.deep.equal(expected)
    })
  }

  it('knows the registry’s address in any case of letters', () => {
    const found = wayOf({ version: 5, manager: REGISTRY.toLowerCase() as Hex }, REGISTRY, 'ETH')
    expect(found).to.deep.equal(registry)
  })

  it('takes every manager for one on a network without a registry', () => {
    expect(wayOf({ version: 5, manager: REGISTRY }, undefined, 'ETH')).to.deep.equal({
      ...compounding,
      manager: REGISTRY,
    })
  })

  for (const [what, version, of, token, reason] of [
    ['without a manager', 5, zeroAddress, 'ETH', /no validators manager: its admin must set one/],
    ['without a manager, on gnosis', 3, zeroAddress, 'GNO', /no validators manager/],
    ['that is a meta vault', 6, MANAGER, 'ETH', /meta vault/],
    ['that is a meta vault, on gnosis', 6, MANAGER, 'GNO', /meta vault/],
    ['of a later version', 7, MANAGER, 'ETH', /does not know vaults of version 7/],
    ['of a later version, on gnosis', 5, MANAGER, 'GNO', /does not know vaults of version 5/],
    ['of version 0', 0, MANAGER, 'ETH', /does not know vaults of version 0/],
  ] as const) {
    it(`a vault ${what} registers nothing, and the reason is said`, () => {
      const way = wayOf({ version, manager: of }, REGISTRY, token)
      expect(way.kind).to.equal('none')
      expect(describeWay(way))
        .to.match(/^nothing: /)
        .and.to.match(reason)
    })
  }

  it('is said in one line', () => {
    expect(describeWay({ kind: 'own' })).to.include('version 1')
    expect(describeWay({ kind: 'registry', registry: REGISTRY })).to.include(REGISTRY)
    expect(describeWay({ kind: 'manager', manager: MANAGER, compounding: true })).to.equal(
      `the validators manager ${MANAGER}`,
    )
  })
})
