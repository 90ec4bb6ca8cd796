/** Whether the oracles' parts of each exit fit together: as far as it can be told without an oracle's key. */
import type { PublicKeyPoint } from '../../core/bls/backend.js'
import { parsePublicKey } from '../../core/bls/points.js'
import { type PublicShare, publicSharesInterpolate } from '../../core/bls/threshold.js'
import type { Hex } from '../../core/hex.js'
import { parseJson } from '../../core/json.js'
import { SEAL_OVERHEAD } from '../../core/oracles/seal.js'
import { isExit } from '../exits/message.js'
import type { OraclePartsTable } from '../store/schema.js'

/** A signature of 96 bytes, sealed. */
const SEALED_BYTES = 96 + SEAL_OVERHEAD

/** A set of oracles whose config is known. */
export interface KnownOracles {
  readonly setHash: Hex
  readonly count: number
  readonly threshold: number
}

/**
 * Checks that there is one ciphertext of 193 bytes and one public key for each oracle, and that these keys are the
 * shares of the validator's key for the oracles' threshold.
 * @param known of other sets, no longer in use, the threshold is the one that the keys fit
 * @returns a line for each exit and set with a problem
 */
export function checkOracleParts(
  parts: readonly OraclePartsTable[],
  known: KnownOracles | undefined,
): string[] {
  return parts.flatMap((row) => {
    const problem = problemOf(row, row.set_hash === known?.setHash ? known : undefined)
    return problem === undefined
      ? []
      : `${row.public_key} ${row.message}, parts for ${row.set_hash}: ${problem}`
  })
}

function problemOf(row: OraclePartsTable, known: KnownOracles | undefined): string | undefined {
  if (!isExit(row.message)) return 'only exits have parts'
  const [publicKeys, sealed] = [textsOf(row.public_key_shares), textsOf(row.encrypted_signatures)]
  if (publicKeys === undefined || sealed === undefined) return 'they cannot be read'
  const oracles = known?.count ?? publicKeys.length
  if (publicKeys.length !== oracles || sealed.length !== oracles || oracles === 0) {
    return `${publicKeys.length} public keys and ${sealed.length} ciphertexts, there are ${oracles} oracles`
  }
  const odd = sealed.findIndex((text) => !isHexOf(text, SEALED_BYTES))
  if (odd !== -1) return `the ciphertext of oracle ${odd + 1} is not ${SEALED_BYTES} bytes long`
  return keysProblem(row.public_key, publicKeys, known?.threshold)
}

function keysProblem(
  validator: string,
  publicKeys: readonly string[],
  threshold: number | undefined,
): string | undefined {
  const points: PublicShare[] = []
  for (const [i, text] of publicKeys.entries()) {
    const publicKey = pointOf(text)
    if (publicKey === undefined) return `the public key of oracle ${i + 1} is not a valid point`
    points.push({ index: BigInt(i + 1), publicKey })
  }
  const key = pointOf(validator)
  if (key === undefined) return 'the validator’s key is not a valid point'
  const fits = (shares: number) => publicSharesInterpolate(key, points, shares)
  const candidates = threshold === undefined ? points.map((_, i) => i + 1) : [threshold]
  if (!candidates.some(fits)) return 'their public keys are not shares of the validator’s key'
  // Keys that fit a lower threshold fit this one too.
  const isTooLow = threshold !== undefined && threshold > 1 && fits(threshold - 1)
  return isTooLow ? `fewer than ${threshold} oracles could make the signature` : undefined
}

function pointOf(text: string): PublicKeyPoint | undefined {
  try {
    return parsePublicKey(text)
  } catch {
    return undefined
  }
}

/** Texts of a JSON array; undefined where it is none. */
function textsOf(json: string): readonly string[] | undefined {
  try {
    const value = parseJson(json)
    return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

function isHexOf(text: string, length: number): boolean {
  return text.length === 2 + 2 * length && /^0x[0-9a-f]+$/.test(text)
}

/** Names the sets that parts were made for. */
export function setsOf(parts: readonly OraclePartsTable[]): number {
  return new Set(parts.map((row) => row.set_hash)).size
}
