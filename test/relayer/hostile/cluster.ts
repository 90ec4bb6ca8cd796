/** Clusters made from a seed: a polynomial, its shares, and what others might pass off as them. */
import { createHash } from 'node:crypto'
import { bls } from '../../../core/bls/backend.js'
import { GROUP_ORDER, invert, modulo } from '../../../core/bls/lagrange.js'
import { secretFromScalar } from '../../../core/bls/threshold.js'
import { type PublicKeyHex, toHex } from '../../../core/hex.js'
import type { DistributedValidator } from '../../../core/signer.js'
import type { Random } from '../../soak/kills/random.js'

/** Signs a root of 32 bytes. */
export type Sign = (root: Uint8Array) => Uint8Array

/** A uniform scalar in (0, r). */
export function randomScalar(random: Random): bigint {
  const seed = `${random.next()} ${random.next()} ${random.next()} ${random.next()} ${random.next()}`
  const wide = createHash('sha512').update(seed).digest('hex')
  return (BigInt(`0x${wide}`) % (GROUP_ORDER - 1n)) + 1n
}

export function signWith(scalar: bigint): Sign {
  const secret = secretFromScalar(scalar)
  return (root) => bls.encodeSignature(bls.sign(secret, root))
}

function publicKeyOf(scalar: bigint): PublicKeyHex {
  return toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(scalar))))
}

/** The polynomial of least degree with these values, by x. */
export function polynomialThrough(values: ReadonlyMap<bigint, bigint>): (x: bigint) => bigint {
  const points = [...values]
  return (at) =>
    points.reduce((sum, [x, value]) => {
      const others = points.filter(([other]) => other !== x)
      const numerator = others.reduce((product, [other]) => modulo(product * (at - other)), value)
      const denominator = others.reduce((product, [other]) => modulo(product * (x - other)), 1n)
      return modulo(sum + numerator * invert(denominator))
    }, 0n)
}

export class SeededCluster {
  readonly nodes: readonly bigint[]
  readonly threshold: number
  readonly publicKey: PublicKeyHex
  readonly #random: Random
  readonly #secretAt: (x: bigint) => bigint
  #publicShares: ReadonlyMap<bigint, PublicKeyHex> | undefined

  constructor(random: Random, nodes: readonly bigint[], threshold: number) {
    this.#random = random
    this.nodes = nodes
    this.threshold = threshold
    const coefficients = Array.from({ length: threshold }, () => randomScalar(random))
    this.#secretAt = (x) => coefficients.reduceRight((sum, a) => modulo(sum * x + a), 0n)
    this.publicKey = publicKeyOf(this.#secretAt(0n))
  }

  get validator(): DistributedValidator {
    this.#publicShares ??= new Map(this.nodes.map((node) => [node, publicKeyOf(this.#secretAt(node))]))
    const { publicKey, threshold } = this
    return { publicKey, threshold, shares: this.#publicShares, source: 'seeded cluster' }
  }

  /** What a node signs with; 0: the whole key. */
  signerOf(node: bigint): Sign {
    return signWith(this.#secretAt(node))
  }

  /** Another sharing of the same key, as of a cluster that was made anew. */
  otherSharing(): (node: bigint) => Sign {
    const secretAt = polynomialThrough(
      new Map([
        [0n, this.#secretAt(0n)],
        ...Array.from(
          { length: this.threshold - 1 },
          (_, i) => [1000n + BigInt(i), randomScalar(this.#random)] as const,
        ),
      ]),
    )
    return (node) => signWith(secretAt(node))
  }

  /**
   * A set of public shares that interpolates to the key and that nobody shared: the forger knows the secrets of some
   * entries, takes over those of honest nodes, and makes the others fit.
   * @param known fewer than threshold together with `taken`
   */
  forge(known: readonly bigint[], taken: readonly bigint[]): ForgedSet {
    const values = new Map([[0n, this.#secretAt(0n)]])
    for (const node of taken) values.set(node, this.#secretAt(node))
    const secrets = new Map(known.map((node) => [node, randomScalar(this.#random)]))
    for (const [node, secret] of secrets) values.set(node, secret)
    // The set has to stand on a polynomial of degree threshold − 1, whatever is known of it.
    for (let x = 1000n; values.size < this.threshold; x++) values.set(x, randomScalar(this.#random))
    const secretAt = polynomialThrough(values)
    return {
      claimedShares: new Map(this.nodes.map((node) => [node, publicKeyOf(secretAt(node))])),
      signers: new Map([...secrets].map(([node, secret]) => [node, signWith(secret)])),
    }
  }
}

export interface ForgedSet {
  readonly claimedShares: ReadonlyMap<bigint, PublicKeyHex>
  /** What the forger can sign with, by index. */
  readonly signers: ReadonlyMap<bigint, Sign>
}
