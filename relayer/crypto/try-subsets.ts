/**
 * Finds the right shares among unproven ones by trying subsets.
 *
 * With integer coefficients cᵢ over the common denominator D, Σ cᵢ·Sᵢ = D·σ verifies under D·PK: a trial
 * needs no inverse, one only when the signature is found. The signature then proves or disproves every
 * other share, since there is only one right signature: the subset interpolates at the other's index.
 */
import { bls, type PublicKeyPoint, type SignaturePoint } from '../../core/bls/backend.js'
import { type Interpolation, interpolation, invert } from '../../core/bls/lagrange.js'
import { combinePublicKeys, combineSignatures } from '../../core/bls/linear-combination.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import type { SignatureShare } from '../../core/bls/threshold.js'
import type { ExitToTry, Trial } from './exit-crypto.js'
import { splitAndSeal } from './split-exit.js'
import { workOf } from './subset-work.js'

/** Tries the subsets in the order of least work. Shares must be points. */
export function trySubsets(exit: ExitToTry): Trial {
  const publicKey = parsePublicKey(exit.publicKey)
  const shares = exit.shares.map(({ index, signature }) => ({ index, signature: parseSignature(signature) }))
  const multiples = new Map<bigint, PublicKeyPoint>()
  const multipleOfKey = (denominator: bigint): PublicKeyPoint => {
    const known = multiples.get(denominator) ?? combinePublicKeys([publicKey], [denominator])
    multiples.set(denominator, known)
    return known
  }
  for (const { members, coefficients, denominator } of inOrderOfWork(exit.subsets, shares)) {
    const sum = combineSignatures(signaturesOf(members), coefficients)
    const verifies = bls.verify({
      message: exit.message,
      publicKey: multipleOfKey(denominator),
      signature: sum,
    })
    if (!verifies) continue
    const signature = denominator === 1n ? sum : combineSignatures([sum], [invert(denominator)])
    const fits = shares.map((share) => liesOn(members, share))
    const positions = [...fits.keys()]
    return {
      outcome: 'recovered',
      parts: splitAndSeal(signature, publicKey, exit),
      right: positions.filter((position) => fits[position] === true),
      wrong: positions.filter((position) => fits[position] !== true),
    }
  }
  return { outcome: 'failed' }
}

interface PlannedTrial extends Interpolation {
  readonly members: readonly SignatureShare[]
  readonly work: number
}

function inOrderOfWork(
  subsets: readonly (readonly number[])[],
  shares: readonly SignatureShare[],
): PlannedTrial[] {
  return subsets
    .map((positions) => {
      const members = positions.flatMap((position) => shares[position] ?? [])
      return { members, ...workOf(members.map((share) => share.index)) }
    })
    .sort((a, b) => a.work - b.work)
}

/** Whether a share stands on the polynomial through the subset. Compares D times both sides. */
function liesOn(members: readonly SignatureShare[], share: SignatureShare): boolean {
  const own = members.find((member) => member.index === share.index)
  if (own !== undefined) return sameSignature(own.signature, share.signature)
  const { coefficients, denominator } = interpolation(
    members.map((member) => member.index),
    share.index,
  )
  const expected = combineSignatures(signaturesOf(members), coefficients)
  return sameSignature(expected, combineSignatures([share.signature], [denominator]))
}

function sameSignature(a: SignaturePoint, b: SignaturePoint): boolean {
  return Buffer.compare(bls.encodeSignature(a), bls.encodeSignature(b)) === 0
}

function signaturesOf(shares: readonly SignatureShare[]): SignaturePoint[] {
  return shares.map((share) => share.signature)
}
