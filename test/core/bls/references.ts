/** Two other implementations of BLS12-381 to compare with: herumi's bls-eth-wasm and noble's curves. */
import { bls12_381 as noble } from '@noble/curves/bls12-381.js'
import herumi from 'bls-eth-wasm'
import { GROUP_ORDER, modulo } from '../../../core/bls/lagrange.js'
import { type Hex, toHex } from '../../../core/hex.js'

await herumi.init(herumi.BLS12_381)

/** A value of a share's kind (48 or 96 bytes) at a share index. */
export interface EncodedShare {
  readonly index: bigint
  readonly bytes: Uint8Array
}

function herumiId(index: bigint) {
  const id = new herumi.Id()
  id.setLittleEndian(Buffer.from(index.toString(16).padStart(64, '0'), 'hex').reverse())
  return id
}

/** What herumi's own recover makes of signature shares. */
export function herumiRecoverSignature(shares: readonly EncodedShare[]): Hex {
  const signatures = shares.map(({ bytes }) => {
    const signature = new herumi.Signature()
    signature.deserialize(bytes)
    return signature
  })
  const recovered = new herumi.Signature()
  recovered.recover(
    signatures,
    shares.map(({ index }) => herumiId(index)),
  )
  return toHex(recovered.serialize())
}

/** What herumi's own recover makes of public shares. */
export function herumiRecoverPublicKey(shares: readonly EncodedShare[]): Hex {
  const publicKeys = shares.map(({ bytes }) => {
    const publicKey = new herumi.PublicKey()
    publicKey.deserialize(bytes)
    return publicKey
  })
  const recovered = new herumi.PublicKey()
  recovered.recover(
    publicKeys,
    shares.map(({ index }) => herumiId(index)),
  )
  return toHex(recovered.serialize())
}

const { Fr } = noble.fields

function nobleCoefficients(indexes: readonly bigint[]): bigint[] {
  return indexes.map((own) =>
    indexes
      .filter((other) => other !== own)
      .reduce((product, other) => Fr.mul(product, Fr.div(other, Fr.sub(other, own))), Fr.ONE),
  )
}

/** Lagrange at 0 with noble's points and scalars. */
export function nobleRecoverSignature(shares: readonly EncodedShare[]): Hex {
  const coefficients = nobleCoefficients(shares.map((share) => share.index))
  const sum = shares.reduce(
    (total, { bytes }, i) => total.add(noble.G2.Point.fromBytes(bytes).multiply(coefficients[i] ?? 0n)),
    noble.G2.Point.ZERO,
  )
  return toHex(sum.toBytes())
}

/** Lagrange at 0 with noble's points and scalars. */
export function nobleRecoverPublicKey(shares: readonly EncodedShare[]): Hex {
  const coefficients = nobleCoefficients(shares.map((share) => share.index))
  const sum = shares.reduce(
    (total, { bytes }, i) => total.add(noble.G1.Point.fromBytes(bytes).multiply(coefficients[i] ?? 0n)),
    noble.G1.Point.ZERO,
  )
  return toHex(sum.toBytes())
}

/** f(x) for coefficients from the constant term up: Shamir's shares of the first. */
export function evaluate(polynomial: readonly bigint[], x: bigint): bigint {
  return polynomial.reduceRight((sum, coefficient) => modulo(sum * x + coefficient), 0n)
}

export { GROUP_ORDER, noble }
