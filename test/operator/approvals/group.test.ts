import { expect } from 'chai'
import fc from 'fast-check'
import { getAddress, size, slice } from 'viem'
import type { Hex } from '../../../core/hex.js'
import { type Approval, chooseApprovals, groupApprovals } from '../../../operator/approvals/group.js'

/** Signatures that name their oracle and content, so that a test sees which were taken. */
function approval(oracle: number, ipfsHash: string, deadline: number): Approval {
  const digits = oracle.toString(16).padStart(2, '0')
  return {
    // Letters of either case at the front, where the order is decided.
    oracle: getAddress(`0x${digits}${'ab'.repeat(19)}`),
    ipfsHash,
    deadline: BigInt(deadline),
    signature: `0x${digits}${Buffer.from(ipfsHash).toString('hex').padEnd(8, '0')}${'cd'.repeat(60)}`,
  }
}

const anyApproval = fc
  .tuple(fc.nat(15), fc.constantFrom('A', 'B', 'C'), fc.constantFrom(100, 200))
  .map(([oracle, ipfsHash, deadline]) => approval(oracle * 16 + oracle, ipfsHash, deadline))

describe('grouping approvals', () => {
  it('sends the chosen signatures in ascending order of the addresses as numbers', () => {
    // As text with checksum, …0xAA… would come before …0xa0… and 0xb1….
    const given = [0xb1, 0x09, 0xff, 0xa0, 0xaa].map((oracle) => approval(oracle, 'A', 100))
    const chosen = chooseApprovals(groupApprovals(given)[0], 5)
    expect(chosen?.signatures).to.equal(
      `0x${['09', 'a0', 'aa', 'b1', 'ff'].map((digits) => `${digits}41000000${'cd'.repeat(60)}`).join('')}`,
    )
    expect(chosen?.oracles.map((oracle) => oracle.slice(0, 4).toLowerCase())).to.deep.equal([
      '0x09',
      '0xa0',
      '0xaa',
      '0xb1',
      '0xff',
    ])
  })

  it('takes no more signatures than are wanted, and none where there are too few', () => {
    const [group] = groupApprovals([3, 1, 2].map((oracle) => approval(oracle, 'A', 100)))
    expect(chooseApprovals(group, 2)?.oracles).to.deep.equal([1, 2].map((n) => approval(n, 'A', 100).oracle))
    expect(chooseApprovals(group, 3)?.oracles).to.have.length(3)
    expect(chooseApprovals(group, 4)).to.equal(undefined)
    expect(chooseApprovals(undefined, 1)).to.equal(undefined)
  })

  it('counts an oracle once', () => {
    const twice = { ...approval(1, 'A', 100), oracle: approval(1, 'A', 100).oracle.toLowerCase() as Hex }
    const [group] = groupApprovals([approval(1, 'A', 100), twice, approval(1, 'A', 100)])
    expect(group?.approvals).to.have.length(1)
    expect(chooseApprovals(group, 2)).to.equal(undefined)
  })

  it('prefers the largest group, and of equally large ones the latest deadline', () => {
    const small = [approval(9, 'C', 300)]
    const groups = groupApprovals([
      ...small,
      ...[1, 2].map((oracle) => approval(oracle, 'A', 100)),
      ...[3, 4].map((oracle) => approval(oracle, 'A', 200)),
    ])
    expect(groups.map(({ ipfsHash, deadline }) => `${ipfsHash} ${deadline}`)).to.deep.equal([
      'A 200',
      'A 100',
      'C 300',
    ])
  })

  it('loses and invents nothing, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(anyApproval, { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (given, wanted) => {
          const groups = groupApprovals(given)
          const identities = (approvals: readonly Approval[]) =>
            new Set(approvals.map(({ oracle, ipfsHash, deadline }) => `${oracle} ${ipfsHash} ${deadline}`))
          const grouped = groups.flatMap(({ approvals }) => approvals)
          expect(identities(grouped)).to.deep.equal(identities(given))
          expect(grouped).to.have.length(identities(given).size)

          for (const group of groups) {
            for (const { ipfsHash, deadline } of group.approvals) {
              expect([ipfsHash, deadline]).to.deep.equal([group.ipfsHash, group.deadline])
            }
            const numbers = group.approvals.map(({ oracle }) => BigInt(oracle))
            for (const [i, number] of numbers.entries())
              expect(number > (numbers[i - 1] ?? -1n)).to.equal(true)
          }
          for (const [i, group] of groups.entries()) {
            expect(group.approvals.length).to.be.at.most(groups[i - 1]?.approvals.length ?? given.length)
          }

          const chosen = chooseApprovals(groups[0], wanted)
          expect(chosen !== undefined).to.equal((groups[0]?.approvals.length ?? 0) >= wanted)
          if (chosen === undefined) return
          expect(size(chosen.signatures)).to.equal(65 * wanted)
          for (const [i, oracle] of chosen.oracles.entries()) {
            expect(slice(chosen.signatures, 65 * i, 65 * i + 1)).to.equal(oracle.slice(0, 4).toLowerCase())
          }
          const reversed = chooseApprovals(groupApprovals(given.toReversed())[0], wanted)
          expect(reversed).to.deep.equal(chosen)
        },
      ),
    )
  })
})
