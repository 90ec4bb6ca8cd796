import { expect } from 'chai'
import { depositAmounts } from '../../../operator/registration/deposit-amounts.js'

const ETH = 1_000_000_000n
const amounts = (type: '0x01' | '0x02', eth: bigint, maxBalance = 1945n) =>
  depositAmounts({ type, gwei: eth * ETH, maxBalance: maxBalance * ETH }).map((amount) => amount / ETH)

describe('the amounts of new validators', () => {
  for (const [type, eth, expected] of [
    ['0x01', 31n, []],
    ['0x01', 32n, [32n]],
    ['0x01', 100n, [32n, 32n, 32n]],
    ['0x02', 31n, []],
    ['0x02', 32n, [32n]],
    ['0x02', 1945n, [1945n]],
    ['0x02', 1976n, [1945n]],
    ['0x02', 1977n, [1945n, 32n]],
    ['0x02', 4000n, [1945n, 1945n, 110n]],
  ] as const) {
    it(`of type ${type} from ${eth} ETH are ${expected.join(', ') || 'none'}`, () => {
      expect(amounts(type, eth)).to.deep.equal(expected)
    })
  }

  it('of type 0x02 are at most what the operator allows, to the Gwei', () => {
    expect(amounts('0x02', 2112n, 2048n)).to.deep.equal([2048n, 64n])
    const rest = 32n * ETH - 1n
    expect(depositAmounts({ type: '0x02', gwei: 64n * ETH + rest, maxBalance: 64n * ETH })).to.have.length(1)
  })
})
