import blst from '@chainsafe/blst'
import type { BlsBackend, PublicKeyPoint, SecretScalar, SignaturePoint, SignatureSet } from './backend.js'

const FIELD_BYTES = 48
const FIELD_MODULUS =
  0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn
const INFINITY_BIT = 0x40

const pk = (point: PublicKeyPoint) => point as unknown as blst.PublicKey
const sig = (point: SignaturePoint) => point as unknown as blst.Signature
const sk = (scalar: SecretScalar) => scalar as unknown as blst.SecretKey
const publicKeyPoint = (point: blst.PublicKey) => point as unknown as PublicKeyPoint
const signaturePoint = (point: blst.Signature) => point as unknown as SignaturePoint

/**
 * The uncompressed form of −P: every part of y replaced by p − y. Compressed, only a bit would have to be
 * flipped, but decoding that takes a square root, five times as long.
 */
function negate(uncompressed: Uint8Array): Uint8Array {
  if (((uncompressed[0] ?? 0) & INFINITY_BIT) !== 0) return uncompressed
  const bytes = Buffer.from(uncompressed.buffer, uncompressed.byteOffset, uncompressed.byteLength)
  for (let start = bytes.length / 2; start < bytes.length; start += FIELD_BYTES) {
    const y = BigInt(`0x${bytes.toString('hex', start, start + FIELD_BYTES)}`)
    const negated = y === 0n ? 0n : FIELD_MODULUS - y
    bytes.write(negated.toString(16).padStart(2 * FIELD_BYTES, '0'), start, 'hex')
  }
  return bytes
}

function blstSet({ message, publicKey, signature }: SignatureSet): blst.SignatureSet {
  return { msg: message, pk: pk(publicKey), sig: sig(signature) }
}

export const blstBackend: BlsBackend = {
  name: 'blst-native',
  decodeSecretKey: (bytes) => blst.SecretKey.fromBytes(bytes) as unknown as SecretScalar,
  decodePublicKey: (bytes) => publicKeyPoint(blst.PublicKey.fromBytes(exactly(bytes, 48), true)),
  decodeSignature: (bytes) => signaturePoint(blst.Signature.fromBytes(exactly(bytes, 96), true, true)),
  encodePublicKey: (point) => pk(point).toBytes(true),
  encodeSignature: (point) => sig(point).toBytes(true),
  negatePublicKey: (point) => publicKeyPoint(blst.PublicKey.fromBytes(negate(pk(point).toBytes(false)))),
  negateSignature: (point) => signaturePoint(blst.Signature.fromBytes(negate(sig(point).toBytes(false)))),
  addPublicKeys: (points) => publicKeyPoint(blst.aggregatePublicKeys(points as unknown as blst.PublicKey[])),
  addSignatures: (points) => signaturePoint(blst.aggregateSignatures(points as unknown as blst.Signature[])),
  toPublicKey: (secret) => publicKeyPoint(sk(secret).toPublicKey()),
  sign: (secret, message) => signaturePoint(sk(secret).sign(message)),
  verify: ({ message, publicKey, signature }) => blst.verify(message, pk(publicKey), sig(signature)),
  verifyAll: (sets) => blst.verifyMultipleAggregateSignatures(sets.map(blstSet)),
}

/** blst reads the uncompressed forms too, which no protocol here uses. */
function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new Error(`expected ${length} bytes, got ${bytes.length}`)
  return bytes
}
