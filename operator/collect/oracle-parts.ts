import { parsePublicKey } from '../../core/bls/points.js'
import { publicSharesInterpolate } from '../../core/bls/threshold.js'
import type { OracleParts } from '../../core/clients/relayer.js'
import { DvtExitError, describeError } from '../../core/errors.js'
import { fromHex, type PublicKeyHex, shorten } from '../../core/hex.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'

/** What the protocol config says of the oracles. */
export interface OracleSet {
  readonly count: number
  /** How many parts recover an exit signature. */
  readonly threshold: number
}

export function oracleSetOf(config: ProtocolConfig): OracleSet {
  return { count: config.oracles.length, threshold: config.exitSignatureRecoverThreshold }
}

/** Uncompressed ephemeral key 65, nonce 16, tag 16, and the 96 bytes of the part (ECIES as eciespy 0.4). */
const SEALED_LENGTH = 65 + 16 + 16 + 96

/**
 * Checks what a relayer answers for one validator: one part for each oracle, each of a sealed signature's
 * length, and public key shares that lie on one polynomial through the validator's key. What is inside a
 * part only its oracle can see.
 * @throws DvtExitError INVALID_ORACLE_PARTS
 */
export function checkOracleParts(publicKey: PublicKeyHex, parts: OracleParts, oracles: OracleSet): void {
  const what = `the oracles' parts of ${shorten(publicKey)}`
  const { publicKeys, encryptedExitSignatures } = parts
  if (publicKeys.length !== oracles.count || encryptedExitSignatures.length !== oracles.count) {
    throw invalid(
      `${what}: ${publicKeys.length} public key shares and ${encryptedExitSignatures.length} parts for ${oracles.count} oracles`,
    )
  }
  const wrong = encryptedExitSignatures.findIndex((part) => fromHex(part).length !== SEALED_LENGTH)
  if (wrong >= 0) throw invalid(`${what}: that of oracle ${wrong} does not have ${SEALED_LENGTH} bytes`)
  if (!interpolate(publicKey, publicKeys, oracles.threshold, what)) {
    throw invalid(
      `${what}: their public key shares do not give the validator's key with a threshold of ${oracles.threshold}`,
    )
  }
}

function interpolate(
  publicKey: PublicKeyHex,
  shares: readonly PublicKeyHex[],
  threshold: number,
  what: string,
): boolean {
  try {
    return publicSharesInterpolate(
      parsePublicKey(publicKey),
      shares.map((share, i) => ({ index: BigInt(i + 1), publicKey: parsePublicKey(share) })),
      threshold,
    )
  } catch (cause) {
    throw invalid(`${what}: ${describeError(cause)}`)
  }
}

function invalid(message: string): DvtExitError {
  return new DvtExitError('INVALID_ORACLE_PARTS', message, {
    hint: 'The relayer and this command must know the same oracles: compare their protocol configs',
  })
}
