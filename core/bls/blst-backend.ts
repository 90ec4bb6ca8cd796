import blst from '@chainsafe/blst'
import type { BlsBackend, PublicKeyPoint, SecretScalar, SignaturePoint, SignatureSet } from './backend.js'

const SIGN_BIT = 0x20
const INFINITY_BIT = 0x40

const pk = (point: PublicKeyPoint) => point as unknown as blst.PublicKey
const sig = (point: SignaturePoint) => point as unknown as blst.Signature
const sk = (scalar: SecretScalar) => scalar as unknown as blst.SecretKey
const publicKeyPoint = (point: blst.PublicKey) => point as unknown as PublicKeyPoint
const signaturePoint = (point: blst.Signature) => point as unknown as SignaturePoint

/** The compressed form of −P: the sign bit flipped, infinity left as it is. */
function negate(compressed: Uint8Array): Uint8Array {
  const first = compressed[0] ?? 0
  if ((first & INFINITY_BIT) === 0) compressed[0] = first ^ SIGN_BIT
  return compressed
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
  negatePublicKey: (point) => publicKeyPoint(blst.PublicKey.fromBytes(negate(pk(point).toBytes(true)))),
  negateSignature: (point) => signaturePoint(blst.Signature.fromBytes(negate(sig(point).toBytes(true)))),
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
