/**
 * Threshold signatures: recovering a signature from the shares of `threshold` nodes, checking that public
 * shares belong to one key, and splitting a signature again for the oracles.
 */
import { randomBytes } from 'node:crypto'
import { DvtExitError } from '../errors.js'
import { bls, type PublicKeyPoint, type SecretScalar, type SignaturePoint } from './backend.js'
import { assertShareIndexes, GROUP_ORDER, interpolation, invert, modulo } from './lagrange.js'
import { combinePublicKeys, combineSignatures } from './linear-combination.js'

/** One node's share of a signature, with its Shamir x. */
export interface SignatureShare {
  readonly index: bigint
  readonly signature: SignaturePoint
}

/** One node's public share of a distributed validator's key. */
export interface PublicShare {
  readonly index: bigint
  readonly publicKey: PublicKeyPoint
}

/**
 * The signature that the given shares make together. Give exactly `threshold` of them: fewer give a wrong
 * signature, which only verification can tell.
 * @throws DvtExitError INVALID_SHARE_INDEX, TOO_FEW_SHARES for none
 */
export function recoverSignature(shares: readonly SignatureShare[]): SignaturePoint {
  const { sum, denominator } = scaledSignature(shares)
  return denominator === 1n ? sum : combineSignatures([sum], [invert(denominator)])
}

/**
 * The signature that the given shares make together, if it verifies under the public key. Compares D times
 * both sides, so that a set of shares which does not fit costs no inversion: for trying many of them.
 * @param message the signing root, 32 bytes
 * @throws DvtExitError INVALID_SHARE_INDEX, TOO_FEW_SHARES for none
 */
export function recoverVerified(
  shares: readonly SignatureShare[],
  publicKey: PublicKeyPoint,
  message: Uint8Array,
): SignaturePoint | undefined {
  const { sum, denominator } = scaledSignature(shares)
  const scaledKey = denominator === 1n ? publicKey : combinePublicKeys([publicKey], [denominator])
  if (!bls.verify({ message, publicKey: scaledKey, signature: sum })) return undefined
  return denominator === 1n ? sum : combineSignatures([sum], [invert(denominator)])
}

/** D·σ, and D. */
function scaledSignature(shares: readonly SignatureShare[]) {
  assertSome(shares)
  const { coefficients, denominator } = interpolation(shares.map((share) => share.index))
  const sum = combineSignatures(
    shares.map((share) => share.signature),
    coefficients,
  )
  return { sum, denominator }
}

function assertSome(shares: readonly unknown[]): void {
  if (shares.length === 0) throw new DvtExitError('TOO_FEW_SHARES', 'nothing is recovered from no shares')
}

/**
 * The public key that the given public shares make together: exactly `threshold` of them.
 * @throws DvtExitError INVALID_SHARE_INDEX, TOO_FEW_SHARES for none
 */
export function recoverPublicKey(shares: readonly PublicShare[]): PublicKeyPoint {
  assertSome(shares)
  const { coefficients, denominator } = interpolation(shares.map((share) => share.index))
  const sum = combinePublicKeys(
    shares.map((share) => share.publicKey),
    coefficients,
  )
  return denominator === 1n ? sum : combinePublicKeys([sum], [invert(denominator)])
}

/**
 * Whether all public shares lie on one polynomial of degree below `threshold` whose value at 0 is the key.
 * Checking only `threshold` of them would let forged entries through.
 * @throws DvtExitError INVALID_SHARE_INDEX, TOO_FEW_SHARES
 */
export function publicSharesInterpolate(
  publicKey: PublicKeyPoint,
  shares: readonly PublicShare[],
  threshold: number,
): boolean {
  assertShareIndexes(shares.map((share) => share.index))
  if (!Number.isInteger(threshold) || threshold < 1 || shares.length < threshold) {
    throw new DvtExitError(
      'TOO_FEW_SHARES',
      `${shares.length} public shares cannot have a threshold of ${threshold}`,
    )
  }
  const basis = shares.slice(0, threshold)
  const rest = shares.slice(threshold)
  return [{ index: 0n, publicKey }, ...rest].every((value) => liesOn(basis, value))
}

/** Whether a value stands on the polynomial through the basis. Compares D times both sides: no inverse. */
function liesOn(basis: readonly PublicShare[], value: PublicShare): boolean {
  const { coefficients, denominator } = interpolation(
    basis.map((share) => share.index),
    value.index,
  )
  const sum = combinePublicKeys(
    basis.map((share) => share.publicKey),
    coefficients,
  )
  const expected = denominator === 1n ? value.publicKey : combinePublicKeys([value.publicKey], [denominator])
  return Buffer.compare(bls.encodePublicKey(sum), bls.encodePublicKey(expected)) === 0
}

/** What one oracle gets: a share of the signature, and the public key it verifies under. */
export interface OracleShare {
  /** 1-based position of the oracle in the protocol config. */
  readonly index: number
  readonly signature: SignaturePoint
  readonly publicKey: PublicKeyPoint
}

/**
 * Splits a signature into shares for n oracles, any `threshold` of which recover it.
 *
 * With random scalars r₁ … r_{t−1} and s_x = Σ rⱼ·xʲ, oracle x gets σ + Sign(s_x, m), which verifies under
 * PK + s_x·G1: the shares of the key sk + s_x, without knowing sk.
 * @param message the signing root, 32 bytes
 * @param randomScalar a uniform scalar in (0, r)
 * @throws DvtExitError INVALID_THRESHOLD
 */
export function splitSignature(
  signature: SignaturePoint,
  publicKey: PublicKeyPoint,
  message: Uint8Array,
  { oracles, threshold }: { oracles: number; threshold: number },
  randomScalar: () => bigint = secureRandomScalar,
): OracleShare[] {
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > oracles) {
    throw new DvtExitError(
      'INVALID_THRESHOLD',
      `a threshold of ${threshold} of ${oracles} oracles is impossible`,
    )
  }
  const randoms = Array.from({ length: threshold - 1 }, randomScalar)
  return Array.from({ length: oracles }, (_, i) => {
    const x = BigInt(i + 1)
    const blinding = randoms.reduceRight((sum, random) => modulo((sum + random) * x), 0n)
    if (blinding === 0n) return { index: i + 1, signature, publicKey }
    const scalar = secretFromScalar(blinding)
    return {
      index: i + 1,
      signature: bls.addSignatures([signature, bls.sign(scalar, message)]),
      publicKey: bls.addPublicKeys([publicKey, bls.toPublicKey(scalar)]),
    }
  })
}

/** A uniform scalar in (0, r), by rejection. */
export function secureRandomScalar(): bigint {
  for (;;) {
    const bytes = randomBytes(32)
    bytes[0] = (bytes[0] ?? 0) & 0x7f
    const scalar = BigInt(`0x${bytes.toString('hex')}`)
    if (scalar > 0n && scalar < GROUP_ORDER) return scalar
  }
}

/** The backend's form of a scalar in (0, r). */
export function secretFromScalar(scalar: bigint): SecretScalar {
  return bls.decodeSecretKey(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex'))
}
