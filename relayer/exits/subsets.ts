/**
 * Which subsets of unproven shares to try, and in which order.
 *
 * Subsets whose shares were all tried before failed then, so only those with a new share are left. A node's
 * right share is unique: where an index has several shares somebody lies, so subsets of indexes with a
 * single share come first, then those with one member from a contested index, and so on.
 */
import { groupBy } from './records.js'

/** One unproven share: its index, and whether all subsets of it and other tried ones failed. */
export interface Candidate {
  readonly shareIndex: bigint
  readonly tried: boolean
}

/** The candidates at one index, as positions in the list. */
interface Group {
  readonly shareIndex: bigint
  readonly members: readonly number[]
  readonly contested: boolean
}

/**
 * Every subset of `threshold` candidates at distinct indexes with at least one that was not tried, each once,
 * as positions in the list.
 */
export function* subsetsToTry(candidates: readonly Candidate[], threshold: number): Generator<number[]> {
  const groups = groupByIndex(candidates)
  const untried = candidates.flatMap((candidate, position) => (candidate.tried ? [] : [position]))
  for (let contested = 0; contested <= threshold; contested++) {
    for (const [i, first] of untried.entries()) {
      const done = new Set(untried.slice(0, i))
      yield* subsetsWith(first, groups, done, threshold, contested)
    }
  }
}

function* subsetsWith(
  first: number,
  groups: readonly Group[],
  excluded: ReadonlySet<number>,
  threshold: number,
  contested: number,
): Generator<number[]> {
  const own = groups.find((group) => group.members.includes(first))
  if (own === undefined) return
  const others = groups.flatMap((group) => {
    const members = group.members.filter((member) => !excluded.has(member))
    return group === own || members.length === 0 ? [] : [{ ...group, members }]
  })
  // Contested groups first, so that choose() knows by position how many of either kind are left.
  const ordered = [
    ...others.filter((group) => group.contested),
    ...others.filter((group) => !group.contested),
  ]
  const contestedGroups = others.filter((group) => group.contested).length
  const wanted = contested - Number(own.contested)
  if (wanted < 0) return
  for (const rest of choose(ordered, contestedGroups, 0, threshold - 1, wanted)) yield [first, ...rest]
}

/** Choices of `count` groups from a position on, `contested` of them contested, and a member of each. */
function* choose(
  groups: readonly Group[],
  contestedGroups: number,
  from: number,
  count: number,
  contested: number,
): Generator<number[]> {
  const contestedLeft = Math.max(0, contestedGroups - from)
  const plainLeft = groups.length - Math.max(from, contestedGroups)
  if (contested > Math.min(count, contestedLeft) || count - contested > plainLeft) return
  if (count === 0) {
    yield []
    return
  }
  for (
    let position = contested === 0 ? Math.max(from, contestedGroups) : from;
    position < groups.length;
    position++
  ) {
    const group = groups[position]
    if (group === undefined) return
    const rests = choose(
      groups,
      contestedGroups,
      position + 1,
      count - 1,
      contested - Number(group.contested),
    )
    for (const rest of rests) {
      for (const member of group.members) yield [member, ...rest]
    }
  }
}

function groupByIndex(candidates: readonly Candidate[]): Group[] {
  const positions = groupBy(candidates.keys(), (position) => candidates[position]?.shareIndex ?? 0n)
  return [...positions].map(([shareIndex, members]) => ({
    shareIndex,
    members,
    contested: members.length > 1,
  }))
}
