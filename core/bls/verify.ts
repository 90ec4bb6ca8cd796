/** Verification of many signatures at once, falling back to single checks only to name the bad ones. */
import { bls, type SignatureSet } from './backend.js'

/** Whether one signature verifies. */
export function verifySignature(set: SignatureSet): boolean {
  return bls.verify(set)
}

/**
 * Which of the sets verify, in their order. One randomised check answers for all when all are right.
 */
export function verifyEach(sets: readonly SignatureSet[]): boolean[] {
  if (sets.length === 0) return []
  if (sets.length > 1 && bls.verifyAll(sets)) return sets.map(() => true)
  return sets.map((set) => bls.verify(set))
}
