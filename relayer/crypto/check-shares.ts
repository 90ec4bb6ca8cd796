import type { PublicKeyPoint, SignaturePoint } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { verifyEach } from '../../core/bls/verify.js'
import type { ShareToCheck, ShareVerdict } from './exit-crypto.js'

/** Which of the keys are points of the subgroup, and not infinity. */
export function checkPublicKeys(publicKeys: readonly Uint8Array[]): boolean[] {
  return publicKeys.map((bytes) => pointOf(parsePublicKey, bytes) !== undefined)
}

/** Checks shares: all against their first alternative at once, those that fail against their next. */
export function checkShares(shares: readonly ShareToCheck[]): ShareVerdict[] {
  const points = shares.map((share) => pointOf(parseSignature, share.signature))
  const verdicts = points.map(
    (point): ShareVerdict => ({ verdict: point === undefined ? 'not-a-point' : 'unproven' }),
  )
  const publicShares = new Map<string, PublicKeyPoint | undefined>()
  for (let alternative = 0; ; alternative++) {
    const sets = shares.flatMap((share, position) => {
      const wanted = share.alternatives[alternative]
      const signature = points[position]
      if (wanted === undefined || signature === undefined || verdicts[position]?.verdict !== 'unproven')
        return []
      const publicKey = cachedPoint(publicShares, wanted.publicShare)
      return publicKey === undefined ? [] : { position, message: wanted.message, publicKey, signature }
    })
    for (const [i, right] of verifyEach(sets).entries()) {
      const position = sets[i]?.position
      if (right && position !== undefined) verdicts[position] = { verdict: 'right', alternative }
    }
    if (!shares.some((share) => share.alternatives.length > alternative + 1)) return verdicts
  }
}

function cachedPoint(
  known: Map<string, PublicKeyPoint | undefined>,
  bytes: Uint8Array,
): PublicKeyPoint | undefined {
  const name = Buffer.from(bytes).toString('hex')
  if (!known.has(name)) known.set(name, pointOf(parsePublicKey, bytes))
  return known.get(name)
}

function pointOf<P extends PublicKeyPoint | SignaturePoint>(
  parse: (bytes: Uint8Array) => P,
  bytes: Uint8Array,
): P | undefined {
  try {
    return parse(bytes)
  } catch {
    return undefined
  }
}
