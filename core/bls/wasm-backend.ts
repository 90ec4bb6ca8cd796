import herumi from 'bls-eth-wasm'
import type { BlsBackend, PublicKeyPoint, SecretScalar, SignaturePoint, SignatureSet } from './backend.js'

type PublicKey = InstanceType<typeof herumi.PublicKey>
type Signature = InstanceType<typeof herumi.Signature>
type SecretKey = InstanceType<typeof herumi.SecretKey>

const pk = (point: PublicKeyPoint) => point as unknown as PublicKey
const sig = (point: SignaturePoint) => point as unknown as Signature
const sk = (scalar: SecretScalar) => scalar as unknown as SecretKey
const publicKeyPoint = (point: PublicKey) => point as unknown as PublicKeyPoint
const signaturePoint = (point: Signature) => point as unknown as SignaturePoint

function verify({ message, publicKey, signature }: SignatureSet): boolean {
  return pk(publicKey).verify(sig(signature), message)
}

/** Loads the WASM module. It has no randomised batch check of distinct keys, so sets are verified singly. */
export async function createWasmBackend(): Promise<BlsBackend> {
  await herumi.init(herumi.BLS12_381)
  return {
    name: 'herumi-wasm',
    decodeSecretKey(bytes) {
      if (bytes.length !== 32) throw new Error(`expected 32 bytes, got ${bytes.length}`)
      const secret = new herumi.SecretKey()
      secret.deserialize(bytes)
      if (secret.isZero()) throw new Error('secret key is zero')
      return secret as unknown as SecretScalar
    },
    decodePublicKey(bytes) {
      const point = new herumi.PublicKey()
      point.deserialize(exactly(bytes, 48))
      if (point.isZero() || !point.isValidOrder()) throw new Error('infinity or outside the subgroup')
      return publicKeyPoint(point)
    },
    decodeSignature(bytes) {
      const point = new herumi.Signature()
      point.deserialize(exactly(bytes, 96))
      if (point.isZero() || !point.isValidOrder()) throw new Error('infinity or outside the subgroup')
      return signaturePoint(point)
    },
    encodePublicKey: (point) => pk(point).serialize(),
    encodeSignature: (point) => sig(point).serialize(),
    negatePublicKey(point) {
      const negated = new herumi.PublicKey()
      negated.deserialize(flipSign(pk(point).serialize()))
      return publicKeyPoint(negated)
    },
    negateSignature(point) {
      const negated = new herumi.Signature()
      negated.deserialize(flipSign(sig(point).serialize()))
      return signaturePoint(negated)
    },
    addPublicKeys(points) {
      const sum = new herumi.PublicKey()
      if (points.length === 0) throw new Error('nothing to add')
      for (const point of points) sum.add(pk(point))
      return publicKeyPoint(sum)
    },
    addSignatures(points) {
      const sum = new herumi.Signature()
      if (points.length === 0) throw new Error('nothing to add')
      for (const point of points) sum.add(sig(point))
      return signaturePoint(sum)
    },
    toPublicKey: (secret) => publicKeyPoint(sk(secret).getPublicKey()),
    sign: (secret, message) => signaturePoint(sk(secret).sign(message)),
    verify,
    verifyAll: (sets) => sets.length > 0 && sets.every(verify),
  }
}

function flipSign(compressed: Uint8Array): Uint8Array {
  const first = compressed[0] ?? 0
  if ((first & 0x40) === 0) compressed[0] = first ^ 0x20
  return compressed
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new Error(`expected ${length} bytes, got ${bytes.length}`)
  return bytes
}
