import { expect } from 'chai'
import fc from 'fast-check'
import { createCluster, garbage, type TestValidator } from '../clusters.js'
import { combineParts, TestWorld } from '../relayer.js'

interface Scenario {
  readonly cluster: TestValidator
  readonly nodes: readonly bigint[]
  readonly bad: ReadonlySet<bigint>
}

/** Lets every node post for its own index, the bad ones several times, and looks whether the exit gets ready. */
async function getsReady({ cluster, nodes, bad }: Scenario, known: boolean): Promise<boolean> {
  const world = new TestWorld()
  const { publicKey, threshold } = cluster.validator
  if (known) world.sharings = [cluster.validator]
  const relayer = await world.open({ signatureThreshold: threshold })
  try {
    await relayer.service.requestExits([publicKey])
    const posts = nodes.flatMap((node) => (bad.has(node) ? [node, node] : [node]))
    for (const [i, node] of posts.entries()) {
      const signature = bad.has(node) ? garbage(i) : cluster.sign(node, world.nextIndex)
      const rejected = await relayer.service.postShares(node, [{ publicKey, signature }], '10.0.0.1')
      if (!bad.has(node) && rejected.length > 0) throw new Error(`a right share of ${node} was rejected`)
      await relayer.service.idle()
    }
    const [exit] = await relayer.service.requestExits([publicKey])
    if (exit?.oracleShares == null) return false
    combineParts(world.oracles, exit.oracleShares, publicKey, exit.validatorIndex)
    return true
  } finally {
    await relayer.close()
  }
}

const scenario = (most: number, mostBad: (nodes: number) => number) =>
  fc.integer({ min: 1, max: most }).chain((count) =>
    fc
      .record({
        ids: fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), {
          minLength: count,
          maxLength: count,
        }),
        sparse: fc.boolean(),
        badCount: fc.integer({ min: 0, max: mostBad(count) }),
        order: fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i),
          { minLength: count, maxLength: count },
        ),
        badPositions: fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i),
          { minLength: count, maxLength: count },
        ),
      })
      .map(({ ids, sparse, badCount, order, badPositions }) => {
        const indexes = sparse ? ids : ids.map((_, i) => BigInt(i + 1))
        const at = (positions: readonly number[]) => positions.map((i) => indexes[i] ?? 0n)
        return { indexes, nodes: at(order), bad: new Set(at(badPositions.slice(0, badCount))) }
      }),
  )

describe('bad nodes that post for their own index', () => {
  for (const known of [true, false]) {
    it(`stop no cluster of up to ten nodes ${known ? 'with' : 'without'} public shares`, async () => {
      await fc.assert(
        fc.asyncProperty(
          scenario(10, (nodes) => Math.floor((nodes - 1) / 3)),
          async ({ indexes, nodes, bad }) => {
            const threshold = indexes.length - Math.floor((indexes.length - 1) / 3)
            const cluster = createCluster(indexes, threshold)
            expect(await getsReady({ cluster, nodes, bad }, known)).to.equal(true)
          },
        ),
        { numRuns: known ? 10 : 15 },
      )
    })

    it(`of which one is too many leave an exit unready, never wrong, ${known ? 'with' : 'without'} them`, async () => {
      const cluster = createCluster([1n, 2n, 3n, 4n], 3)
      for (const bad of [new Set([1n, 2n]), new Set([2n, 4n])]) {
        expect(await getsReady({ cluster, nodes: [1n, 2n, 3n, 4n], bad }, known)).to.equal(false)
      }
    })
  }
})
