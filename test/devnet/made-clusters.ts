/** Clusters made anew for a test: of other sizes, share indexes and file forms than the bundled ones. */
import { constants, generateKeyPairSync, type KeyObject, publicEncrypt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  encodeAbiParameters,
  encodeEventTopics,
  keccak256,
  parseAbi,
  stringToBytes,
  toHex as viemHex,
} from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { bls } from '../../core/bls/backend.js'
import { modulo } from '../../core/bls/lagrange.js'
import { secretFromScalar, secureRandomScalar } from '../../core/bls/threshold.js'
import { type Hex, toHex } from '../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import { type Kdf, keystoreMaker } from '../doubles/keystore.js'
import { addPrivateKey } from './canary/private-keys.js'
import { inFile } from './canary/secrets.js'
import { canaryInUse } from './canary/shared.js'
import type { RecordedLog } from './chain.js'
import type { BundledValidator } from './clusters.js'

const VAULT: Hex = `0x${'ba'.repeat(20)}`
const abi = parseAbi([
  'event OperatorAdded(uint64 indexed operatorId, address indexed owner, bytes publicKey, uint256 fee)',
  'event ValidatorAdded(address indexed owner, uint64[] operatorIds, bytes publicKey, bytes shares, (uint32 validatorCount, uint64 networkFeeIndex, uint64 index, bool active, uint256 balance) cluster)',
])

const bytesOf = (scalar: bigint) => Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
const publicKeyOf = (scalar: bigint) => toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(scalar))))

/** A key and its shares at the given indexes, any `threshold` of which make it. */
function shareKey(indexes: readonly bigint[], threshold: number) {
  const coefficients = Array.from({ length: threshold }, secureRandomScalar)
  const at = (x: bigint) => coefficients.reduceRight((sum, coefficient) => modulo(sum * x + coefficient), 0n)
  return { secret: at(0n), shares: indexes.map(at) }
}

/** Lets the canary look for a made key, its shares, and what is signed with them. */
function keepSecret(
  network: Network,
  name: string,
  { secret, shares }: ReturnType<typeof shareKey>,
  nodes: readonly string[],
): void {
  canaryInUse()?.validators.add({
    name,
    network,
    publicKey: publicKeyOf(secret),
    whole: { secret: bytesOf(secret).toString('hex') },
    shares: shares.map((share, i) => ({ node: nodes[i] ?? '?', secret: bytesOf(share).toString('hex') })),
  })
}

function madeValidator(
  network: Network,
  stack: 'obol' | 'ssv',
  name: string,
  secret: bigint,
): BundledValidator {
  const message = {
    publicKey: publicKeyOf(secret),
    withdrawalCredentials: withdrawalCredentials('0x01', VAULT),
    amount: 32_000_000_000n,
  }
  const signature = bls.sign(secretFromScalar(secret), depositSigningRoot(network, message))
  return {
    stack,
    name,
    publicKey: message.publicKey,
    secretKey: `0x${bytesOf(secret).toString('hex')}`,
    deposit: {
      pubkey: message.publicKey,
      amount: 32_000_000_000,
      signature: toHex(bls.encodeSignature(signature)),
      withdrawal_credentials: message.withdrawalCredentials,
    },
  }
}

export interface MadeObolCluster {
  readonly validators: readonly BundledValidator[]
  readonly lockFile: string
  /** The keystores directory with {node_index} in it. */
  readonly template: string
}

/** Writes the directories of a Charon cluster, with an unsigned lock as `add-validators --unverified` leaves it. */
export function makeObolCluster(
  folder: string,
  network: Network,
  { nodes, threshold, validators, kdf }: { nodes: number; threshold: number; validators: number; kdf: Kdf },
): MadeObolCluster {
  const indexes = Array.from({ length: nodes }, (_, node) => BigInt(node + 1))
  const keys = Array.from({ length: validators }, () => shareKey(indexes, threshold))
  for (const [i, key] of keys.entries())
    keepSecret(
      network,
      `made-obol/${i}`,
      key,
      indexes.map((index) => `share index ${index}`),
    )
  const lock = JSON.stringify({
    cluster_definition: {
      name: 'made',
      version: 'v1.7.0',
      threshold,
      num_validators: validators,
      fork_version: network.genesisForkVersion,
      operators: indexes.map(() => ({ address: '', enr: '' })),
      validators: keys.map(() => ({ fee_recipient_address: VAULT, withdrawal_address: VAULT })),
    },
    distributed_validators: keys.map(({ secret, shares }) => ({
      distributed_public_key: publicKeyOf(secret),
      public_shares: shares.map(publicKeyOf),
    })),
    lock_hash: `0x${'11'.repeat(32)}`,
    signature_aggregate: '',
  })
  for (let node = 0; node < nodes; node++) {
    const directory = join(folder, `node${node}`, 'validator_keys')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(folder, `node${node}`, 'cluster-lock.json'), lock)
    const password = `pass wörd ${node}`
    const make = keystoreMaker(password, kdf)
    for (const [i, { shares }] of keys.entries()) {
      const share = shares[node] ?? 0n
      writeFileSync(
        join(directory, `keystore-${i}.json`),
        JSON.stringify(make(bytesOf(share), publicKeyOf(share).slice(2))),
      )
      const passwordFile = join(directory, `keystore-${i}.txt`)
      writeFileSync(passwordFile, `${password}\n`)
      canaryInUse()?.secrets.addText(`a keystore's password of node ${node}`, password, inFile(passwordFile))
    }
  }
  return {
    validators: keys.map(({ secret }, i) => madeValidator(network, 'obol', `made-obol/${i}`, secret)),
    lockFile: join(folder, 'node0', 'cluster-lock.json'),
    template: join(folder, 'node{node_index}', 'validator_keys'),
  }
}

