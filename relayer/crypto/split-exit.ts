import { bls, type PublicKeyPoint, type SignaturePoint } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { recoverVerified, splitSignature } from '../../core/bls/threshold.js'
import { sealForOracle } from '../../core/oracles/seal.js'
import { subsetsToTry } from '../exits/subsets.js'
import type { ExitToSplit, SealedParts } from './exit-crypto.js'
import { workOf } from './subset-work.js'

/** Subsets looked at for a cheap one: looking must stay cheaper than the inverse that it saves (2 ms). */
const SUBSETS_LOOKED_AT = 40

/** Recovers, verifies, splits and seals. null where the shares make no signature of the key. */
export function splitExit(exit: ExitToSplit): SealedParts | null {
  const publicKey = parsePublicKey(exit.publicKey)
  const shares = cheapestSubset(exit).map((share) => ({
    index: share.index,
    signature: parseSignature(share.signature),
  }))
  const signature = recoverVerified(shares, publicKey, exit.message)
  return signature === undefined ? null : splitAndSeal(signature, publicKey, exit)
}

/** Any `threshold` right shares make the signature: those that cost least. */
function cheapestSubset({ shares, threshold }: ExitToSplit): ExitToSplit['shares'] {
  if (shares.length <= threshold) return shares
  const candidates = shares.map((share) => ({ shareIndex: share.index, tried: false }))
  let best: { readonly positions: readonly number[]; readonly work: number } | undefined
  let looked = 0
  for (const positions of subsetsToTry(candidates, threshold)) {
    const work = workOf(positions.flatMap((position) => shares[position]?.index ?? []))
    if (best === undefined || work < best.work) best = { positions, work }
    if (++looked === SUBSETS_LOOKED_AT) break
  }
  return (best?.positions ?? []).flatMap((position) => shares[position] ?? [])
}

/** Splits a signature that verified and seals each part for its oracle. */
export function splitAndSeal(
  signature: SignaturePoint,
  publicKey: PublicKeyPoint,
  { message, oracles }: Pick<ExitToSplit, 'message' | 'oracles'>,
): SealedParts {
  const parts = splitSignature(signature, publicKey, message, {
    oracles: oracles.publicKeys.length,
    threshold: oracles.threshold,
  })
  return {
    publicKeys: parts.map((part) => bls.encodePublicKey(part.publicKey)),
    sealed: oracles.publicKeys.map((oracle, i) => {
      const part = parts[i]
      if (part === undefined) throw new Error('there is a part for each oracle')
      return sealForOracle(oracle, bls.encodeSignature(part.signature))
    }),
  }
}
