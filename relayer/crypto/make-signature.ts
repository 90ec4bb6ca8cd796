import { bls, type PublicKeyPoint, type SignaturePoint } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { recoverVerified, splitSignature } from '../../core/bls/threshold.js'
import { sealForOracle } from '../../core/oracles/seal.js'
import { subsetsToTry } from '../exits/subsets.js'
import type { MadeSignature, OracleKeys, SealedParts, SignatureToMake } from './exit-crypto.js'
import { workOf } from './subset-work.js'

/** Subsets looked at for a cheap one: looking must stay cheaper than the inverse that it saves (2 ms). */
const SUBSETS_LOOKED_AT = 40

/** Recovers and verifies; splits and seals an exit's. null where the shares make no signature of the key. */
export function makeSignature(wanted: SignatureToMake): MadeSignature | null {
  const publicKey = parsePublicKey(wanted.publicKey)
  const shares = cheapestSubset(wanted).map((share) => ({
    index: share.index,
    signature: parseSignature(share.signature),
  }))
  const signature = recoverVerified(shares, publicKey, wanted.message)
  return signature === undefined ? null : finish(signature, publicKey, wanted)
}

/** What is given out of a signature that verified. */
export function finish(
  signature: SignaturePoint,
  publicKey: PublicKeyPoint,
  { message, oracles }: Pick<SignatureToMake, 'message' | 'oracles'>,
): MadeSignature {
  if (oracles === null) return { kind: 'whole', signature: bls.encodeSignature(signature) }
  return { kind: 'split', parts: splitAndSeal(signature, publicKey, { message, oracles }) }
}

/** Any `threshold` right shares make the signature: those that cost least. */
function cheapestSubset({ shares, threshold }: SignatureToMake): SignatureToMake['shares'] {
  if (shares.length <= threshold) return shares
  const candidates = shares.map((share) => ({ shareIndex: share.index, caller: '', tried: false }))
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
  { message, oracles }: { readonly message: Uint8Array; readonly oracles: OracleKeys },
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
