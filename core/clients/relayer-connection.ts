/** One relayer over HTTP: its address, its credentials, and how its answers are read. */
import type { z } from 'zod'
import { ConfigurationError, UnavailableError } from '../errors.js'
import { parseJson } from '../json.js'
import type { Secret } from '../secret.js'
import { describeShapeIssues } from '../shape-issues.js'
import { HttpEndpoint, type HttpRequest, type HttpResponse, UnreachableError } from './endpoint.js'
import { isLoopbackHost } from './loopback.js'
import { RelayerError } from './relayer-errors.js'
import { explainTlsFailure, type RelayerTls, relayerAgent } from './relayer-tls.js'

export interface RelayerConnectionOptions {
  /** Milliseconds for one request. */
  readonly timeout?: number
  /** Lets requests, and with them tokens and shares, go over plain HTTP to another machine. */
  readonly allowPlainHttp?: boolean
  /** Sent as Bearer authorization. Credentials in the URL are sent as Basic authorization instead. */
  readonly token?: Secret<string>
  /** Whose certificates are trusted, and what is shown; for https only. */
  readonly tls?: RelayerTls
}

/** The peers' time-out is longer than their poll interval: a Python relayer may answer late. */
const DEFAULT_TIMEOUT = 60_000

export class RelayerConnection {
  /** The relayer's origin, for logs: never its credentials. */
  readonly shown: string
  readonly #endpoint: HttpEndpoint
  readonly #token: Secret<string> | undefined
  readonly #tls: RelayerTls | undefined
  #answered = false

  /**
   * @throws ConfigurationError INVALID_RELAYER_ENDPOINT, PLAIN_HTTP_RELAYER, TWO_RELAYER_CREDENTIALS,
   *   CERTIFICATES_WITHOUT_HTTPS
   */
  constructor(url: string, options: RelayerConnectionOptions = {}) {
    const parsed = parseUrl(url)
    if (parsed.protocol === 'http:' && !isLoopbackHost(parsed.hostname) && options.allowPlainHttp !== true) {
      throw new ConfigurationError(
        'PLAIN_HTTP_RELAYER',
        `the relayer ${parsed.origin} is reached over plain HTTP: anyone on the way can read the shares, enough of which end a validator, and the token`,
        { hint: 'Give its https:// URL, or allow it with --allow-plain-http (ALLOW_PLAIN_HTTP=true)' },
      )
    }
    if (options.token !== undefined && (parsed.username !== '' || parsed.password !== '')) {
      throw new ConfigurationError(
        'TWO_RELAYER_CREDENTIALS',
        `the URL of the relayer ${parsed.origin} has credentials, and a token is given too`,
        { hint: 'Take the credentials out of RELAYER_ENDPOINT or leave out RELAYER_TOKEN_FILE' },
      )
    }
    if (parsed.protocol === 'http:' && options.tls !== undefined) {
      throw new ConfigurationError(
        'CERTIFICATES_WITHOUT_HTTPS',
        `the relayer ${parsed.origin} is reached over plain HTTP, which proves no certificate`,
        {
          hint: 'Give its https:// URL, or leave out RELAYER_CA_FILE, RELAYER_CLIENT_CERT_FILE and RELAYER_CLIENT_KEY_FILE',
        },
      )
    }
    this.#endpoint = new HttpEndpoint(url, {
      timeout: options.timeout ?? DEFAULT_TIMEOUT,
      ...(parsed.protocol === 'https:' ? { agent: relayerAgent(options.tls) } : {}),
    })
    this.shown = this.#endpoint.shown
    this.#token = options.token
    this.#tls = options.tls
  }

  /**
   * Sends a request and reads the JSON of its answer.
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async call<S extends z.ZodType>(schema: S, request: HttpRequest): Promise<z.infer<S>> {
    return this.read(schema, await this.send(request), `${request.method} ${request.path}`)
  }

  /** @throws RelayerError where it refuses, UnavailableError where it does not answer */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const authorization = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token.reveal()}` }
    const response = await this.#ask({ ...request, headers: { ...request.headers, ...authorization } })
    const notModified = response.status === 304 && request.headers?.['If-None-Match'] !== undefined
    if ((response.status >= 200 && response.status < 300) || notModified) return response
    throw new RelayerError(`relayer ${this.shown} ${request.method} ${request.path}`, response)
  }

  async #ask(request: HttpRequest): Promise<HttpResponse> {
    try {
      const response = await this.#endpoint.request(request)
      this.#answered = true
      return response
    } catch (error) {
      if (!(error instanceof UnreachableError) || !this.shown.startsWith('https:')) throw error
      throw explainTlsFailure(error, this.#tls?.own, this.#answered, Date.now())
    }
  }

  /** @param call the request's method and path, for messages. @throws UnavailableError INVALID_RELAYER_ANSWER */
  read<S extends z.ZodType>(schema: S, response: HttpResponse, call: string): z.infer<S> {
    let content: unknown
    try {
      content = parseJson(response.body.toString('utf8'))
    } catch {
      throw this.invalid(call, 'the answer is not JSON')
    }
    const parsed = schema.safeParse(content)
    if (parsed.success) return parsed.data
    throw this.invalid(call, describeShapeIssues(parsed.error))
  }

  /** That an answer is none of a relayer's. */
  invalid(call: string, reason: string): UnavailableError {
    return new UnavailableError('INVALID_RELAYER_ANSWER', `relayer ${this.shown} ${call}: ${reason}`, {
      hint: 'Check that RELAYER_ENDPOINT is a relayer',
    })
  }
}

function parseUrl(url: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url)
  // The text is not repeated: it may hold a password.
  throw new ConfigurationError('INVALID_RELAYER_ENDPOINT', 'the relayer endpoint is no http or https URL', {
    hint: 'Set RELAYER_ENDPOINT to something like https://relayer.example.org',
  })
}
