/**
 * Which subsets of unproven shares to try, and in which order.
 *
 * Subsets whose shares were all tried before failed then, so only those with a new share are left, the newest
 * first. A node's right share is unique: a caller that sent another share for an index of the subset contradicts
 * it. Subsets that none of their own callers contradicts come first, then those with one contradicted member,
 * and so on. So it does not matter how many wrong shares a liar posts at the indexes of honest nodes.
 */
import { groupBy } from './records.js'

/** One unproven share: its index, who sent it, and whether all subsets of it and other tried ones failed. */
export interface Candidate {
  readonly shareIndex: bigint
  readonly caller: string
  readonly tried: boolean
}

export interface Subset {
  /** As positions in the list of candidates. */
  readonly members: readonly number[]
  /** How many members are contradicted by a caller of some member. */
  readonly contradicted: number
}

/** Steps of the search between two pauses: well below a millisecond. */
const STEPS_TO_PAUSE = 500

/** The candidates at one index, as positions in the list. */
type Group = readonly number[]

/** What the search needs of one candidate. Callers are bits of a mask. */
interface Member {
  readonly caller: bigint
  /** The callers that sent another share for its index. */
  readonly rivals: bigint
  /** Whether its own caller did. */
  readonly isContradictory: boolean
}

interface Search {
  readonly members: readonly Member[]
  readonly threshold: number
  /** How many members may be contradicted, and have to be. */
  readonly contradicted: number
  steps: number
  /** Whether something was left out because too many members are contradicted. */
  cut: boolean
}

/**
 * Every subset of `threshold` candidates at distinct indexes with at least one that was not tried, each once.
 * The search may take long without finding any: it yields undefined now and then, so that others get their turn.
 * @param candidates the oldest first
 */
export function* searchSubsets(
  candidates: readonly Candidate[],
  threshold: number,
): Generator<Subset | undefined> {
  const groups = groupByIndex(candidates)
  const members = describe(candidates, groups)
  const untried = candidates.flatMap((candidate, position) => (candidate.tried ? [] : [position])).reverse()
  for (let contradicted = 0; contradicted <= threshold; contradicted++) {
    const search: Search = { members, threshold, contradicted, steps: 0, cut: false }
    for (const [i, first] of untried.entries()) {
      const done = new Set(untried.slice(0, i))
      const others = groups
        .filter((group) => !group.includes(first))
        .map((group) => group.filter((position) => !done.has(position)))
        .filter((group) => group.length > 0)
      yield* startingWith(first, others, search)
    }
    if (!search.cut) return
  }
}

/** The same without the pauses. */
export function* subsetsToTry(
  candidates: readonly Candidate[],
  threshold: number,
): Generator<readonly number[]> {
  for (const subset of searchSubsets(candidates, threshold)) if (subset !== undefined) yield subset.members
}

/** A set of candidates, while it grows. */
interface Chosen {
  readonly positions: readonly number[]
  readonly callers: bigint
  readonly contradicted: number
}

const NONE: Chosen = { positions: [], callers: 0n, contradicted: 0 }

function* startingWith(first: number, groups: readonly Group[], search: Search) {
  const chosen = withMember(NONE, first, search)
  const { members } = search
  const isPlain = (group: Group) => group.some((position) => members[position]?.isContradictory === false)
  const plain = groups.filter(isPlain)
  const ordered = [...plain, ...groups.filter((group) => !isPlain(group))]
  if (chosen !== undefined) yield* extended(chosen, ordered, plain.length, 0, search)
}

/**
 * The chosen ones with members of the groups from a position on.
 * @param plain how many groups have a member that its own caller does not contradict; they come first
 */
function* extended(
  chosen: Chosen,
  groups: readonly Group[],
  plain: number,
  from: number,
  search: Search,
): Generator<Subset | undefined> {
  const { threshold } = search
  const wanted = threshold - chosen.positions.length
  const spare = search.contradicted - chosen.contradicted
  if (wanted === 0) {
    if (spare === 0) yield { members: chosen.positions, contradicted: chosen.contradicted }
    return
  }
  for (let position = from; position < groups.length; position++) {
    const plainLeft = Math.max(0, plain - position)
    const othersLeft = groups.length - Math.max(plain, position)
    if (plainLeft + Math.min(spare, othersLeft) < wanted) {
      if (plainLeft + othersLeft >= wanted) search.cut = true
      return
    }
    for (const member of groups[position] ?? []) {
      search.steps++
      if (search.steps % STEPS_TO_PAUSE === 0) yield undefined
      const more = withMember(chosen, member, search)
      if (more !== undefined) yield* extended(more, groups, plain, position + 1, search)
    }
  }
}

/** Undefined where too many members would be contradicted. */
function withMember(chosen: Chosen, member: number, search: Search): Chosen | undefined {
  const positions = [...chosen.positions, member]
  const callers = chosen.callers | (search.members[member]?.caller ?? 0n)
  const contradicted = countContradicted(positions, callers, search.members)
  if (contradicted <= search.contradicted) return { positions, callers, contradicted }
  search.cut = true
  return undefined
}

function countContradicted(chosen: readonly number[], callers: bigint, members: readonly Member[]): number {
  let count = 0
  for (const position of chosen) if (((members[position]?.rivals ?? 0n) & callers) !== 0n) count++
  return count
}

function describe(candidates: readonly Candidate[], groups: readonly Group[]): Member[] {
  const bits = new Map<string, bigint>()
  const callers = candidates.map(({ caller }) => {
    const bit = bits.get(caller) ?? 1n << BigInt(bits.size)
    bits.set(caller, bit)
    return bit
  })
  const members: Member[] = []
  for (const group of groups) {
    for (const position of group) {
      const rivals = group
        .filter((other) => other !== position)
        .reduce((mask, other) => mask | (callers[other] ?? 0n), 0n)
      const caller = callers[position] ?? 0n
      members[position] = { caller, rivals, isContradictory: (rivals & caller) !== 0n }
    }
  }
  return members
}

/** Indexes with the fewest shares first. */
function groupByIndex(candidates: readonly Candidate[]): Group[] {
  const positions = groupBy(candidates.keys(), (position) => candidates[position]?.shareIndex ?? 0n)
  return [...positions.values()].sort((a, b) => a.length - b.length)
}
