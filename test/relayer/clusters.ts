/** Real clusters as the relayer sees them: public shares, and golden or freshly signed shares of exits. */
import { readFileSync } from 'node:fs'
import { bls } from '../../core/bls/backend.js'
import { GROUP_ORDER } from '../../core/bls/lagrange.js'
import { secretFromScalar, secureRandomScalar } from '../../core/bls/threshold.js'
import { fromHex, type PublicKeyHex, toHex } from '../../core/hex.js'
import { parseJson } from '../../core/json.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../core/network.js'
import type { DistributedValidator } from '../../core/signer.js'

const FIXTURES = new URL('../fixtures/', import.meta.url)
export const readFixture = (file: string): unknown => parseJson(readFileSync(new URL(file, FIXTURES), 'utf8'))

export const hoodi = loadNetwork('hoodi')

/** What an exit of an index signs. */
export const exitRoot = (validatorIndex: number): Uint8Array =>
  voluntaryExitSigningRoot(hoodi, presignedExit(hoodi, validatorIndex))

/** A distributed validator with a way to sign for each node. */
export interface TestValidator {
  readonly validator: DistributedValidator
  /** A node's share of the exit signature, 96 bytes. */
  sign(shareIndex: bigint, validatorIndex: number): Uint8Array
  /** A node's share of the signature of anything. @param root 32 bytes */
  signRoot(shareIndex: bigint, root: Uint8Array): Uint8Array
}

const signWith = (secret: string, root: Uint8Array): Uint8Array =>
  bls.encodeSignature(bls.sign(bls.decodeSecretKey(fromHex(secret, 32)), root))

const entry = <V>(map: ReadonlyMap<bigint, V>, shareIndex: bigint): V => {
  const found = map.get(shareIndex)
  if (found === undefined) throw new Error(`no node ${shareIndex}`)
  return found
}

interface WireKeys {
  readonly threshold: number
  readonly oracles_config: unknown
  readonly oracle_secret_keys: readonly string[]
  readonly validators: readonly {
    readonly public_key: PublicKeyHex
    readonly shares: readonly { readonly index: number; readonly sk: string; readonly pk: PublicKeyHex }[]
  }[]
}
export const wireKeys = readFixture('wire/keys.json') as WireKeys

/** The 17 validators of 4 nodes (threshold 3) behind the recorded traffic. */
export const fourNodeValidators: readonly TestValidator[] = wireKeys.validators.map((validator) => {
  const secrets = new Map(validator.shares.map((share) => [BigInt(share.index), share.sk]))
  return {
    validator: {
      publicKey: validator.public_key,
      threshold: wireKeys.threshold,
      shares: new Map(validator.shares.map((share) => [BigInt(share.index), share.pk])),
      source: 'wire/keys.json',
    },
    sign: (shareIndex, validatorIndex) => signWith(entry(secrets, shareIndex), exitRoot(validatorIndex)),
    signRoot: (shareIndex, root) => signWith(entry(secrets, shareIndex), root),
  }
})

/** A golden exit: the share of each node and the full signature. */
export interface GoldenExit {
  readonly validator: DistributedValidator
  readonly validatorIndex: number
  readonly shares: ReadonlyMap<bigint, Uint8Array>
  readonly signature: string
}

interface ObolExpected {
  readonly threshold: number
  readonly validators: readonly {
    readonly distributed_public_key: PublicKeyHex
    readonly public_shares: readonly PublicKeyHex[]
    readonly golden_exit: {
      readonly validator_index: number
      readonly partial_signatures: readonly { readonly share_index: number; readonly signature: string }[]
      readonly full_signature: string
    }
  }[]
}

/** The golden exits of an Obol cluster. */
export function obolExits(cluster: string): GoldenExit[] {
  const expected = readFixture(`obol/${cluster}.EXPECTED.json`) as ObolExpected
  return expected.validators.map(({ distributed_public_key, public_shares, golden_exit }) => ({
    validator: {
      publicKey: distributed_public_key,
      threshold: expected.threshold,
      shares: new Map(public_shares.map((share, i) => [BigInt(i + 1), share])),
      source: cluster,
    },
    validatorIndex: golden_exit.validator_index,
    shares: new Map(
      golden_exit.partial_signatures.map((part) => [BigInt(part.share_index), fromHex(part.signature)]),
    ),
    signature: golden_exit.full_signature,
  }))
}

interface SsvExpected {
  readonly cluster: { readonly threshold: number }
  readonly validators: readonly {
    readonly publicKey: PublicKeyHex
    readonly shares: Readonly<Record<string, { readonly sharePublicKey: PublicKeyHex }>>
    readonly exits: readonly {
      readonly validatorIndex: string
      readonly epoch: string
      readonly partials: Readonly<Record<string, string>>
      readonly signature: string
    }[]
  }[]
}

/** The golden exits of the SSV cluster with operators 11, 27, 42 and 350. */
export function ssvExits(): GoldenExit[] {
  const expected = readFixture('ssv/ssv-4op/EXPECTED.json') as SsvExpected
  return expected.validators.flatMap(({ publicKey, shares, exits }) =>
    exits
      .filter(({ epoch }) => Number(epoch) === hoodi.capellaForkEpoch)
      .map(({ validatorIndex, partials, signature }) => ({
        validator: {
          publicKey,
          threshold: expected.cluster.threshold,
          shares: new Map(Object.entries(shares).map(([id, share]) => [BigInt(id), share.sharePublicKey])),
          source: 'ssv-4op',
        },
        validatorIndex: Number(validatorIndex),
        shares: new Map(Object.entries(partials).map(([id, part]) => [BigInt(id), fromHex(part)])),
        signature,
      })),
  )
}

/** A signature that is a point, and right for nothing: signed by a key that no cluster has. */
export function garbage(seed: number): Uint8Array {
  const secret = bls.decodeSecretKey(Buffer.from((seed + 1).toString(16).padStart(64, '0'), 'hex'))
  return bls.encodeSignature(bls.sign(secret, exitRoot(seed)))
}

/** A new cluster: a random polynomial of degree threshold − 1, its values at the share indexes. */
export function createCluster(shareIndexes: readonly bigint[], threshold: number): TestValidator {
  const polynomial = Array.from({ length: threshold }, () => secureRandomScalar())
  const valueAt = (x: bigint) => polynomial.reduceRight((sum, a) => (sum * x + a) % GROUP_ORDER, 0n)
  const publicKeyAt = (x: bigint) => toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(valueAt(x)))))
  const signAt = (x: bigint, root: Uint8Array) =>
    bls.encodeSignature(bls.sign(secretFromScalar(valueAt(x)), root))
  return {
    validator: {
      publicKey: publicKeyAt(0n),
      threshold,
      shares: new Map(shareIndexes.map((index) => [index, publicKeyAt(index)])),
      source: 'new cluster',
    },
    sign: (shareIndex, validatorIndex) => signAt(shareIndex, exitRoot(validatorIndex)),
    signRoot: signAt,
  }
}