export interface MadeSsvCluster {
  readonly owner: Hex
  readonly validators: readonly BundledValidator[]
  readonly logs: readonly RecordedLog[]
  /** Each operator's private key as an unencrypted file of SSV's has it: base64 of a PEM. */
  readonly operatorKeys: ReadonlyMap<bigint, string>
}

/** Registers operators and validators of a new owner with SSVNetwork, as its contract would log it. */
export function makeSsvCluster(
  network: Network,
  {
    operatorIds,
    threshold,
    validators,
  }: { operatorIds: readonly bigint[]; threshold: number; validators: number },
): MadeSsvCluster {
  const owner = privateKeyToAddress(viemHex(bytesOf(secureRandomScalar())))
  const operators = new Map(
    operatorIds.map((id) => [id, generateKeyPairSync('rsa', { modulusLength: 2048 })]),
  )
  const logs: RecordedLog[] = []
  const emit = (topics: readonly Hex[], data: Hex) => {
    const blockNumber = (network.ssvNetwork?.block ?? 0) + 100 + logs.length
    logs.push({
      address: network.ssvNetwork?.address ?? VAULT,
      topics,
      data,
      blockNumber: `0x${blockNumber.toString(16)}`,
      blockHash: keccak256(stringToBytes(`made ${owner} ${blockNumber}`)),
      transactionHash: keccak256(stringToBytes(`made transaction ${owner} ${blockNumber}`)),
      logIndex: '0x0',
    })
  }
  for (const [id, { publicKey }] of operators) {
    const topics = encodeEventTopics({ abi, eventName: 'OperatorAdded', args: { operatorId: id, owner } })
    const encoded = encodeAbiParameters([{ type: 'string' }], [registeredForm(publicKey)])
    emit(topics as Hex[], encodeAbiParameters([{ type: 'bytes' }, { type: 'uint256' }], [encoded, 0n]))
  }
  const made = Array.from({ length: validators }, (_, nonce) => {
    const key = shareKey(operatorIds, threshold)
    const { secret, shares } = key
    keepSecret(
      network,
      `made-ssv/${nonce}`,
      key,
      operatorIds.map((id) => `operator ${id}`),
    )
    const message = keccak256(stringToBytes(`${owner}:${nonce}`), 'bytes')
    const proof = Buffer.from(bls.encodeSignature(bls.sign(secretFromScalar(secret), message)))
    const sharePublicKeys = shares.map((share) => Buffer.from(publicKeyOf(share).slice(2), 'hex'))
    const encrypted = [...operators.values()].map(({ publicKey }, i) =>
      publicEncrypt(
        { key: publicKey, padding: constants.RSA_PKCS1_PADDING },
        Buffer.from(bytesOf(shares[i] ?? 0n).toString('hex')),
      ),
    )
    const data = encodeAbiParameters(
      [
        { type: 'uint64[]' },
        { type: 'bytes' },
        { type: 'bytes' },
        {
          type: 'tuple',
          components: [
            { type: 'uint32' },
            { type: 'uint64' },
            { type: 'uint64' },
            { type: 'bool' },
            { type: 'uint256' },
          ],
        },
      ],
      [
        [...operatorIds],
        publicKeyOf(secret),
        viemHex(Buffer.concat([proof, ...sharePublicKeys, ...encrypted])),
        [1, 0n, 0n, true, 0n],
      ],
    )
    emit(encodeEventTopics({ abi, eventName: 'ValidatorAdded', args: { owner } }) as Hex[], data)
    return madeValidator(network, 'ssv', `made-ssv/${nonce}`, secret)
  })
  const keyFile = (key: KeyObject) =>
    Buffer.from(key.export({ type: 'pkcs1', format: 'pem' }) as string).toString('base64')
  const operatorKeys = new Map([...operators].map(([id, { privateKey }]) => [id, keyFile(privateKey)]))
  for (const [id, key] of operatorKeys) {
    const canary = canaryInUse()
    if (canary !== undefined) addPrivateKey(canary.secrets, `the key of operator ${id}`, key)
  }
  return { owner, validators: made, logs, operatorKeys }
}

/** Base64 of a PEM that is labelled RSA PUBLIC KEY and holds SPKI, as SSV registers it. */
function registeredForm(publicKey: KeyObject): string {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  return Buffer.from(pem.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY')).toString('base64')
}
