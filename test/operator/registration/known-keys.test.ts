import { expect } from 'chai'
import type { PublicKeyHex } from '../../../core/hex.js'
import { rememberKnownKeys } from '../../../operator/registration/known-keys.js'
import { TestClock } from '../../doubles/clock.js'

const HOUR = 3_600_000
const [A, B, C]: PublicKeyHex[] = ['0xaa', '0xbb', '0xcc']

describe('which keys were deposited', () => {
  let clock: TestClock
  let deposited: PublicKeyHex[]
  let asked: (readonly PublicKeyHex[])[]
  let known: (keys: readonly PublicKeyHex[]) => Promise<readonly PublicKeyHex[]>

  beforeEach(() => {
    clock = new TestClock()
    deposited = []
    asked = []
    known = rememberKnownKeys(async (keys) => {
      asked.push(keys)
      return keys.filter((key) => deposited.includes(key))
    }, clock)
  })

  it('is asked each time while it is news', async () => {
    expect(await known(['0xaa', '0xbb'])).to.deep.equal([])
    deposited = ['0xbb']
    expect(await known(['0xaa', '0xbb'])).to.deep.equal(['0xbb'])
    clock.advance(HOUR - 1)
    expect(await known(['0xaa', '0xbb'])).to.deep.equal(['0xbb'])
    expect(asked).to.deep.equal([
      ['0xaa', '0xbb'],
      ['0xaa', '0xbb'],
      ['0xaa', '0xbb'],
    ])
  })

  it('is not asked again once it has been so for an hour', async () => {
    deposited = ['0xaa']
    await known(['0xaa', '0xbb'])
    clock.advance(HOUR)
    deposited = []
    expect(await known(['0xbb', '0xaa'])).to.deep.equal(['0xaa'])
    expect(asked.at(-1)).to.deep.equal(['0xbb'])
  })

  it('is asked again after a deposit was reorganised away', async () => {
    deposited = ['0xaa']
    await known(['0xaa'])
    deposited = []
    clock.advance(HOUR / 2)
    expect(await known(['0xaa'])).to.deep.equal([])
    deposited = ['0xaa']
    await known(['0xaa'])
    clock.advance(HOUR / 2)
    // Half an hour since it came back: not sure yet.
    deposited = []
    expect(await known(['0xaa'])).to.deep.equal([])
  })

  it('keeps the order that was asked for', async () => {
    deposited = ['0xcc', '0xaa', '0xbb']
    const keys = [A, C, B].filter((key) => key !== undefined)
    expect(await known(keys)).to.deep.equal(keys)
    clock.advance(HOUR)
    expect(await known(keys)).to.deep.equal(keys)
  })
})
