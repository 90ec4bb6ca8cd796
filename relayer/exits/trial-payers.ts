/**
 * Whose budget pays for trials. A node has one share of a message: of the callers whose shares are in a subset
 * the one that sent the most pays, so that nobody makes the others pay for what it sends without end.
 */
import { groupBy, type ShareRecord } from './records.js'

/** How many shares of a message each caller sent. */
export function countSent(shares: readonly ShareRecord[]): ReadonlyMap<string, number> {
  const sent = new Map<string, number>()
  for (const { caller } of shares) sent.set(caller, (sent.get(caller) ?? 0) + 1)
  return sent
}

/** Who pays for a subset: of those that sent the most shares of the message the one whose share came last. */
export function payerOf(subset: readonly ShareRecord[], sent: ReadonlyMap<string, number>): string {
  const weight = (share: ShareRecord) => sent.get(share.caller) ?? 0
  const [first] = subset.toSorted((a, b) => weight(b) - weight(a) || b.order - a.order)
  return first?.caller ?? ''
}

/**
 * The callers whose shares can be in no subset that anybody can pay for: those that sent the most, while none of them
 * has a budget.
 */
export function unpayable(
  sent: ReadonlyMap<string, number>,
  hasBudget: (caller: string) => boolean,
): ReadonlySet<string> {
  const byWeight = groupBy(sent, ([, count]) => count)
  const left = new Set<string>()
  for (const weight of [...byWeight.keys()].sort((a, b) => b - a)) {
    const callers = (byWeight.get(weight) ?? []).map(([caller]) => caller)
    if (callers.some(hasBudget)) return left
    for (const caller of callers) left.add(caller)
  }
  return left
}
