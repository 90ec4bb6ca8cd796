/** One oracle: any of its replicas may answer for it. */
import { z } from 'zod'
import { HttpEndpoint, type HttpResponse } from '../../core/clients/endpoint.js'
import { oneLine } from '../../core/clients/relayer-errors.js'
import { DvtExitError, describeError, UnavailableError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import { parseJson } from '../../core/json.js'
import type { Oracle } from '../../core/oracles/protocol-config.js'
import { describeShapeIssues } from '../../core/shape-issues.js'
import { hexBytes } from '../../core/wire/fields.js'

/** What an oracle says, not checked yet. */
export interface OracleAnswer {
  readonly ipfsHash: string
  /** 65 bytes. */
  readonly signature: Hex
  /** Seconds since 1970. */
  readonly deadline: bigint
}

/** Why one replica gave nothing that counts. */
export interface ReplicaFailure {
  /** Its position among the oracle's endpoints. */
  readonly position: number
  /** One line that names the replica. */
  readonly reason: string
  /** It answered HTTP 400: it understood the request and found it wrong. */
  readonly refused: boolean
}

/** What asking one oracle came to: an answer that counts, or why each replica gave none. */
export type OracleReply<T> = { readonly accepted: T } | { readonly failures: readonly ReplicaFailure[] }

/** What is asked of an oracle. */
export interface OracleQuestion<A> {
  /** Behind the endpoint's own path; the endpoint as it is given unless set. */
  readonly path?: string
  /** JSON text. */
  readonly body: string
  /** The answer's JSON, parsed. @throws DvtExitError where it is none */
  readonly read: (json: unknown) => A
}

export interface OracleClientOptions {
  /** Milliseconds for one replica. */
  readonly timeout?: number
  /** From 0 up to 1. */
  readonly random?: () => number
}

const TIMEOUT = 10_000
const MAX_RESPONSE_BYTES = 64 * 1024
const MAX_MESSAGE = 200

const approvalSchema = z.object({
  // It becomes part of a transaction and of log lines: no CID has any other character.
  ipfs_hash: z.string().regex(/^[0-9A-Za-z]{1,128}$/, 'expected a CID'),
  signature: hexBytes(65, 'signature'),
  deadline: z.int().min(0),
})

export class OracleClient {
  /** The oracle's address, with checksum. */
  readonly address: Hex
  readonly #endpoints: readonly string[]
  readonly #timeout: number
  readonly #random: () => number

  constructor(oracle: Pick<Oracle, 'address' | 'endpoints'>, options: OracleClientOptions = {}) {
    this.address = oracle.address
    this.#endpoints = oracle.endpoints
    this.#timeout = options.timeout ?? TIMEOUT
    this.#random = options.random ?? Math.random
  }

  /**
   * Asks the replicas in random order until one gives an answer that counts.
   * @param body the request's JSON text
   * @param accept checks an answer; a DvtExitError thrown by it moves on to the next replica, as every failure does
   * @param signal ends the asking; the failures so far are returned then
   */
  ask<T>(
    body: string,
    accept: (answer: OracleAnswer) => Promise<T>,
    signal: AbortSignal,
  ): Promise<OracleReply<T>> {
    const read = (json: unknown) => approvalOf(readAnswer(json, approvalSchema))
    return this.askFor({ body, read }, accept, signal)
  }

  /** The same for another question. */
  async askFor<A, T>(
    question: OracleQuestion<A>,
    accept: (answer: A) => Promise<T>,
    signal: AbortSignal,
  ): Promise<OracleReply<T>> {
    const failures: ReplicaFailure[] = []
    for (const position of this.#inRandomOrder()) {
      if (signal.aborted) break
      const url = this.#endpoints[position] ?? ''
      try {
        return { accepted: await this.#askReplica(url, question, accept, signal) }
      } catch (error) {
        if (!(error instanceof DvtExitError)) throw error
        failures.push({ position, reason: describeError(error), refused: error.code === 'ORACLE_REFUSED' })
      }
    }
    // The order of the config: a line that is printed must not change with the random order.
    return { failures: failures.sort((a, b) => a.position - b.position) }
  }

  async #askReplica<A, T>(
    url: string,
    { path, body, read }: OracleQuestion<A>,
    accept: (answer: A) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new UnavailableError('INVALID_ORACLE_ENDPOINT', 'its endpoint is no http or https URL')
    }
    const endpoint = new HttpEndpoint(url, { timeout: this.#timeout, maxResponseBytes: MAX_RESPONSE_BYTES })
    // An endpoint drops the slash at a URL's end, but the oracles' URLs are taken as they are given.
    const asGiven = new URL(url).pathname.endsWith('/') ? '/' : ''
    const response = await endpoint.request({ method: 'POST', path: path ?? asGiven, body, signal })
    try {
      return await accept(read(contentOf(response)))
    } catch (error) {
      if (!(error instanceof DvtExitError)) throw error
      throw new DvtExitError(error.code, `${endpoint.shown} ${error.message}`)
    }
  }

  /** Fisher and Yates' shuffle of the endpoints' positions. */
  #inRandomOrder(): number[] {
    const positions = this.#endpoints.map((_, position) => position)
    for (let last = positions.length - 1; last > 0; last--) {
      const other = Math.floor(this.#random() * (last + 1))
      const [a = 0, b = 0] = [positions[last], positions[other]]
      positions[last] = b
      positions[other] = a
    }
    return positions
  }
}

/** The JSON of an answer that says yes. */
function contentOf(response: HttpResponse): unknown {
  const text = response.body.toString('utf8')
  if (response.status === 400) {
    throw new DvtExitError('ORACLE_REFUSED', `answered HTTP 400: ${messageOf(response.quotable(text))}`)
  }
  if (response.status !== 200) {
    throw new DvtExitError(
      'ORACLE_FAILED',
      `answered HTTP ${response.status}: ${messageOf(response.quotable(text))}`,
    )
  }
  try {
    return parseJson(text)
  } catch {
    throw new DvtExitError('INVALID_ORACLE_ANSWER', 'gave an answer that is not JSON')
  }
}

/** @throws DvtExitError INVALID_ORACLE_ANSWER */
export function readAnswer<S extends z.ZodType>(json: unknown, schema: S): z.infer<S> {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new DvtExitError('INVALID_ORACLE_ANSWER', `gave a wrong answer: ${describeShapeIssues(parsed.error)}`)
}

function approvalOf({ ipfs_hash, signature, deadline }: z.infer<typeof approvalSchema>): OracleAnswer {
  return { ipfsHash: ipfs_hash, signature, deadline: BigInt(deadline) }
}

function messageOf(text: string): string {
  const line = oneLine(text)
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE - 1)}…` : line
}
