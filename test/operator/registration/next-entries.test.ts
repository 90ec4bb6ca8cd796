import { expect } from 'chai'
import type { PublicKeyHex } from '../../../core/hex.js'
import { isUsable } from '../../../operator/deposit-data/vault-deposits.js'
import {
  type CheckedEntries,
  entriesForWay,
  entriesInOrder,
  entriesNotDeposited,
} from '../../../operator/registration/next-entries.js'
import { several, unusable, usable } from './entries.js'

/** A file of these entries that notes which positions were checked. */
function file(list: readonly ReturnType<typeof usable | typeof unusable>[]) {
  const checked: number[] = []
  const keyOf = (position: number) => {
    const entry = list[position]
    if (entry === undefined) throw new RangeError(`no entry ${position}`)
    return isUsable(entry) ? entry.deposit.publicKey : entry.publicKey
  }
  const entries: CheckedEntries = {
    length: list.length,
    publicKey: keyOf,
    check: (positions) => {
      checked.push(...positions)
      return positions.flatMap((position) => list[position] ?? [])
    },
  }
  const asked: number[] = []
  const knownAre =
    (...positions: number[]) =>
    async (keys: readonly PublicKeyHex[]) => {
      asked.push(keys.length)
      return positions.map(keyOf).filter((key) => keys.includes(key))
    }
  return { entries, checked, asked, knownAre }
}

const positionsOf = (entries: readonly { position: number }[]) => entries.map(({ position }) => position)

describe('the entries that come next in the file’s order', () => {
  it('begin where the contract is', async () => {
    const { entries, checked, knownAre } = file(several(10))
    expect(positionsOf(await entriesInOrder(entries, 4, 3, knownAre()))).to.deep.equal([4, 5, 6])
    expect(checked).to.deep.equal([4, 5, 6])
  })

  it('end with the file', async () => {
    const { entries, knownAre } = file(several(5))
    expect(positionsOf(await entriesInOrder(entries, 4, 3, knownAre()))).to.deep.equal([4])
    expect(await entriesInOrder(entries, 5, 3, knownAre())).to.deep.equal([])
    expect(await entriesInOrder(entries, 9, 3, knownAre())).to.deep.equal([])
  })

  it('are unusable where their key was deposited before, and those after them stay in their places', async () => {
    const { entries, knownAre } = file([...several(3), unusable(3)])
    const [first, second, third, fourth] = await entriesInOrder(entries, 0, 10, knownAre(1))
    expect([first, third]).to.deep.equal([usable(0), usable(2)])
    expect(second).to.include({ position: 1, publicKey: usable(1).deposit.publicKey })
    expect(second).to.have.property('problem').that.includes('deposited before')
    expect(fourth).to.deep.equal(unusable(3))
  })
})

describe('the entries that a manager may register', () => {
  it('are those whose keys were not deposited', async () => {
    const { entries, checked, knownAre } = file(several(10))
    const found = await entriesNotDeposited(entries, 3, knownAre(0, 1, 4))
    expect(positionsOf(found)).to.deep.equal([2, 3, 5, 6, 7, 8, 9])
    expect(checked).to.not.include.members([0, 1, 4])
  })

  it('are looked for until enough of them are usable', async () => {
    const list = [...several(1100).map(({ position }) => unusable(position)), usable(1100), usable(1101)]
    const { entries, asked, knownAre } = file(list)
    const found = await entriesNotDeposited(entries, 1, knownAre())
    expect(found.filter(isUsable)).to.deep.equal([usable(1100), usable(1101)])
    expect(asked).to.deep.equal([64, 1000, 38])
  })

  it('are found behind many that were deposited', async () => {
    const { entries, checked, knownAre } = file(several(2000))
    const before = Array.from({ length: 1500 }, (_, i) => i)
    const found = await entriesNotDeposited(entries, 2, knownAre(...before))
    expect(found[0]).to.deep.equal(usable(1500))
    expect(Math.min(...checked)).to.equal(1500)
  })

  it('are not asked about further than needed', async () => {
    const { entries, asked, knownAre } = file(several(5000))
    await entriesNotDeposited(entries, 64, knownAre())
    expect(asked).to.deep.equal([64])
  })

  it('are none where all were deposited', async () => {
    const { entries, knownAre } = file(several(2))
    expect(await entriesNotDeposited(entries, 1, knownAre(0, 1))).to.deep.equal([])
  })
})

describe('entries of type 0x02', () => {
  const list = [usable(0, '0x02'), usable(1), unusable(2)]
  const { entries } = file(list)

  it('go with a manager whose vault takes them', () => {
    const way = { kind: 'manager', manager: '0x12', compounding: true } as const
    expect(entriesForWay(entries, way).check([0, 1, 2])).to.deep.equal(list)
  })

  for (const way of [
    { kind: 'manager', manager: '0x12', compounding: false },
    { kind: 'registry', registry: '0x12' },
    { kind: 'own' },
  ] as const) {
    it(`are unusable for a vault by ${way.kind} that takes none, and the others are not`, () => {
      const [first, ...others] = entriesForWay(entries, way).check([0, 1, 2])
      expect(first).to.include({ position: 0, publicKey: usable(0).deposit.publicKey })
      expect(first).to.have.property('problem').that.includes('takes only 0x01')
      expect(others).to.deep.equal(list.slice(1))
    })
  }

  it('do not keep a manager from the 0x01 ones far behind them', async () => {
    const many = file([...several(1100, '0x02'), usable(1100)])
    const way = { kind: 'manager', manager: '0x12', compounding: false } as const
    const found = await entriesNotDeposited(entriesForWay(many.entries, way), 5, many.knownAre())
    expect(found.filter(isUsable)).to.deep.equal([usable(1100)])
  })
})
