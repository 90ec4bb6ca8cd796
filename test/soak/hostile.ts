/** Hostile nodes of every kind, in clusters of every size, with and without known public shares. */
import { DEFAULT_LIMITS } from '../../relayer/limits.js'
import { subsets } from '../core/bls/subsets.js'
import { type Case, nodesOf, runScenarios } from '../relayer/hostile/run-scenarios.js'
import { type Knowledge, shuffled } from '../relayer/hostile/scenario.js'
import { type Random, seededRandom } from './kills/random.js'
import type { Outcome, SoakPart } from './part.js'
import { sum } from './part.js'

interface Group {
  readonly knowledge: Knowledge
  readonly nodes: number
  readonly threshold: number
  /** Bad nodes; as many as the cluster can have unless given. */
  readonly bad?: number
  /** Subsets of bad nodes, taken at random; all unless given. */
  readonly most?: number
  /** The same of the short form. */
  readonly mostOfShort?: number
}

const GROUPS: readonly Group[] = [
  { knowledge: 'given', nodes: 4, threshold: 3 },
  { knowledge: 'given', nodes: 7, threshold: 5 },
  { knowledge: 'given', nodes: 10, threshold: 7, most: 200, mostOfShort: 40 },
  { knowledge: 'given', nodes: 13, threshold: 9, most: 200, mostOfShort: 30 },
  { knowledge: 'given', nodes: 16, threshold: 10, most: 200, mostOfShort: 30 },
  { knowledge: 'given', nodes: 16, threshold: 11, most: 200, mostOfShort: 30 },
  { knowledge: 'none', nodes: 4, threshold: 3 },
  { knowledge: 'none', nodes: 7, threshold: 5 },
  { knowledge: 'none', nodes: 10, threshold: 7, mostOfShort: 20 },
  { knowledge: 'none', nodes: 13, threshold: 9, bad: 2, mostOfShort: 12 },
  { knowledge: 'none', nodes: 16, threshold: 10, bad: 2, mostOfShort: 10 },
  { knowledge: 'none', nodes: 16, threshold: 11, bad: 2, mostOfShort: 10 },
  { knowledge: 'claimed', nodes: 4, threshold: 3 },
  { knowledge: 'claimed', nodes: 7, threshold: 5, mostOfShort: 10 },
  { knowledge: 'claimed', nodes: 10, threshold: 7, most: 40, mostOfShort: 4 },
  { knowledge: 'claims alone', nodes: 4, threshold: 3 },
  { knowledge: 'claims alone', nodes: 7, threshold: 5, mostOfShort: 10 },
  { knowledge: 'claims alone', nodes: 10, threshold: 7, most: 40, mostOfShort: 4 },
]

/** What a caller may cause: what the relayer allows by default, and in the short form just enough for every honest node. */
const TRIALS = DEFAULT_LIMITS.maxTrials
const TRIALS_OF_SHORT = 150

export const hostile: SoakPart = {
  name: 'hostile nodes',
  async run(short) {
    const random = seededRandom('hostile nodes')
    const outcomes: Outcome[] = []
    for (const group of GROUPS) outcomes.push(await runGroup(group, random, short))
    return sum(outcomes)
  },
}

async function runGroup(group: Group, random: Random, short: boolean): Promise<Outcome> {
  const { knowledge, nodes, threshold, bad = nodes - threshold, most, mostOfShort } = group
  const all = shuffled(random, subsets(nodesOf(nodes), bad))
  const cases = all
    .slice(0, short ? mostOfShort : most)
    .map((own): Case => ({ nodes, threshold, bad: own, knowledge }))
  const started = performance.now()
  const { passed, failures, trials } = await runScenarios(
    cases,
    random.seed,
    short ? TRIALS_OF_SHORT : TRIALS,
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  const name = `${threshold} of ${nodes}, ${bad} bad, public shares ${knowledge}`
  process.stdout.write(`  ${name}: ${passed} of ${cases.length}, ${trials} trials, ${seconds} s\n`)
  for (const failure of failures) process.stdout.write(`  failed: ${failure}\n`)
  return { passed, failed: failures.length }
}
