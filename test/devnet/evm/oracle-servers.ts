/** Oracles that approve registrations, each with a server of its own, as strict as the real ones. */
import { createHash } from 'node:crypto'
import type { PrivateKeyAccount } from 'viem/accounts'
import { type Hex, toHex } from '../../../core/hex.js'
import type { Network } from '../../../core/network.js'
import { oracleApprovalTypedData } from '../../../core/vault/signatures.js'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from '../http-double.js'
import { type Oracles, oracleAccounts } from '../oracles.js'
import { type ApprovalChecks, type ApprovalRequest, checkApproval, parseApproval } from './approval-checks.js'

/** What one oracle does wrong: it signs something else, or names another content, or another deadline. */
export type OracleFault = 'bad-signature' | 'other-cid' | 'other-deadline'

/** Seconds that it moves the deadline, where it does that. */
const OTHER_DEADLINE = 7n

export interface OracleServersOptions extends ApprovalChecks {
  readonly network: Network
  readonly vault: Hex
  readonly oracles: Oracles
}

export class OracleServer extends HttpDouble {
  /** Set to undefined for right answers. */
  wrong: OracleFault | undefined
  /** What it has approved, oldest first. */
  readonly approved: ApprovalRequest[] = []
  /** Why it said no, oldest first. */
  readonly refusals: string[] = []
  /** Called before a request is looked at, and before an approval is answered. */
  beforeCheck: () => unknown = () => undefined
  beforeAnswer: () => unknown = () => undefined
  readonly #position: number
  readonly #account: PrivateKeyAccount
  readonly #options: OracleServersOptions

  constructor(position: number, account: PrivateKeyAccount, options: OracleServersOptions) {
    super()
    this.#position = position
    this.#account = account
    this.#options = options
  }

  protected override kindOf({ method }: DoubleRequest): string {
    return method
  }

  protected override async answer({ method, body }: DoubleRequest): Promise<DoubleAnswer> {
    if (method !== 'POST') return { status: 405, body: 'only POST' }
    await this.beforeCheck()
    const request = parseApproval(body)
    const refusal =
      typeof request === 'string' ? request : await checkApproval(request, this.#position, this.#options)
    if (typeof request === 'string' || refusal !== undefined) {
      this.refusals.push(refusal ?? '')
      return { status: 400, body: [{ code: 400, message: refusal }] }
    }
    this.approved.push(request)
    await this.beforeAnswer()
    return { status: 200, body: await this.#approve(request) }
  }

  async #approve(request: ApprovalRequest): Promise<unknown> {
    const content = JSON.stringify([request.publicKeys, request.exitSignatureShards, request.publicKeyShards])
    const ipfsHash = cidOf(this.wrong === 'other-cid' ? `${content} ${this.#position}` : content)
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
  readonly all: readonly OracleServer[]

  private constructor(all: readonly OracleServer[]) {
    this.all = all
  }

  static async start(options: OracleServersOptions): Promise<OracleServers> {
    const accounts = oracleAccounts(options.oracles)
    const servers = accounts.map((account, position) => new OracleServer(position, account, options))
    return new OracleServers(await Promise.all(servers.map((server) => server.listen())))
  }

  /** For the protocol config: each oracle has one replica. */
  get endpoints(): string[][] {
    return this.all.map(({ url }) => [url])
  }

  /** Does something to the first few of them. */
  first(count: number, change: (server: OracleServer) => unknown): void {
    for (const server of this.all.slice(0, count)) change(server)
  }

  /** Why they said no, all of them. */
  get refusals(): string[] {
    return this.all.flatMap(({ refusals }) => refusals)
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((server) => server.close()))
  }
}

/** Different for different content; nobody fetches it. */
function cidOf(content: string): string {
  return `bafkrei${toHex(createHash('sha256').update(content).digest()).slice(2, 54)}`
}
