/** Many scenarios over few relayers: those of a relayer share its store, its threads and its budgets. */
import { Random } from '../../soak/kills/random.js'
import { inThisThread, TestWorld } from '../relayer.js'
import { type Knowledge, Scenario } from './scenario.js'

/** One cluster and which of its nodes are bad. */
export interface Case {
  readonly nodes: number
  readonly threshold: number
  readonly bad: readonly bigint[]
  readonly knowledge: Knowledge
}

export interface Result {
  readonly failures: readonly string[]
  readonly passed: number
  /** Subsets tried in all. */
  readonly trials: number
}

const SCENARIOS_PER_RELAYER = 25

export const nodesOf = (count: number): bigint[] => Array.from({ length: count }, (_, i) => BigInt(i + 1))

/**
 * Runs cases of one threshold and knowledge, each from the seed and its position, so that any can be run again.
 * @param maxTrials what each caller may cause: the less, the quicker the bad nodes are done
 */
export async function runScenarios(cases: readonly Case[], seed: number, maxTrials: number): Promise<Result> {
  const failures: string[] = []
  let trials = 0
  for (let start = 0; start < cases.length; start += SCENARIOS_PER_RELAYER) {
    const world = new TestWorld()
    const crypto = inThisThread()
    const { knowledge, threshold } = cases[start] ?? {}
    const signatureThreshold = knowledge === 'claims alone' ? null : (threshold ?? 1)
    const relayer = await world.open({ crypto, signatureThreshold, limits: { maxTrials } })
    try {
      for (const [i, { nodes, threshold, bad, knowledge }] of cases
        .slice(start, start + SCENARIOS_PER_RELAYER)
        .entries()) {
        const name = `${knowledge}, ${threshold} of ${nodes}, bad ${bad}`
        const random = new Random(seed, `${name} ${start + i}`)
        const setup = { nodes: nodesOf(nodes), threshold, bad, knowledge, random }
        try {
          await new Scenario(setup, world, relayer).run()
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)} (seed ${seed})`)
        }
      }
    } finally {
      trials += crypto.work.trials
      await relayer.close()
    }
  }
  return { failures, passed: cases.length - failures.length, trials }
}
