/** Oracles that approve registrations, each with a server of its own, as strict as the real ones. */
import { createHash } from 'node:crypto'
import { concatHex, isAddress, isAddressEqual } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { z } from 'zod'
import type { Hex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { consolidationTypedData, oracleApprovalTypedData } from '../../../core/vault/signatures.js'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from '../http-double.js'
import { oracleAccounts } from '../oracles.js'
import { type CheckedVault, checkApproval } from './approval-checks.js'
import { type ApprovalRequest, parseApproval } from './approval-request.js'
import { type RecoverableExit, recoverableExits } from './held-exits.js'

/** What one oracle does wrong: it signs something else, or names another content, or another deadline. */
export type OracleFault = 'bad-signature' | 'other-cid' | 'other-deadline'

/** Seconds that it moves the deadline, where it does that. */
const OTHER_DEADLINE = 7n

export interface OracleServersOptions extends CheckedVault {
  /** How many servers each oracle has; one unless given. */
  readonly replicas?: number
}

const consolidationRequest = z.strictObject({
  public_keys: z.array(z.string().regex(/^0x[0-9a-f]{96}$/)).min(1),
  vault_address: z.string().refine((text) => isAddress(text)),
})

/** One replica of an oracle. How it fails is in `faults` and `wrong`. */
export class OracleServer extends HttpDouble {
  /** Which oracle it is one of, in the protocol config's order. */
  readonly position: number
  /** Set to undefined for right answers. */
  wrong: OracleFault | undefined
  /** The bodies that it was sent, oldest first. */
  readonly bodies: string[] = []
  /** What it has approved, oldest first. */
  readonly approved: ApprovalRequest[] = []
  /** Why it said no, oldest first. */
  readonly refusals: string[] = []
  /** Called before a request is looked at, and before an approval is answered. */
  beforeCheck: () => unknown = () => undefined
  beforeAnswer: () => unknown = () => undefined
  /** Milliseconds that its clock is ahead. */
  ahead = 0
  readonly #account: PrivateKeyAccount
  readonly #options: OracleServersOptions

  constructor(position: number, account: PrivateKeyAccount, options: OracleServersOptions) {
    super()
    this.position = position
    this.#account = account
    this.#options = options
  }

  protected override kindOf({ method }: DoubleRequest): string {
    return method
  }

  protected override async answer({ method, path, body }: DoubleRequest): Promise<DoubleAnswer> {
    if (method !== 'POST') return { status: 405, body: 'only POST' }
    if (path === '/consolidate-validators/') return this.#consolidate(body)
    this.bodies.push(body)
    await this.beforeCheck()
    const request = parseApproval(body)
    if (typeof request === 'string') return this.#refuse(request)
    const { now = Date.now } = this.#options
    const checked = { ...this.#options, now: () => now() + this.ahead }
    const refusal = await checkApproval(request, this.position, checked)
    if (refusal !== undefined) return this.#refuse(refusal)
    this.approved.push(request)
    await this.beforeAnswer()
    return { status: 200, body: await this.#approve(request) }
  }

  /** Lets validators become compounding, each its own target. */
  async #consolidate(body: string): Promise<DoubleAnswer> {
    const request = consolidationRequest.safeParse(parseJson(body))
    if (!request.success) return this.#refuse(`unexpected shape: ${request.error.message}`)
    const { public_keys, vault_address } = request.data
    const { network, vault } = this.#options
    if (!isAddressEqual(vault_address as Hex, vault)) return this.#refuse('unknown vault')
    const checker = network.consolidationsChecker?.address ?? vault
    const validators = concatHex((public_keys as Hex[]).flatMap((key) => [key, key]))
    const message = { vault: this.wrong === 'bad-signature' ? checker : vault, validators }
    const signature = await this.#account.signTypedData(consolidationTypedData(network, checker, message))
    return { status: 200, body: { signature } }
  }

  #refuse(message: string): DoubleAnswer {
    this.refusals.push(message)
    return { status: 400, body: [{ code: 400, message }] }
  }

  async #approve(request: ApprovalRequest): Promise<unknown> {
    const content = JSON.stringify([request.publicKeys, request.exitSignatureShards, request.publicKeyShards])
    const ipfsHash = cidOf(this.wrong === 'other-cid' ? `${content} ${this.position}` : content)
    const deadline = request.deadline + (this.wrong === 'other-deadline' ? OTHER_DEADLINE : 0n)
    const message = {
      validatorsRegistryRoot: request.validatorsRoot,
      vault: this.#options.vault,
      validators: this.wrong === 'bad-signature' ? ('0x' as const) : request.validators,
      exitSignaturesIpfsHash: ipfsHash,
      deadline,
    }
    const signature = await this.#account.signTypedData(
      oracleApprovalTypedData(this.#options.network, message),
    )
    return { ipfs_hash: ipfsHash, signature, deadline: Number(deadline) }
  }
}

export class OracleServers {
  /** Every replica, in the oracles' order. */
  readonly all: readonly OracleServer[]
  readonly #options: OracleServersOptions

  private constructor(all: readonly OracleServer[], options: OracleServersOptions) {
    this.all = all
    this.#options = options
  }

  /** Starts them, each on a port of its own of loopback. */
  static async start(options: OracleServersOptions): Promise<OracleServers> {
    const servers = oracleAccounts(options.oracles).flatMap((account, position) =>
      Array.from({ length: options.replicas ?? 1 }, () => new OracleServer(position, account, options)),
    )
    return new OracleServers(await Promise.all(servers.map((server) => server.listen())), options)
  }

  /** For the protocol config: the URLs of each oracle's replicas. */
  get endpoints(): string[][] {
    return this.#byOracle((replicas) => replicas.map(({ url }) => url))
  }

  /** Does something to every replica of the first few oracles. */
  first(count: number, change: (server: OracleServer) => unknown): void {
    for (const server of this.all) if (server.position < count) change(server)
  }

  /** Why they said no, all of them. */
  get refusals(): string[] {
    return this.all.flatMap(({ refusals }) => refusals)
  }

  /** The exits that the oracles can make together from the parts in what they approved. */
  recoverableExits(): RecoverableExit[] {
    const { network, oracles } = this.#options
    const approved = this.#byOracle((replicas) => replicas.flatMap((replica) => replica.approved))
    return recoverableExits(network, oracles, approved)
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((server) => server.close()))
  }

  #byOracle<T>(describe: (replicas: readonly OracleServer[]) => T): T[] {
    return this.#options.oracles.keys.map((_, oracle) =>
      describe(this.all.filter(({ position }) => position === oracle)),
    )
  }
}

/** The CIDv1 (base16: f, version 1, raw, sha2-256, 32 bytes) of a content that nobody fetches. */
function cidOf(content: string): string {
  return `f01551220${createHash('sha256').update(content).digest('hex')}`
}
