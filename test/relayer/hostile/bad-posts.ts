/** What a bad node posts: every kind of badness, mixed at random. */

import type { PublicKeyHex } from '../../../core/hex.js'
import { invalidSignatures, outsideSubgroupG2 } from '../../core/bls/invalid-points.js'
import type { Random } from '../../soak/kills/random.js'
import { randomScalar, type SeededCluster, type Sign, signWith } from './cluster.js'

/** One post of a bad node. */
export interface BadPost {
  readonly kind: BadKind
  readonly poster: bigint
  readonly shareIndex: bigint
  /** Makes its share of what is asked for, which may be anything. */
  readonly sign: Sign
  /** The public shares that it claims. */
  readonly claimedShares?: ReadonlyMap<bigint, PublicKeyHex>
}

/** What a bad node is made to know. */
export interface BadSituation {
  readonly cluster: SeededCluster
  readonly node: bigint
  readonly honest: readonly bigint[]
  readonly bad: readonly bigint[]
  /** A signature for another validator index. */
  readonly otherRoot: Uint8Array
  /** Shares of another validator of the same nodes. */
  readonly otherCluster: SeededCluster
  readonly random: Random
}

const atOwnIndex = ({ node }: BadSituation, sign: Sign) => ({ poster: node, shareIndex: node, sign })
const constant =
  (bytes: Uint8Array): Sign =>
  () =>
    bytes
const pickOf = <T>(random: Random, items: readonly T[]): T => {
  const item = items[random.between(0, items.length - 1)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}
const some = <T>(random: Random, items: readonly T[], most: number): T[] => {
  const left = [...items]
  const count = random.between(1, Math.min(most, items.length))
  return Array.from({ length: count }, () => left.splice(random.between(0, left.length - 1), 1)).flat()
}
const offCurve = invalidSignatures.find(([name]) => name === 'off the curve')?.[1] ?? new Uint8Array(96)
const infinity = Uint8Array.from({ length: 96 }, (_, i) => (i === 0 ? 0xc0 : 0))

const KINDS = {
  silent: () => [],
  'random point': (own) => [atOwnIndex(own, signWith(randomScalar(own.random)))],
  'share of another validator': (own) => [atOwnIndex(own, own.otherCluster.signerOf(own.node))],
  'share of another index': (own) => {
    const others = own.bad.filter((node) => node !== own.node)
    const index = others.length > 0 ? pickOf(own.random, others) : own.node + 17n
    return [atOwnIndex(own, own.cluster.signerOf(index))]
  },
  'own share under another index': (own) => [
    {
      poster: own.node,
      shareIndex: pickOf(own.random, own.honest),
      sign: own.cluster.signerOf(own.node),
    },
  ],
  'share for another exit': (own) => {
    const signer = own.cluster.signerOf(own.node)
    return [atOwnIndex(own, () => signer(own.otherRoot))]
  },
  'share of another sharing': (own) => [atOwnIndex(own, own.cluster.otherSharing()(own.node))],
  'replay of an honest share': (own) => [
    atOwnIndex(own, own.cluster.signerOf(pickOf(own.random, own.honest))),
  ],
  'poison at honest indexes': (own) =>
    some(own.random, own.honest, 4).map((shareIndex) => ({
      poster: own.node,
      shareIndex,
      sign: signWith(randomScalar(own.random)),
    })),
  'off the curve': (own) => [atOwnIndex(own, constant(offCurve))],
  'outside the subgroup': (own) => [
    { poster: own.node, shareIndex: pickOf(own.random, own.honest), sign: constant(outsideSubgroupG2) },
  ],
  infinity: (own) => [atOwnIndex(own, constant(infinity))],
  'several at one index': (own) =>
    Array.from({ length: own.random.between(2, 6) }, () =>
      atOwnIndex(own, signWith(randomScalar(own.random))),
    ),
  'right and wrong': (own) => [
    atOwnIndex(own, own.cluster.signerOf(own.node)),
    atOwnIndex(own, signWith(randomScalar(own.random))),
  ],
  'index of no node': (own) => [
    {
      poster: own.node,
      shareIndex: BigInt(own.random.between(1, 2 ** 30)) + 2n ** 63n,
      sign: signWith(randomScalar(own.random)),
    },
  ],
} as const satisfies Record<string, (own: BadSituation) => Omit<BadPost, 'kind'>[]>

/** A set that is forged, and shares that are right under it, at the indexes of honest nodes too. */
function forgedSet(own: BadSituation): Omit<BadPost, 'kind'>[] {
  const { cluster, random, honest, node } = own
  const victims = some(random, honest, Math.max(1, cluster.threshold - 2))
  const known = [node, ...victims.slice(0, random.between(0, victims.length))].slice(0, cluster.threshold - 1)
  const taken = honest
    .filter((index) => !known.includes(index))
    .slice(0, cluster.threshold - 1 - known.length)
  const { claimedShares, signers } = cluster.forge(known, random.next() < 0.5 ? taken : [])
  return [...signers].map(([shareIndex, sign]) => ({ poster: node, shareIndex, sign, claimedShares }))
}

function postsOf(kind: BadKind, own: BadSituation): Omit<BadPost, 'kind'>[] {
  if (kind === 'forged public shares') return forgedSet(own)
  return kind === 'first at every look' ? [] : KINDS[kind](own)
}

export type BadKind = keyof typeof KINDS | 'forged public shares' | 'first at every look'

/** A wrong share at an honest node's index, another one each time. */
export function poison({ node, random }: BadSituation, shareIndex: bigint): BadPost {
  const sign = signWith(randomScalar(random))
  return { kind: 'first at every look', poster: node, shareIndex, sign }
}

/** The posts of one bad node: one or two kinds. @param canClaim whether it may claim public shares */
export function badPosts(own: BadSituation, canClaim: boolean): BadPost[] {
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[]
  const count = own.random.between(1, 2)
  return Array.from({ length: count }, () => {
    const kind: BadKind =
      canClaim && own.random.next() < 0.4 ? 'forged public shares' : pickOf(own.random, kinds)
    const posts = postsOf(kind, own)
    return posts.map((post): BadPost => ({ ...post, kind }))
  }).flat()
}
