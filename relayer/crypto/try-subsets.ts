/**
 * Finds the right shares among unproven ones by trying subsets. The signature of a subset that recovers
 * proves or disproves every other share, since there is only one right signature: each other share must
 * stand on the polynomial through the subset.
 */
import { bls, type SignaturePoint } from '../../core/bls/backend.js'
import { interpolation } from '../../core/bls/lagrange.js'
import { combineSignatures } from '../../core/bls/linear-combination.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { recoverVerified, type SignatureShare } from '../../core/bls/threshold.js'
import type { SignatureToTry, Trial } from './exit-crypto.js'
import { finish } from './make-signature.js'
import { workOf } from './subset-work.js'

/** Tries the subsets in the order of least work. Shares must be points. */
export function trySubsets(wanted: SignatureToTry): Trial {
  const publicKey = parsePublicKey(wanted.publicKey)
  const shares = wanted.shares.map(({ index, signature }) => ({
    index,
    signature: parseSignature(signature),
  }))
  for (const members of inOrderOfWork(wanted.subsets, shares)) {
    const signature = recoverVerified(members, publicKey, wanted.message)
    if (signature === undefined) continue
    const fits = shares.map((share) => liesOn(members, share))
    const positions = [...fits.keys()]
    return {
      outcome: 'recovered',
      made: finish(signature, publicKey, wanted),
      right: positions.filter((position) => fits[position] === true),
      wrong: positions.filter((position) => fits[position] !== true),
    }
  }
  return { outcome: 'failed' }
}

function inOrderOfWork(
  subsets: readonly (readonly number[])[],
  shares: readonly SignatureShare[],
): SignatureShare[][] {
  return subsets
    .map((positions) => {
      const members = positions.flatMap((position) => shares[position] ?? [])
      return { members, work: workOf(members.map((share) => share.index)) }
    })
    .sort((a, b) => a.work - b.work)
    .map(({ members }) => members)
}

/** Whether a share stands on the polynomial through the subset. Compares D times both sides. */
function liesOn(members: readonly SignatureShare[], share: SignatureShare): boolean {
  const own = members.find((member) => member.index === share.index)
  if (own !== undefined) return sameSignature(own.signature, share.signature)
  const { coefficients, denominator } = interpolation(
    members.map((member) => member.index),
    share.index,
  )
  const expected = combineSignatures(
    members.map((member) => member.signature),
    coefficients,
  )
  return sameSignature(expected, combineSignatures([share.signature], [denominator]))
}

function sameSignature(a: SignaturePoint, b: SignaturePoint): boolean {
  return Buffer.compare(bls.encodeSignature(a), bls.encodeSignature(b)) === 0
}
