import { expect } from 'chai'
import fc from 'fast-check'
import { type Candidate, subsetsToTry } from '../../../relayer/exits/subsets.js'

const candidate = fc.record({
  shareIndex: fc.integer({ min: 1, max: 6 }).map(BigInt),
  caller: fc.constantFrom('a', 'b', 'c', 'd'),
  tried: fc.boolean(),
})
const candidates = fc.array(candidate, { maxLength: 9 })

/** Every subset of the size at distinct indexes with something new in it, by brute force. */
function expected(all: readonly Candidate[], threshold: number): string[] {
  const subsets: string[] = []
  for (let mask = 0; mask < 1 << all.length; mask++) {
    const members = all.flatMap((own, i) => (mask & (1 << i) ? [{ own, i }] : []))
    const indexes = new Set(members.map(({ own }) => own.shareIndex))
    const isNew = members.some(({ own }) => !own.tried)
    if (members.length === threshold && indexes.size === threshold && isNew) {
      subsets.push(members.map(({ i }) => i).join())
    }
  }
  return subsets.sort()
}

describe('subsets to try', () => {
  it('are all those with something new, each once', () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 5 }), (all, threshold) => {
        const found = [...subsetsToTry(all, threshold)].map((subset) =>
          subset.toSorted((a, b) => a - b).join(),
        )
        expect(found.toSorted()).to.deep.equal(expected(all, threshold))
      }),
      { numRuns: 300 },
    )
  })

  it('come with the fewest members first that a caller of the subset contradicts', () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 5 }), (all, threshold) => {
        const contradicted = (subset: readonly number[]) => {
          const callers = subset.map((i) => all[i]?.caller)
          return subset.filter((i) =>
            all.some(
              (other, j) =>
                j !== i && other.shareIndex === all[i]?.shareIndex && callers.includes(other.caller),
            ),
          ).length
        }
        const counts = [...subsetsToTry(all, threshold)].map(contradicted)
        expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b))
      }),
      { numRuns: 300 },
    )
  })

  it('of honest nodes come at once, whatever liars post at their indexes', () => {
    const honest = Array.from({ length: 7 }, (_, i) => ({
      shareIndex: BigInt(i + 1),
      caller: `node ${i + 1}`,
    }))
    const lies = ['x', 'y', 'z'].flatMap((caller) =>
      Array.from({ length: 10 }, (_, i) => ({ shareIndex: BigInt(i + 1), caller })),
    )
    const all = [...lies, ...honest].map((own, i, { length }) => ({ ...own, tried: i < length - 1 }))
    const [first] = subsetsToTry(all, 7)
    expect(first?.toSorted((a, b) => a - b)).to.deep.equal([30, 31, 32, 33, 34, 35, 36])
  })

  it('begin at once, however many there are', () => {
    const all = Array.from({ length: 64 }, (_, i) => ({
      shareIndex: BigInt(1 + (i % 40)),
      caller: 'one',
      tried: i > 0,
    }))
    const some = subsetsToTry(all, 13)
    for (let i = 0; i < 1_000; i++) expect(some.next().value).to.have.length(13)
  })
})
