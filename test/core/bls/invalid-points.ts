/** Encodings of points that no key or signature can have, found with noble's field arithmetic. */
import { bls12_381 as noble } from '@noble/curves/bls12-381.js'
import { expect } from 'chai'

const { Fp, Fp2 } = noble.fields
const FLAGS = 0xe0
const COMPRESSED = 0x80

const bigEndian = (value: bigint, length: number) =>
  Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
const toBigint = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

function compressed(x: Buffer): Buffer {
  x[0] = (x[0] ?? 0) | COMPRESSED
  return x
}

/** The first x from 1 on for which y² = x³ + b has, or has not, a solution y in the field. */
function firstX(hasPoint: (x: bigint) => boolean, wanted: boolean): bigint {
  for (let x = 1n; ; x++) if (hasPoint(x) === wanted) return x
}
function solvable(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}
const hasG1Point = (x: bigint) => solvable(() => Fp.sqrt(Fp.add(Fp.pow(x, 3n), 4n)))
const hasG2Point = (x: bigint) =>
  solvable(() => Fp2.sqrt(Fp2.add(Fp2.pow({ c0: x, c1: 0n }, 3n), { c0: 4n, c1: 4n })))

/** Adds p to the part of x at `start`, keeping the flags: the same point, written a second way. */
function nonCanonical(encode: (k: bigint) => Uint8Array, start: number): Buffer {
  const limit = start === 0 ? 1n << 381n : 1n << 384n
  for (let k = 1n; ; k++) {
    const bytes = Buffer.from(encode(k))
    const flags = (bytes[0] ?? 0) & FLAGS
    bytes[0] = (bytes[0] ?? 0) & ~FLAGS
    const x = toBigint(bytes.subarray(start, start + 48)) + Fp.ORDER
    if (x >= limit) continue
    bigEndian(x, 48).copy(bytes, start)
    bytes[0] = (bytes[0] ?? 0) | flags
    return bytes
  }
}

const g1Generator = Buffer.from(noble.G1.Point.BASE.toBytes())
const g2Generator = Buffer.from(noble.G2.Point.BASE.toBytes())
const withFirst = (bytes: Buffer, change: (first: number) => number) =>
  Buffer.concat([Uint8Array.of(change(bytes[0] ?? 0)), bytes.subarray(1)])

/** What a file of these tests may rely on: the points are on the curve and outside the subgroup. */
export function assertOutsideSubgroup(g1: Uint8Array, g2: Uint8Array): void {
  const x1 = toBigint(withFirst(Buffer.from(g1), (first) => first & ~FLAGS))
  const y1 = Fp.sqrt(Fp.add(Fp.pow(x1, 3n), 4n))
  expect(noble.G1.Point.fromAffine({ x: x1, y: y1 }).isTorsionFree()).to.equal(false)
  const x2 = { c0: toBigint(Buffer.from(g2).subarray(48)), c1: 0n }
  const y2 = Fp2.sqrt(Fp2.add(Fp2.pow(x2, 3n), { c0: 4n, c1: 4n }))
  expect(noble.G2.Point.fromAffine({ x: x2, y: y2 }).isTorsionFree()).to.equal(false)
}

/** G1: y² = x³ + 4 at x = 0 has y = ±2, a point of order 3. */
const lowOrderG1 = compressed(bigEndian(0n, 48))
export const outsideSubgroupG1 = compressed(bigEndian(firstX(hasG1Point, true), 48))
export const outsideSubgroupG2 = compressed(bigEndian(firstX(hasG2Point, true), 96))

function malformed(generator: Buffer): [string, Buffer][] {
  const infinity = withFirst(Buffer.alloc(generator.length), () => 0xc0)
  const infinityWithJunk = Buffer.from(infinity)
  infinityWithJunk[generator.length - 1] = 1
  return [
    ['infinity', infinity],
    ['infinity with a sign', withFirst(infinity, () => 0xe0)],
    ['infinity with more bits', infinityWithJunk],
    ['the infinity flag on a point', withFirst(generator, (first) => first | 0x40)],
    ['no compression flag', withFirst(generator, (first) => first & 0x7f)],
    ['zeros', Buffer.alloc(generator.length)],
    ['ones', Buffer.alloc(generator.length, 0xff)],
    ['nothing', Buffer.alloc(0)],
    ['one byte less', generator.subarray(1)],
    ['one byte more', Buffer.concat([generator, Uint8Array.of(0)])],
    ['twice the length', Buffer.concat([generator, generator])],
  ]
}

export const invalidPublicKeys: readonly (readonly [string, Uint8Array])[] = [
  ['off the curve', compressed(bigEndian(firstX(hasG1Point, false), 48))],
  ['outside the subgroup', outsideSubgroupG1],
  ['of order 3', lowOrderG1],
  ['x not below p', nonCanonical((k) => noble.G1.Point.BASE.multiply(k).toBytes(), 0)],
  ['x equal to p', compressed(bigEndian(Fp.ORDER, 48))],
  ['uncompressed', Buffer.from(noble.G1.Point.BASE.toBytes(false))],
  ...malformed(g1Generator),
]
export const invalidSignatures: readonly (readonly [string, Uint8Array])[] = [
  ['off the curve', compressed(bigEndian(firstX(hasG2Point, false), 96))],
  ['outside the subgroup', outsideSubgroupG2],
  ['first part of x not below p', nonCanonical((k) => noble.G2.Point.BASE.multiply(k).toBytes(), 0)],
  ['second part of x not below p', nonCanonical((k) => noble.G2.Point.BASE.multiply(k).toBytes(), 48)],
  ['uncompressed', Buffer.from(noble.G2.Point.BASE.toBytes(false))],
  ...malformed(g2Generator),
]
export const validPublicKey: Uint8Array = g1Generator
export const validSignature: Uint8Array = g2Generator
