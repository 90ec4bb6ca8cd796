/** The recorded requests and answers of the Python relayer v0.3.1, replayed against ours. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSecretKey, parseSignature } from '../../../core/bls/points.js'
import { recoverPublicKey, recoverSignature } from '../../../core/bls/threshold.js'
import { fromHex, type PublicKeyHex, toHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { openAsOracle } from '../../../core/oracles/seal.js'
import type { DistributedValidator } from '../../../core/signer.js'
import type { App } from '../../../relayer/http/fastify.js'

interface Recorded {
  readonly name: string
  readonly request: {
    readonly method: 'GET' | 'POST' | 'OPTIONS' | 'HEAD'
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string | null
  }
  readonly response: { readonly status: number; readonly body: string }
}

interface RecordedValidator {
  readonly public_key: PublicKeyHex
  readonly secret: string
  readonly shares: readonly { readonly index: number; readonly sk: string; readonly pk: PublicKeyHex }[]
}

const read = (name: string): unknown =>
  parseJson(readFileSync(new URL(`../../fixtures/wire/${name}`, import.meta.url), 'utf8'))

export const KEYS = read('keys.json') as {
  readonly threshold: number
  readonly validators: readonly RecordedValidator[]
  readonly oracles_config: { readonly exit_signature_recover_threshold: number }
  readonly oracle_secret_keys: readonly string[]
}
export const NETWORK = loadNetwork('hoodi')

/** The recorded clusters' public shares, as a cluster lock would give them. */
export function recordedClusters(): DistributedValidator[] {
  return KEYS.validators.map((validator) => ({
    publicKey: validator.public_key,
    threshold: KEYS.threshold,
    shares: new Map(validator.shares.map((share) => [BigInt(share.index), share.pk])),
    source: 'keys.json',
  }))
}

/** The share that a node signs, hex. */
export function shareOf(n: number, node: number, validatorIndex: number): string {
  const secret = KEYS.validators[n]?.shares.find((share) => share.index === node)?.sk ?? ''
  const message = voluntaryExitSigningRoot(NETWORK, presignedExit(NETWORK, validatorIndex))
  return toHex(bls.encodeSignature(bls.sign(parseSecretKey(fromHex(secret)), message)))
}

/** One recording, by its name. */
export class Transcript {
  readonly rows: readonly Recorded[]

  constructor(name: string) {
    this.rows = read(`relayer-v0.3.1-${name}.json`) as readonly Recorded[]
  }

  /** The row that has this name, the n-th of them. */
  row(name: string, n = 0): Recorded {
    const row = this.rows.filter((candidate) => candidate.name === name)[n]
    if (row === undefined) throw new Error(`no recorded row ${name}`)
    return row
  }
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, unknown>>
}

/** Sends a recorded request to our app, with the loopback Host that it was recorded with. */
export async function replay(app: App, { request }: Recorded): Promise<Answer> {
  const answer = await app.inject({
    method: request.method,
    url: request.path,
    headers: { ...request.headers, host: '127.0.0.1:18003' },
    ...(request.body === null ? {} : { payload: request.body }),
  })
  return { status: answer.statusCode, body: parsed(answer.body), headers: answer.headers }
}

/** The recorded answer. */
export function recordedAnswer({ response }: Recorded): { status: number; body: unknown } {
  return { status: response.status, body: parsed(response.body) }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return text
  }
}

/** An answer without what may differ: times, and the random parts of the oracles. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  const { created_at_timestamp, created_at_string, ...rest } = value as Record<string, unknown>
  if (created_at_timestamp !== undefined) {
    expect(created_at_timestamp).to.be.a('number')
    expect(created_at_string).to.match(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0000$/)
  }
  if ('encrypted_exit_signatures' in rest) return 'oracles’ parts'
  return Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, comparable(inner)]))
}

interface ValidatorsAnswer {
  readonly validators: readonly {
    readonly public_key: string
    readonly oracles_exit_signature_shares: OracleParts | null
  }[]
}
export interface OracleParts {
  readonly public_keys: readonly string[]
  readonly encrypted_exit_signatures: readonly string[]
}

/** The oracles' parts of one key in an answer to POST /validators. */
export function partsOf(body: unknown, publicKey: string): OracleParts {
  const validator = (body as ValidatorsAnswer).validators.find((item) => item.public_key === publicKey)
  const parts = validator?.oracles_exit_signature_shares
  if (parts === null || parts === undefined) throw new Error(`no parts of ${publicKey}`)
  return parts
}

/** Every oracle opens its part, and any `threshold` of them make the signature of the whole key. */
export function expectRightParts(parts: OracleParts, publicKey: string, validatorIndex: number): void {
  const secret = KEYS.validators.find((validator) => validator.public_key === publicKey)?.secret ?? ''
  const message = voluntaryExitSigningRoot(NETWORK, presignedExit(NETWORK, validatorIndex))
  const whole = toHex(bls.encodeSignature(bls.sign(parseSecretKey(fromHex(secret)), message)))
  expect(parts.encrypted_exit_signatures).to.have.length(KEYS.oracle_secret_keys.length)
  const opened = KEYS.oracle_secret_keys.map((oracleSecret, i) => ({
    index: BigInt(i + 1),
    publicKey: parsePublicKey(parts.public_keys[i] ?? ''),
    signature: parseSignature(
      openAsOracle(fromHex(oracleSecret), fromHex(parts.encrypted_exit_signatures[i] ?? '', 193)),
    ),
  }))
  for (const part of opened) expect(bls.verify({ ...part, message }), `oracle ${part.index}`).to.equal(true)
  const threshold = KEYS.oracles_config.exit_signature_recover_threshold
  for (const subset of [opened.slice(0, threshold), opened.slice(-threshold)]) {
    expect(toHex(bls.encodeSignature(recoverSignature(subset)))).to.equal(whole)
    expect(toHex(bls.encodePublicKey(recoverPublicKey(subset)))).to.equal(publicKey)
  }
}
