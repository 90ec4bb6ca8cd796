import type { PublicKeyPoint } from '../../core/bls/backend.js'
import { parsePublicKey } from '../../core/bls/points.js'
import { publicSharesInterpolate } from '../../core/bls/threshold.js'
import { DvtExitError } from '../../core/errors.js'
import type { SharingToCheck } from './exit-crypto.js'

/** The threshold of each sharing, null where its public shares do not make the key. */
export function checkSharings(sharings: readonly SharingToCheck[]): (number | null)[] {
  return sharings.map(thresholdOf)
}

function thresholdOf({ publicKey, shares, thresholds }: SharingToCheck): number | null {
  try {
    const key = parsePublicKey(publicKey)
    const points = shares.map(({ index, publicShare }) => ({
      index,
      publicKey: parsePublicKey(publicShare),
    }))
    return thresholds.find((threshold) => interpolate(key, points, threshold)) ?? null
  } catch (error) {
    if (error instanceof DvtExitError) return null
    throw error
  }
}

function interpolate(
  key: PublicKeyPoint,
  points: readonly { readonly index: bigint; readonly publicKey: PublicKeyPoint }[],
  threshold: number,
): boolean {
  return threshold <= points.length && publicSharesInterpolate(key, points, threshold)
}
