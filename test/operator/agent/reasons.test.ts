import { expect } from 'chai'
import { Reasons } from '../../../operator/agent/reasons.js'
import { TestClock } from '../../doubles/clock.js'

describe('a reason for waiting', () => {
  let clock: TestClock
  let reasons: Reasons
  const says = (code: string, detail = '') => reasons.of(code, detail).isNews

  beforeEach(() => {
    clock = new TestClock()
    reasons = new Reasons(clock)
  })

  it('is said once, however long it lasts', () => {
    expect(says('POOR')).to.equal(true)
    for (let i = 0; i < 100; i++) {
      clock.advance(3_600_000)
      expect(says('POOR')).to.equal(false)
    }
  })

  it('is said again with another detail, and for another reason', () => {
    expect([says('POOR', '1'), says('POOR', '2'), says('RICH', '2')]).to.deep.equal([true, true, true])
  })

  it('that comes and goes is said once a minute', () => {
    const said = { a: 0, b: 0 }
    for (let second = 0; second < 120; second += 12) {
      if (says('A')) said.a++
      clock.advance(6_000)
      if (says('B')) said.b++
      clock.advance(6_000)
    }
    expect(said).to.deep.equal({ a: 2, b: 2 })
  })

  it('that lasted long and came back at once is not said again', () => {
    says('A')
    clock.advance(600_000)
    says('A')
    clock.advance(1_000)
    expect(says('B')).to.equal(true)
    clock.advance(1_000)
    expect(says('A')).to.equal(false)
  })

  it('that came back after a minute is said again', () => {
    says('A')
    clock.advance(1_000)
    says('B')
    clock.advance(60_000)
    expect(says('A')).to.equal(true)
  })

  it('lasts since it began, whatever its detail', () => {
    const start = clock.now()
    expect(reasons.of('A', '1').since).to.equal(start)
    clock.advance(5_000)
    expect(reasons.of('A', '2').since).to.equal(start)
    expect(reasons.of('B', '2').since).to.equal(start + 5_000)
    clock.advance(5_000)
    expect(reasons.of('A', '2').since).to.equal(start + 10_000)
  })

  it('is news after something happened', () => {
    says('A')
    clock.advance(5_000)
    reasons.clear()
    expect(reasons.of('A', '')).to.deep.equal({ since: clock.now(), isNews: true })
  })
})
