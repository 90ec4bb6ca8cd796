import { expect } from 'chai'
import { CallerTurns } from '../../../relayer/caller-turns.js'

/** Work that ends when it is told to. */
function held() {
  let end: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  return { done, end }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the turns of a caller’s posts', () => {
  it('are four at once, the others in their order, and no other caller waits for them', async () => {
    const turns = new CallerTurns()
    const started: string[] = []
    const works = Array.from({ length: 6 }, () => held())
    const runs = works.map(({ done }, i) =>
      turns.run('a', async () => {
        started.push(`a${i}`)
        await done
      }),
    )
    await settled()
    expect(started).to.deep.equal(['a0', 'a1', 'a2', 'a3'])
    await turns.run('b', async () => void started.push('b'))
    works[2]?.end()
    await settled()
    expect(started.slice(4)).to.deep.equal(['b', 'a4'])
    for (const { end } of works) end()
    await Promise.all(runs)
    expect(started.at(-1)).to.equal('a5')
  })

  it('go on after work that failed', async () => {
    const turns = new CallerTurns()
    const fail = () => turns.run('a', () => Promise.reject(new Error('wrong')))
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, fail))
    expect(outcomes.every(({ status }) => status === 'rejected')).to.equal(true)
    expect(await turns.run('a', async () => 'right')).to.equal('right')
  })

  it('are refused when a hundred wait', async () => {
    const turns = new CallerTurns()
    const { done, end } = held()
    const runs = Array.from({ length: 104 }, () => turns.run('a', () => done))
    const refused = await turns.run('a', () => done).catch((error: unknown) => error)
    expect(refused).to.have.property('code', 'TOO_MANY_POSTS')
    end()
    await Promise.all(runs)
    await turns.run('a', async () => undefined)
  })
})
