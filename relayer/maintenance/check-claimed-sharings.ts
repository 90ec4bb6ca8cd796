import { parsePublicKey } from '../../core/bls/points.js'
import { publicSharesInterpolate } from '../../core/bls/threshold.js'
import type { ClaimedSharingsTable } from '../store/schema.js'
import { sharingFromRow } from '../validators/claimed-sharings.js'

/** Whether claimed public shares make the validators' keys. @returns a line for each set that does not */
export function checkClaimedSharings(sharings: readonly ClaimedSharingsTable[]): string[] {
  return sharings.flatMap((row) => {
    const problem = problemOf(row)
    return problem === undefined
      ? []
      : `${row.public_key}, public shares claimed by ${row.caller}: ${problem}`
  })
}

function problemOf(row: ClaimedSharingsTable): string | undefined {
  try {
    const { shares, threshold } = sharingFromRow(row)
    const points = [...shares].map(([index, share]) => ({ index, publicKey: parsePublicKey(share) }))
    const makeKey = publicSharesInterpolate(parsePublicKey(row.public_key), points, threshold)
    return makeKey ? undefined : 'they do not make the validator’s key'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
