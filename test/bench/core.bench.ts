/** What the core costs on one core: recovering, splitting, sealing. CPU time, so that a busy machine matters less. */
import { createECDH, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { bls } from '../../core/bls/backend.js'
import { GROUP_ORDER, integerCoefficients, modulo } from '../../core/bls/lagrange.js'
import { parseSignature } from '../../core/bls/points.js'
import {
  recoverSignature,
  type SignatureShare,
  secretFromScalar,
  secureRandomScalar,
  splitSignature,
} from '../../core/bls/threshold.js'
import { sealForOracle } from '../../core/oracles/seal.js'
import { subsets } from '../core/bls/subsets.js'

/** One figure, with the target that it has to reach, where it has one. */
export interface BenchLine {
  readonly name: string
  readonly value: string
  readonly target?: string
}

const MESSAGE = new Uint8Array(32).fill(7)
const SEED = 20_261_121
const WIDE_DENOMINATOR = [1n, 3n, 4n, 6n, 7n, 9n, 10n, 12n, 15n, 16n]
const upTo = (nodes: number) => Array.from({ length: nodes }, (_, i) => BigInt(i + 1))

/** Milliseconds of CPU of the calls, after a warm-up: each one's median, then their mean and maximum. */
function measure(calls: readonly (() => unknown)[], rounds: number): { mean: number; slowest: number } {
  for (const call of calls.slice(0, 30)) call()
  const medians = calls.map((call) => {
    const times = Array.from({ length: rounds }, () => {
      const before = process.cpuUsage()
      call()
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    })
    return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0
  })
  return { mean: medians.reduce((sum, one) => sum + one, 0) / calls.length, slowest: Math.max(...medians) }
}

function line(name: string, calls: readonly (() => unknown)[], rounds: number, target?: string): BenchLine {
  const { mean, slowest } = measure(calls, rounds)
  const value = `${mean.toFixed(3)} ms${calls.length > 1 ? ` (slowest ${slowest.toFixed(3)})` : ''}`
  return target === undefined ? { name, value } : { name, value, target }
}

/** Signature shares of a key that any `threshold` of the nodes recover. */
function sharesFor(indexes: readonly bigint[], threshold: number): SignatureShare[] {
  const polynomial = Array.from({ length: threshold }, secureRandomScalar)
  return indexes.map((index) => {
    const scalar = polynomial.reduceRight((sum, term) => modulo(sum * index + term), 0n)
    return { index, signature: bls.sign(secretFromScalar(scalar), MESSAGE) }
  })
}

const recovering = (sets: readonly (readonly SignatureShare[])[]) =>
  sets.map((shares) => () => recoverSignature(shares))
const recoveringFromBytes = (sets: readonly (readonly SignatureShare[])[]) =>
  sets.map((shares) => {
    const encoded = shares.map(({ index, signature }) => ({ index, bytes: bls.encodeSignature(signature) }))
    return () =>
      recoverSignature(encoded.map(({ index, bytes }) => ({ index, signature: parseSignature(bytes) })))
  })
const denominatorIsOne = (shares: readonly SignatureShare[]) =>
  integerCoefficients(shares.map((share) => share.index)).denominator === 1n

function benchThreeOfFour(): BenchLine[] {
  const sets = subsets(sharesFor(upTo(4), 3), 3)
  const easy = sets.filter(denominatorIsOne)
  const rest = sets.filter((shares) => !denominatorIsOne(shares))
  return [
    line(
      `recover 3 of 4, D = 1 (${easy.length} of ${sets.length} subsets)`,
      recovering(easy),
      100,
      '< 0.3 ms',
    ),
    line('  the same from bytes, each checked', recoveringFromBytes(easy), 100),
    line('recover 3 of 4, {1,2,4}, D = 3', recovering(rest), 100, '< 4 ms'),
    line('  the same from bytes, each checked', recoveringFromBytes(rest), 100),
  ]
}

function benchTenOfSixteen(): BenchLine[] {
  const shares = sharesFor(upTo(16), 10)
  const size = { minLength: 10, maxLength: 10 }
  const sets = fc.sample(fc.subarray(shares, size), { numRuns: 300, seed: SEED })
  const wide = shares.filter((share) => WIDE_DENOMINATOR.includes(share.index))
  return [
    line('recover 10 of 16, 300 random subsets', recovering(sets), 5, '< 5 ms'),
    line('  the same from bytes, each checked', recoveringFromBytes(sets), 5),
    line('recover 10 of 16, {1,3,4,6,7,9,10,12,15,16}, D = 143', recovering([wide]), 100, '< 5 ms'),
  ]
}

function benchSparse(): BenchLine[] {
  const clusters: [string, bigint[]][] = [
    ['{11,27,42} of 4 operators', [11n, 27n, 42n]],
    ['{27,42,350} of 4 operators', [27n, 42n, 350n]],
    ['{1900,1907,2011} of 4 operators', [1900n, 1907n, 2011n]],
    ['3 ids near 2^64', [2n ** 64n - 1n, 2n ** 63n + 5n, 12_345_678_901_234_567n]],
  ]
  return clusters.map(([name, indexes]) =>
    line(`recover ${name}`, recovering([sharesFor(indexes, indexes.length)]), 100),
  )
}

function benchSplit(): BenchLine[] {
  const secret = secretFromScalar(GROUP_ORDER - 5n)
  const [signature, publicKey] = [bls.sign(secret, MESSAGE), bls.toPublicKey(secret)]
  const split = () => splitSignature(signature, publicKey, MESSAGE, { oracles: 11, threshold: 8 })
  return [line('split for 11 oracles, threshold 8', [split], 50, '< 9 ms')]
}

function benchSeal(): BenchLine[] {
  const oracle = createECDH('secp256k1')
  oracle.generateKeys()
  const publicKey = new Uint8Array(oracle.getPublicKey())
  const part = randomBytes(96)
  const seal = () => sealForOracle(publicKey, part)
  for (let i = 0; i < 100; i++) seal()
  return [line('seal a signature share for an oracle', [seal], 300, '< 0.6 ms')]
}

/** Runs the core's benches in this thread. */
export function benchCore(): BenchLine[] {
  return [...benchThreeOfFour(), ...benchTenOfSixteen(), ...benchSparse(), ...benchSplit(), ...benchSeal()]
}
