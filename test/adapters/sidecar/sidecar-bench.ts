/** A sidecar with everything around it: a relayer, a beacon node's registry, a clock and a log of the test's own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuditLog } from '../../../adapters/sidecar/audit-log.js'
import type { DepositRequest } from '../../../adapters/sidecar/deposit-rules.js'
import type { ExitRequest, ValidatorRegistry } from '../../../adapters/sidecar/exit-check.js'
import { Sidecar, type SidecarParts } from '../../../adapters/sidecar/sidecar.js'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { RelayerValidators } from '../../../core/clients/relayer-validators.js'
import { UnavailableError } from '../../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import type { ExitSigner } from '../../../core/signer.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import { TestSigner } from '../../doubles/signer.js'

export const network = loadNetwork('hoodi')
export const HOUR = 3_600_000

export interface PostedBody {
  share_index: number
  shares: { public_key: PublicKeyHex; exit_signature: string }[]
}

/** Distributed validators of four nodes. */
export const cluster = JSON.parse(
  await readFile(new URL('../../fixtures/wire/keys.json', import.meta.url), 'utf8'),
) as { validators: { public_key: PublicKeyHex; shares: { index: number; sk: string; pk: string }[] }[] }
/** The validators whose exits are wanted. */
export const KEYS = cluster.validators.slice(0, 3).map(({ public_key }) => public_key)
export const [A, B, C] = KEYS as [PublicKeyHex, PublicKeyHex, PublicKeyHex]

/** The node with this share index. */
export function node(index: number): TestSigner {
  const secret = (shares: { index: number; sk: string }[]) =>
    shares.find((share) => share.index === index)?.sk ?? ''
  return new TestSigner(
    network,
    BigInt(index),
    cluster.validators.map(({ public_key, shares }) => [public_key, secret(shares)] as const),
  )
}

/** A beacon node's head state: keys and how many validators there are. */
export class TestRegistry implements ValidatorRegistry {
  readonly keys = new Set<PublicKeyHex>()
  length = 1000
  down = false
  readonly questions: { publicKeys: readonly PublicKeyHex[]; indexes: readonly number[] }[] = []

  async knownValidators(publicKeys: readonly PublicKeyHex[], indexes: readonly number[]) {
    this.questions.push({ publicKeys, indexes })
    if (this.down) throw new UnavailableError('BEACON_SYNCING', 'the beacon node is syncing')
    return {
      publicKeys: new Set(publicKeys.filter((key) => this.keys.has(key))),
      indexes: new Set(indexes.filter((index) => index < this.length)),
    }
  }
}

/** What is posted for validators whose deposits are wanted too. */
export interface PostedSignatures {
  readonly share_index: number
  readonly shares: readonly {
    readonly public_key: PublicKeyHex
    readonly public_key_shares: readonly { share_index: number; public_key_share: PublicKeyHex }[]
    readonly exit_signature: Hex
    readonly deposit_signature: Hex
  }[]
}

export class SidecarBench {
  readonly registry = new TestRegistry()
  readonly clock = new TestClock()
  readonly log = new TestLog()
  /** What the relayer lists. */
  wanted: (ExitRequest & { ready?: boolean; shares?: number[] })[] = KEYS.map((publicKey, i) => ({
    publicKey,
    validatorIndex: 1000 + i,
  }))
  /** What it lists in dialect 2; undefined: it speaks dialect 1 alone. */
  validators: (DepositRequest & { validatorIndex: number; ready?: boolean; shares?: number[] })[] | undefined
  /** Keys whose shares the relayer rejects. */
  readonly rejectedKeys = new Set<string>()
  readonly relayer = new RelayerDouble(({ method, path, body }) => {
    if (path === '/info') return { body: { network: 'hoodi' } }
    if (method === 'GET' && path === '/validators') {
      return this.validators === undefined
        ? { status: 405 }
        : { body: { validators: this.validators.map(listedValidator) } }
    }
    if (method === 'GET' && path === '/exits' && this.validators !== undefined && this.wanted.length === 0) {
      return undefined
    }
    if (method === 'GET' && path === '/exits') return { body: { exits: this.wanted.map(listed) } }
    if (path !== '/exit-signature' && path !== '/signatures') return undefined
    const { shares } = JSON.parse(body) as PostedBody
    const rejected = shares.filter(({ public_key }) => this.rejectedKeys.has(public_key))
    const which = path === '/signatures' ? { signature: 'deposit' } : {}
    return {
      body: {
        rejected: rejected.map(({ public_key }) => ({ public_key, ...which, reason: 'wrong-signature' })),
      },
    }
  })
  #folder = ''

  async start(): Promise<this> {
    this.#folder = await mkdtemp(join(tmpdir(), 'sidecar-'))
    await this.relayer.start()
    return this
  }

  async stop(): Promise<void> {
    await this.relayer.stop()
    await rm(this.#folder, { recursive: true })
  }

  get auditFile(): string {
    return join(this.#folder, 'audit.log')
  }

  /** A sidecar that starts now, over the audit log that there is. */
  async sidecar(signers: ExitSigner[], changes: Partial<SidecarParts> = {}): Promise<Sidecar> {
    const audit = new AuditLog(this.auditFile)
    const relayer = new RelayerClient(this.relayer.url)
    return new Sidecar({
      signers,
      relayer,
      validators: new RelayerValidators(relayer.connection),
      network,
      rules: { registry: this.registry, allowActive: new Set() },
      audit,
      past: await audit.entriesSince(this.clock.now() - HOUR),
      maxPerHour: 1000,
      pollInterval: 2000,
      clock: this.clock,
      logger: this.log.logger,
      random: () => 0.5,
      ...changes,
    })
  }

  /** One pass over the wanted exits. */
  round(sidecar: Sidecar): Promise<void> {
    return sidecar.round(new AbortController().signal)
  }

  posts(): PostedBody[] {
    return this.relayer.to('POST', '/exit-signature').map(({ body }) => JSON.parse(body) as PostedBody)
  }

  /** The keys of each post. */
  postedKeys(): PublicKeyHex[][] {
    return this.posts().map(({ shares }) => shares.map(({ public_key }) => public_key))
  }

  postedSignatures(): PostedSignatures[] {
    return this.relayer.to('POST', '/signatures').map(({ body }) => JSON.parse(body) as PostedSignatures)
  }

  /** The keys of each post of exits with deposits. */
  postedValidators(): PublicKeyHex[][] {
    return this.postedSignatures().map(({ shares }) => shares.map(({ public_key }) => public_key))
  }

  async auditLines(): Promise<Record<string, unknown>[]> {
    const text = await readFile(this.auditFile, 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

function listedValidator({
  publicKey,
  validatorIndex,
  vault,
  amount,
  type,
  ready = false,
  shares = [],
}: DepositRequest & { validatorIndex: number; ready?: boolean; shares?: number[] }) {
  return {
    public_key: publicKey,
    vault,
    amount: Number(amount),
    validator_type: type,
    validator_index: validatorIndex,
    is_signatures_ready: ready,
    share_indexes_ready: shares,
  }
}

function listed({ publicKey, validatorIndex, ready = false, shares = [] }: SidecarBench['wanted'][number]) {
  return {
    public_key: publicKey,
    validator_index: validatorIndex,
    is_exit_signature_ready: ready,
    share_indexes_ready: shares,
  }
}
