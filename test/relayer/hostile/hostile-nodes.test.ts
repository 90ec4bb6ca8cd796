import { randomInt } from 'node:crypto'
import { expect } from 'chai'
import { subsets } from '../../core/bls/subsets.js'
import { Random } from '../../soak/kills/random.js'
import { type Case, nodesOf, runScenarios } from './run-scenarios.js'
import type { Knowledge } from './scenario.js'
import { shuffled } from './scenario.js'

const seed = Number(process.env['SOAK_SEED'] ?? randomInt(2 ** 32))
const random = new Random(seed, 'which nodes are bad')

/** A small part of what the relayer allows: enough for every honest node. */
const TRIALS = 150

/** Subsets of as many bad nodes as a cluster can have: all, or some at random. */
function casesOf(nodes: number, threshold: number, knowledge: Knowledge, most = Infinity): Case[] {
  const all = subsets(nodesOf(nodes), nodes - threshold)
  return shuffled(random, all)
    .slice(0, most)
    .map((bad) => ({ nodes, threshold, bad, knowledge }))
}

describe(`hostile nodes (SOAK_SEED=${seed})`, () => {
  const plan: [string, Case[]][] = [
    ['4 nodes with known public shares, any one bad', casesOf(4, 3, 'given')],
    ['7 nodes with known public shares, any two bad', casesOf(7, 5, 'given')],
    ['10 nodes with known public shares, some three bad', casesOf(10, 7, 'given', 3)],
    ['16 nodes with known public shares, some six bad', casesOf(16, 10, 'given', 1)],
    ['4 nodes without public shares, any one bad', casesOf(4, 3, 'none')],
    ['7 nodes without public shares, some two bad', casesOf(7, 5, 'none', 6)],
    ['10 nodes without public shares, some three bad', casesOf(10, 7, 'none', 1)],
    ['4 nodes that claim public shares, any one bad', casesOf(4, 3, 'claimed')],
    ['7 nodes whose claims are all that is known, some two bad', casesOf(7, 5, 'claims alone', 3)],
  ]
  for (const [name, cases] of plan) {
    it(`stop nobody: ${name}`, async () => {
      const { failures } = await runScenarios(cases, seed, TRIALS)
      expect(failures).to.deep.equal([])
    })
  }
})
