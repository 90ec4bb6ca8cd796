/** What happens to bytes on a bad line, or in a fuzzer: flips, cuts, splices. */
import fc from 'fast-check'

export type Mutation = (bytes: Buffer, other: Buffer) => Buffer

/** One change of some bytes; `other` is material to splice in. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.constantFrom('flip', 'set', 'cut', 'drop', 'splice', 'repeat', 'insert'),
    fc.nat(),
    fc.nat(),
    fc.nat(255),
  )
  .map(
    ([kind, a, b, byte]): Mutation =>
      (bytes, other) => {
        if (bytes.length === 0) return bytes
        const at = a % bytes.length
        const end = Math.min(bytes.length, at + 1 + (b % 64))
        switch (kind) {
          case 'flip':
            return replaced(bytes, at, (bytes[at] ?? 0) ^ (1 << (b % 8)))
          case 'set':
            return replaced(bytes, at, byte)
          case 'cut':
            return bytes.subarray(0, at)
          case 'drop':
            return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
          case 'splice':
            return Buffer.concat([bytes.subarray(0, at), other.subarray(b % Math.max(1, other.length))])
          case 'repeat':
            return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
          default:
            return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte, byte]), bytes.subarray(at)])
        }
      },
  )

function replaced(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}
