/** Which approvals go to the Keeper: those of one group that say the same, in the order that it wants. */
import { concatHex } from 'viem'
import type { Hex } from '../../core/hex.js'

/** An oracle's approval whose signature was checked. */
export interface Approval {
  /** The oracle's address, with checksum. */
  readonly oracle: Hex
  readonly ipfsHash: string
  /** Seconds since 1970. */
  readonly deadline: bigint
  /** 65 bytes, v 27 or 28. */
  readonly signature: Hex
}

/** Approvals of the same content and deadline, one an oracle, in ascending order of the oracles' addresses. */
export interface ApprovalGroup {
  readonly ipfsHash: string
  readonly deadline: bigint
  readonly approvals: readonly Approval[]
}

/** What the vault's registration takes from the oracles. */
export interface ApprovedRegistration {
  readonly ipfsHash: string
  /** Seconds since 1970. */
  readonly deadline: bigint
  /** 65 bytes each, in ascending order of the signers' addresses. */
  readonly signatures: Hex
  /** The signers, in the same order. */
  readonly oracles: readonly Hex[]
}

/**
 * Approvals by (ipfsHash, deadline), the largest group first; of equally large ones that with the latest
 * deadline. Of several approvals of one oracle in a group the first counts.
 */
export function groupApprovals(approvals: Iterable<Approval>): ApprovalGroup[] {
  const byOracle = new Map<string, Map<string, Approval>>()
  for (const approval of approvals) {
    const key = `${approval.deadline} ${approval.ipfsHash}`
    const group = byOracle.get(key) ?? new Map<string, Approval>()
    const oracle = approval.oracle.toLowerCase()
    if (!group.has(oracle)) group.set(oracle, approval)
    byOracle.set(key, group)
  }
  return [...byOracle.values()].flatMap(groupOf).sort(inOrderOfChoice)
}

/**
 * The first `wanted` approvals of a group, or undefined where it has fewer.
 * @param wanted the Keeper's validatorsMinOracles, at least 1
 */
export function chooseApprovals(
  group: ApprovalGroup | undefined,
  wanted: number,
): ApprovedRegistration | undefined {
  if (group === undefined || group.approvals.length < wanted) return undefined
  const chosen = group.approvals.slice(0, wanted)
  return {
    ipfsHash: group.ipfsHash,
    deadline: group.deadline,
    signatures: concatHex(chosen.map((approval) => approval.signature)),
    oracles: chosen.map((approval) => approval.oracle),
  }
}

function groupOf(byOracle: ReadonlyMap<string, Approval>): ApprovalGroup[] {
  const approvals = [...byOracle.values()].sort(byAddress)
  return approvals.slice(0, 1).map(({ ipfsHash, deadline }) => ({ ipfsHash, deadline, approvals }))
}

/** The Keeper compares addresses as numbers, so their case must not count. */
function byAddress(a: Approval, b: Approval): number {
  return compare(a.oracle.toLowerCase(), b.oracle.toLowerCase())
}

function inOrderOfChoice(a: ApprovalGroup, b: ApprovalGroup): number {
  return (
    b.approvals.length - a.approvals.length ||
    compare(b.deadline, a.deadline) ||
    compare(a.ipfsHash, b.ipfsHash)
  )
}

function compare<T extends string | bigint>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
