/**
 * Whether a set of oracles may be used without asking a person: one lying endpoint must not make the
 * relayer seal exits for oracles of its own (chain.md, "Protocol config").
 */
import { z } from 'zod'
import { type Hex, toHex } from '../hex.js'
import { hexBytes } from '../wire/fields.js'
import type { ProtocolConfig } from './protocol-config.js'

/** The set that a person accepted last, in the form in which it is kept. */
export const acceptedOracles = z.object({
  setHash: hexBytes(32, 'set hash'),
  publicKeys: z.array(hexBytes(65, 'oracle public key')).min(1),
  threshold: z.int().min(1),
})
export type AcceptedOracles = z.infer<typeof acceptedOracles>

export type Verdict =
  /** A person accepted it: remember it. */
  | { readonly outcome: 'accepted-by-person' }
  /** Near enough to what a person accepted. What is remembered stays. */
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused'; readonly reason: string }

/**
 * Judges a set. A later set passes without a person only if its recover threshold is not lower and fewer of
 * its keys than that threshold are new since the set that a person accepted last.
 * @param accepted what a person accepted last, undefined at the first start
 * @param acceptHash the set hash that the person who started this process accepts
 */
export function judgeOracles(
  next: ProtocolConfig,
  accepted: AcceptedOracles | undefined,
  acceptHash: Hex | undefined,
): Verdict {
  if (acceptHash === next.setHash) return { outcome: 'accepted-by-person' }
  if (accepted === undefined) return { outcome: 'refused', reason: 'no set of oracles was accepted yet' }
  if (next.setHash === accepted.setHash) return { outcome: 'accepted' }
  const threshold = next.exitSignatureRecoverThreshold
  if (threshold < accepted.threshold) {
    return {
      outcome: 'refused',
      reason: `its recover threshold is ${threshold}, that of the accepted set ${accepted.threshold}`,
    }
  }
  const known = new Set(accepted.publicKeys)
  const added = next.oracles.filter((oracle) => !known.has(toHex(oracle.publicKey))).length
  if (added < threshold) return { outcome: 'accepted' }
  return {
    outcome: 'refused',
    reason: `${added} of its ${next.oracles.length} oracles are new, as many as recover an exit`,
  }
}

/** The form in which an accepted set is kept. */
export function rememberOracles(config: ProtocolConfig): AcceptedOracles {
  return {
    setHash: config.setHash,
    publicKeys: config.oracles.map((oracle) => toHex(oracle.publicKey)),
    threshold: config.exitSignatureRecoverThreshold,
  }
}
