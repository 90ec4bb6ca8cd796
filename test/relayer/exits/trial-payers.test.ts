import { expect } from 'chai'
import { Budget } from '../../../relayer/budget.js'
import type { ShareRecord } from '../../../relayer/exits/records.js'
import { countSent, payerOf, unpayable } from '../../../relayer/exits/trial-payers.js'

const share = (caller: string, order: number): ShareRecord => ({
  publicKey: `0x${'aa'.repeat(48)}`,
  message: 'exit/1',
  shareIndex: BigInt(order),
  digest: `${order}`,
  order,
  state: 'candidate',
  listed: true,
  verifiedUnder: null,
  caller,
})

describe('trials', () => {
  const shares = [share('liar', 1), share('liar', 2), share('a', 3), share('b', 4)]
  const sent = countSent(shares)

  it('are paid by the caller that sent the most shares, among equals by the last', () => {
    expect(payerOf(shares.slice(1), sent)).to.equal('liar')
    expect(payerOf(shares.slice(2), sent)).to.equal('b')
  })

  it('are without the shares of callers that would have to pay and cannot', () => {
    const without = (...broke: string[]) => [...unpayable(sent, (caller) => !broke.includes(caller))]
    expect(without()).to.deep.equal([])
    expect(without('liar')).to.deep.equal(['liar'])
    expect(without('a'), 'b can pay').to.deep.equal([])
    expect(without('liar', 'a')).to.deep.equal(['liar'])
    expect(without('liar', 'a', 'b')).to.deep.equal(['liar', 'a', 'b'])
  })
})

describe('a budget of work', () => {
  it('refills steadily up to what it holds, and takes back what was right', () => {
    let now = 100
    const budget = new Budget({ most: 10, perSecond: 2, clock: () => now })
    expect(budget.left('a')).to.equal(10)
    budget.spend('a', 12)
    expect(budget.left('a')).to.equal(-2)
    expect(budget.left('b')).to.equal(10)
    now += 3
    expect(budget.left('a')).to.equal(4)
    budget.refund('a', 5)
    expect(budget.left('a')).to.equal(9)
    now += 60
    expect(budget.left('a')).to.equal(10)
    now -= 1000
    expect(budget.left('a'), 'a clock that was set back takes nothing').to.be.at.least(9)
  })
})
