import { expect } from 'chai'
import fc from 'fast-check'
import { type Candidate, subsetsToTry } from '../../../relayer/exits/subsets.js'

const candidate = fc.record({
  shareIndex: fc.integer({ min: 1, max: 6 }).map(BigInt),
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

  it('come with the fewest members from contested indexes first', () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 5 }), (all, threshold) => {
        const contested = (i: number) =>
          all.filter((other) => other.shareIndex === all[i]?.shareIndex).length > 1 ? 1 : 0
        const counts = [...subsetsToTry(all, threshold)].map((subset) =>
          subset.reduce<number>((sum, i) => sum + contested(i), 0),
        )
        expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b))
      }),
      { numRuns: 300 },
    )
  })

  it('begin at once, however many there are', () => {
    const all = Array.from({ length: 64 }, (_, i) => ({ shareIndex: BigInt(1 + (i % 40)), tried: i > 0 }))
    const some = subsetsToTry(all, 13)
    for (let i = 0; i < 1_000; i++) expect(some.next().value).to.have.length(13)
  })
})
