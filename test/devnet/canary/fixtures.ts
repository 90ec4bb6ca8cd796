/** The secrets of the bundled clusters: real Charon directories, a real SSV cluster, the recorded one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PublicKeyHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import type { Canary } from './canary.js'
import { addPrivateKey } from './private-keys.js'
import { publicKeyFrom } from './validator-keys.js'

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const OBOL = join(FIXTURES, 'obol')
const SSV = join(FIXTURES, 'ssv/ssv-4op')

interface ObolCluster {
  readonly cluster: string
  readonly validators: readonly { distributed_public_key: PublicKeyHex; root_secret: string }[]
  readonly node_shares: readonly {
    readonly share_index: number
    readonly dir: string
    readonly validators: readonly { validator: number; password: string; share_secret: string }[]
  }[]
}
interface SsvCluster {
  readonly validators: readonly {
    readonly name: string
    readonly publicKey: PublicKeyHex
    readonly validatorSecretKey: string
    readonly shares: Readonly<Record<string, { readonly shareSecretKey: string }>>
  }[]
  /** By operator, then by public key. */
  readonly finalByOperator: Readonly<Record<string, Readonly<Record<string, { shareSecretKey: string }>>>>
}
interface RecordedCluster {
  readonly validators: readonly {
    readonly public_key: PublicKeyHex
    readonly secret: string
    readonly shares: readonly { readonly index: number; readonly sk: string }[]
  }[]
  readonly oracle_secret_keys: readonly string[]
}

const read = (file: string): string => readFileSync(file, 'utf8')
const readJson = (file: string): unknown => JSON.parse(read(file))

/** Adds everything secret of the test data that processes are given. */
export function addFixtures(canary: Canary): void {
  for (const file of readdirSync(OBOL).filter((name) => name.endsWith('.EXPECTED.json')))
    addObolCluster(canary, readJson(join(OBOL, file)) as ObolCluster)
  addSsvCluster(canary, readJson(join(SSV, 'EXPECTED.json')) as SsvCluster)
  addSsvOperators(canary)
  addRecordedCluster(canary, readJson(join(FIXTURES, 'wire/keys.json')) as RecordedCluster)
}

function addObolCluster(canary: Canary, { cluster, validators, node_shares: nodes }: ObolCluster): void {
  for (const [i, validator] of validators.entries()) {
    canary.validators.add({
      name: `${cluster}/${i}`,
      network: loadNetwork('hoodi'),
      publicKey: publicKeyFrom(validator.distributed_public_key),
      whole: { secret: validator.root_secret },
      shares: nodes.map((node) => ({
        node: `share index ${node.share_index}`,
        secret: node.validators.find(({ validator }) => validator === i)?.share_secret ?? '',
      })),
    })
  }
  for (const node of nodes) {
    const of = `${cluster}, share index ${node.share_index}`
    const enrKey = join(OBOL, cluster, node.dir, 'charon-enr-private-key')
    if (existsSync(enrKey)) canary.secrets.addKey(`the ENR key of ${of}`, read(enrKey).trim())
    for (const { password } of node.validators)
      canary.secrets.addText(`a keystore's password of ${of}`, password)
  }
}

function addSsvCluster(canary: Canary, { validators, finalByOperator }: SsvCluster): void {
  for (const { name, publicKey, validatorSecretKey, shares } of validators) {
    const sharings = [
      ...Object.entries(shares),
      // A validator that was removed and added again has another sharing.
      ...Object.entries(finalByOperator).flatMap(([id, keys]) => {
        const share = keys[publicKey]
        return share === undefined ? [] : [[id, share] as const]
      }),
    ]
    const secrets = new Map(sharings.map(([id, { shareSecretKey }]) => [shareSecretKey, `operator ${id}`]))
    canary.validators.add({
      name: `ssv-4op/${name}`,
      network: loadNetwork('hoodi'),
      publicKey: publicKeyFrom(publicKey),
      whole: { secret: validatorSecretKey },
      shares: [...secrets].map(([secret, node]) => ({ node, secret })),
    })
  }
  for (const [id, keys] of Object.entries(finalByOperator)) {
    for (const [publicKey, { shareSecretKey }] of Object.entries(keys))
      canary.secrets.addKey(`the key share of operator ${id} of ${publicKey}`, shareSecretKey)
  }
}

function addSsvOperators(canary: Canary): void {
  for (const id of readdirSync(join(SSV, 'operators'))) {
    const folder = join(SSV, 'operators', id)
    canary.secrets.addText(`the password of operator ${id}`, read(join(folder, 'password')).trim())
    addPrivateKey(canary.secrets, `the key of operator ${id}`, read(join(folder, 'private_key.base64')))
  }
}

function addRecordedCluster(
  canary: Canary,
  { validators, oracle_secret_keys: oracles }: RecordedCluster,
): void {
  for (const [i, { public_key: publicKey, secret, shares }] of validators.entries()) {
    canary.validators.add({
      name: `recorded/${i}`,
      network: loadNetwork('hoodi'),
      publicKey: publicKeyFrom(publicKey),
      whole: { secret },
      shares: shares.map(({ index, sk }) => ({ node: `share index ${index}`, secret: sk })),
    })
  }
  canary.oracles.add(oracles.map((secret) => Buffer.from(secret.replace(/^0x/, ''), 'hex')))
}
