import { expect } from 'chai'
import { concatHex, encodeAbiParameters, keccak256 } from 'viem'
import type { DepositDataEntry } from '../../../core/deposits/deposit-data.js'
import type { Hex } from '../../../core/hex.js'
import { withdrawalCredentials } from '../../../core/messages/deposit.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { contractIndexes, DepositDataTree } from '../../../operator/deposit-data/merkle.js'

const VAULT: Hex = '0xba447498DC4c169f2b4f427B2c4D532320457E89'

/** Entries without sense: the tree does not look at signatures. */
function entries(count: number): DepositDataEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    publicKey: `0x${i.toString(16).padStart(96, '0')}`,
    signature: `0x${(i + 1).toString(16).padStart(192, 'a')}`,
    amount: 32_000_000_000n,
  }))
}

const pair = (a: Hex, b: Hex) => keccak256(concatHex(a < b ? [a, b] : [b, a]))

/** The leaf of the deposit data tree, from the contract's own encoding. */
function leafOf(entry: DepositDataEntry, position: number): Hex {
  const bytes = validatorBytes('0x01', {
    ...entry,
    withdrawalCredentials: withdrawalCredentials('0x01', VAULT),
  })
  const types = [{ type: 'bytes' }, { type: 'uint256' }] as const
  return keccak256(keccak256(encodeAbiParameters(types, [bytes, BigInt(position)])))
}

/** The root of a complete binary tree whose leaves stand in ascending order from its end. */
function rootOf(list: readonly DepositDataEntry[]): Hex {
  const nodes = list.map(leafOf).toSorted().reverse()
  // The last two of the array are siblings; their parent stands before all of its level.
  while (nodes.length > 1) {
    const [right, left] = [nodes.pop(), nodes.pop()]
    if (left !== undefined && right !== undefined) nodes.unshift(pair(left, right))
  }
  return nodes[0] ?? '0x'
}

/** As a contract goes up from one leaf. */
const climb = (leaf: Hex, proof: readonly Hex[]) => proof.reduce(pair, leaf)

/** As a contract goes up from several: a flag takes two of the queue, or one of it and one of the proof. */
function climbTogether(leaves: readonly Hex[], proof: readonly Hex[], flags: readonly boolean[]): Hex {
  expect(leaves.length + proof.length).to.equal(flags.length + 1)
  const queue = [...leaves]
  const rest = [...proof]
  for (const flag of flags) {
    const [first, second] = [queue.shift(), flag ? queue.shift() : rest.shift()]
    if (first === undefined || second === undefined) throw new Error('the proof is too short')
    queue.push(pair(first, second))
  }
  expect(rest).to.have.length(0)
  return queue.at(-1) ?? rest[0] ?? '0x'
}

describe('the tree over a deposit data file', () => {
  for (const count of [1, 2, 3, 5, 8, 100]) {
    it(`of ${count} has the root that the contract's hashing gives`, () => {
      const list = entries(count)
      expect(new DepositDataTree(list, VAULT).root).to.equal(rootOf(list))
    })
  }

  it('has another root for another vault, order, amount or set', () => {
    const list = entries(5)
    const own = new DepositDataTree(list, VAULT).root
    const last = list.at(-1)
    if (last === undefined) throw new Error('no entry')
    const changed = [...list.slice(0, -1), { ...last, amount: last.amount + 1n }]
    const others = [
      new DepositDataTree(list, `0x${'12'.repeat(20)}`).root,
      new DepositDataTree(list.toReversed(), VAULT).root,
      new DepositDataTree(changed, VAULT).root,
      new DepositDataTree(list.slice(0, -1), VAULT).root,
    ]
    expect(new Set([own, ...others]).size).to.equal(5)
  })

  for (const count of [1, 2, 7, 30]) {
    it(`of ${count} proves each of them alone`, () => {
      const list = entries(count)
      const tree = new DepositDataTree(list, VAULT)
      for (const [position, entry] of list.entries()) {
        const { single, proof, proofFlags, leafPositions, indexes } = tree.prove([position])
        expect(climb(leafOf(entry, position), single)).to.equal(tree.root)
        // The oracles want the multiproof for one validator too.
        expect(climbTogether([leafOf(entry, position)], proof, proofFlags)).to.equal(tree.root)
        expect(leafPositions).to.deep.equal([position])
        expect(indexes).to.deep.equal([0])
      }
    })
  }

  for (const [count, start, length] of [
    [2, 0, 2],
    [7, 2, 3],
    [30, 5, 22],
    [30, 29, 1],
    [30, 0, 30],
  ] as const) {
    it(`of ${count} proves ${length} of them from ${start} on as contract and oracles check it`, () => {
      const list = entries(count)
      const tree = new DepositDataTree(list, VAULT)
      const positions = Array.from({ length }, (_, i) => start + i)
      const { proof, proofFlags, leafPositions, indexes } = tree.prove(positions)
      const leaf = (position: number) => leafOf(list[position] as DepositDataEntry, position)
      // The oracles: the k-th leaf is that of entry proof_indexes[k].
      expect(climbTogether(leafPositions.map(leaf), proof, proofFlags)).to.equal(tree.root)
      // The contract: the i-th validator's leaf goes to indexes[i].
      const placed: Hex[] = []
      for (const [i, position] of positions.entries()) placed[indexes[i] ?? -1] = leaf(position)
      expect(climbTogether(placed, proof, proofFlags)).to.equal(tree.root)
    })
  }

  it('gives no single proof for several', () => {
    expect(new DepositDataTree(entries(8), VAULT).prove([1, 2]).single).to.deep.equal([])
  })
})

describe('the contract’s indexes', () => {
  for (const [leafPositions, indexes] of [
    [
      [4, 2, 3],
      [1, 2, 0],
    ],
    [[7], [0]],
    [
      [10, 9, 11],
      [1, 0, 2],
    ],
    // As numbers: as text, 10 would come before 9.
    [
      [9, 10, 100, 11],
      [0, 1, 3, 2],
    ],
  ] as const) {
    it(`of leaves [${leafPositions}] are [${indexes}]`, () => {
      expect(contractIndexes(leafPositions)).to.deep.equal(indexes)
    })
  }
})
