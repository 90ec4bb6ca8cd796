/** Every exit and deposit of the bundled clusters whose partial and full signatures are known. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSignature } from '../../../core/bls/points.js'
import type { SignatureShare } from '../../../core/bls/threshold.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import type { DepositMessage } from '../../../core/messages/deposit.js'
import type { VoluntaryExit } from '../../../core/messages/voluntary-exit.js'

/** One message with what each node and the whole key sign for it. */
export interface GoldenMessage {
  readonly name: string
  readonly threshold: number
  readonly publicKey: PublicKeyHex
  /** Public share and secret share by share index. */
  readonly publicShares: ReadonlyMap<bigint, Hex>
  readonly secretShares: ReadonlyMap<bigint, Hex>
  readonly content:
    | { readonly exit: VoluntaryExit; readonly domain: Hex }
    | { readonly deposit: DepositMessage }
  readonly messageRoot: Hex | undefined
  readonly signingRoot: Hex
  /** Partial signature by share index. */
  readonly partials: ReadonlyMap<bigint, Hex>
  readonly signature: Hex
}

interface ObolSignatures {
  signing_root: Hex
  partial_signatures: { share_index: number; signature: Hex }[]
  full_signature: Hex
}
interface ObolExit extends ObolSignatures {
  epoch: number
  validator_index: number
  message_root: Hex
  domain: Hex
}
interface ObolCluster {
  cluster: string
  threshold: number
  validators: {
    index: number
    distributed_public_key: Hex
    public_shares: Hex[]
    golden_exit: ObolExit
    golden_exit_alt?: ObolExit
    golden_deposit: ObolSignatures & { amount_gwei: string; withdrawal_credentials: Hex }
  }[]
  node_shares: { share_index: number; validators: { validator: number; share_secret: Hex }[] }[]
}
interface SsvMessage {
  signingRoot: Hex
  partials: Record<string, Hex>
  signature: Hex
}
interface SsvCluster {
  cluster: { threshold: number }
  eip7044: { domain: Hex }
  validators: {
    name: string
    publicKey: Hex
    shares: Record<string, { sharePublicKey: Hex; shareSecretKey: Hex }>
    exits: (SsvMessage & { validatorIndex: number; epoch: number; objectRoot: Hex })[]
    deposits: (SsvMessage & { amountGwei: string; withdrawalCredentials: Hex; messageRoot: Hex })[]
  }[]
}

const readFixture = (path: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url)), 'utf8'))

function obolMessages(cluster: string): GoldenMessage[] {
  const expected = readFixture(`obol/${cluster}.EXPECTED.json`) as ObolCluster
  return expected.validators.flatMap((validator) => {
    const key = {
      threshold: expected.threshold,
      publicKey: validator.distributed_public_key,
      publicShares: new Map(validator.public_shares.map((share, i) => [BigInt(i + 1), share] as const)),
      secretShares: new Map(
        expected.node_shares.flatMap((node) =>
          node.validators
            .filter((share) => share.validator === validator.index)
            .map((share) => [BigInt(node.share_index), share.share_secret] as const),
        ),
      ),
    }
    const signed = (message: ObolSignatures) => ({
      signingRoot: message.signing_root,
      partials: new Map(message.partial_signatures.map((p) => [BigInt(p.share_index), p.signature] as const)),
      signature: message.full_signature,
    })
    const name = `${cluster} validator ${validator.index}`
    const { golden_exit: exit, golden_exit_alt: later } = validator
    const exits = (later === undefined ? [exit] : [exit, later]).map((exit) => ({
      ...key,
      ...signed(exit),
      name: `${name} exit at epoch ${exit.epoch}`,
      content: {
        exit: { epoch: exit.epoch, validatorIndex: exit.validator_index },
        domain: exit.domain,
      },
      messageRoot: exit.message_root,
    }))
    const deposit = validator.golden_deposit
    return [
      ...exits,
      {
        ...key,
        ...signed(deposit),
        name: `${name} deposit`,
        content: {
          deposit: {
            publicKey: validator.distributed_public_key,
            withdrawalCredentials: deposit.withdrawal_credentials,
            amount: BigInt(deposit.amount_gwei),
          },
        },
        messageRoot: undefined,
      },
    ]
  })
}

function ssvMessages(): GoldenMessage[] {
  const expected = readFixture('ssv/ssv-4op/EXPECTED.json') as SsvCluster
  return expected.validators.flatMap((validator) => {
    const shares = Object.entries(validator.shares)
    const key = {
      threshold: expected.cluster.threshold,
      publicKey: validator.publicKey,
      publicShares: new Map(shares.map(([id, share]) => [BigInt(id), share.sharePublicKey] as const)),
      secretShares: new Map(shares.map(([id, share]) => [BigInt(id), share.shareSecretKey] as const)),
    }
    const signed = (message: SsvMessage) => ({
      signingRoot: message.signingRoot,
      partials: new Map(Object.entries(message.partials).map(([id, share]) => [BigInt(id), share] as const)),
      signature: message.signature,
    })
    return [
      ...validator.exits.map((exit) => ({
        ...key,
        ...signed(exit),
        name: `ssv-4op ${validator.name} exit ${exit.validatorIndex} at epoch ${exit.epoch}`,
        content: {
          exit: { epoch: exit.epoch, validatorIndex: exit.validatorIndex },
          domain: expected.eip7044.domain,
        },
        messageRoot: exit.objectRoot,
      })),
      ...validator.deposits.map((deposit, i) => ({
        ...key,
        ...signed(deposit),
        name: `ssv-4op ${validator.name} deposit ${i}`,
        content: {
          deposit: {
            publicKey: validator.publicKey,
            withdrawalCredentials: deposit.withdrawalCredentials,
            amount: BigInt(deposit.amountGwei),
          },
        },
        messageRoot: deposit.messageRoot,
      })),
    ]
  })
}

/** All of them: 4 Obol validators in three clusters, 3 SSV validators in one. */
export function goldenMessages(): GoldenMessage[] {
  return [
    ...obolMessages('obol-4n3t-hoodi'),
    ...obolMessages('obol-4n3t-hoodi-secure'),
    ...obolMessages('obol-16n10t-hoodi'),
    ...ssvMessages(),
  ]
}

/** The partial signatures of some nodes, decoded. */
export function sharesOf(golden: GoldenMessage, indexes: readonly bigint[]): SignatureShare[] {
  return indexes.map((index) => ({ index, signature: parseSignature(golden.partials.get(index) ?? '') }))
}
