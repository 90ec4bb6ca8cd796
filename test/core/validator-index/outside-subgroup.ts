/**
 * Deposits with a point of small order added to the key or the signature. The pairing does not see it in a key, so
 * that who leaves out the subgroup check takes the deposit for valid; the chain does not.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { bls } from '../../../core/bls/backend.js'
import { fromHex, type Hex, toHex } from '../../../core/hex.js'
import { depositSigningRoot } from '../../../core/messages/deposit.js'
import { type ChainDeposit, secretKeyOf, signedDeposit } from '../../devnet/deposits.js'
import { network } from './world.js'

const { Fp, Fp2, Fr } = bls12_381.fields
const G1 = bls12_381.G1.Point
const G2 = bls12_381.G2.Point

/** The deposit of a key outside the subgroup, signed by the key inside it that is nearest. */
export function keyOutsideSubgroup(name: string): ChainDeposit {
  const deposit = signedDeposit(network, name)
  const publicKey = encode1(G1.fromBytes(fromHex(deposit.publicKey)).add(smallOrderPoint1()))
  const root = depositSigningRoot(network, { ...deposit, publicKey })
  const signature = toHex(bls.encodeSignature(bls.sign(secretKeyOf(name), root)))
  return { ...deposit, publicKey, signature, valid: false }
}

/** A deposit whose right signature was moved out of the subgroup. */
export function signatureOutsideSubgroup(name: string): ChainDeposit {
  const deposit = signedDeposit(network, name)
  const signature = G2.fromBytes(fromHex(deposit.signature)).add(smallOrderPoint2())
  return { ...deposit, signature: encode2(signature), valid: false }
}

/** The compressed form, which the library refuses to write for such points. */
function encode1(point: InstanceType<typeof G1>): Hex {
  const { x, y } = point.toAffine()
  return compressed(x.toString(16).padStart(96, '0'), y > (Fp.ORDER - 1n) / 2n)
}

function encode2(point: InstanceType<typeof G2>): Hex {
  const { x, y } = point.toAffine()
  const larger = y.c1 === 0n ? y.c0 : y.c1
  const digits = [x.c1, x.c0].map((part) => part.toString(16).padStart(96, '0'))
  return compressed(digits.join(''), larger > (Fp.ORDER - 1n) / 2n)
}

function compressed(digits: string, isLarger: boolean): Hex {
  const bytes = Buffer.from(digits, 'hex')
  bytes[0] = (bytes[0] ?? 0) | 0x80 | (isLarger ? 0x20 : 0)
  return toHex(bytes)
}

function smallOrderPoint1() {
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n)
    const y = Fp.pow(square, (Fp.ORDER + 1n) / 4n)
    if (!Fp.eql(Fp.sqr(y), square)) continue
    const point = timesGroupOrder(G1.fromAffine({ x, y }))
    if (!point.is0()) return point
  }
}

function smallOrderPoint2() {
  for (let i = 1n; ; i++) {
    const x = Fp2.fromBigTuple([i, 0n])
    const square = Fp2.add(Fp2.pow(x, 3n), Fp2.fromBigTuple([4n, 4n]))
    try {
      const point = timesGroupOrder(G2.fromAffine({ x, y: Fp2.sqrt(square) }))
      if (!point.is0()) return point
    } catch {
      // No square: there is no point with this x.
    }
  }
}

/** What is left of a point when its part in the subgroup is taken away. */
function timesGroupOrder<P extends { add(other: P): P; double(): P; subtract(other: P): P }>(point: P): P {
  let sum = point.subtract(point)
  for (const bit of Fr.ORDER.toString(2)) {
    sum = sum.double()
    if (bit === '1') sum = sum.add(point)
  }
  return sum
}
