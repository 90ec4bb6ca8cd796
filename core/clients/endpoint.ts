/**
 * One HTTP endpoint, and several of them tried in turn. Every request of the product goes through here.
 */
import type { Agent } from 'node:https'
import axios from 'axios'
import { describeError, UnavailableError } from '../errors.js'
import { type Confidences, leaveOut } from './confidences.js'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query, appended to the endpoint's own path and query. Empty for the endpoint as given. */
  readonly path: string
  /** The body as text, sent as application/json. */
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds; the endpoint's own time-out where absent. */
  readonly timeout?: number
  /** Hex in the body that only the one who is asked may know: answers that repeat it are not quoted with it. */
  readonly shares?: readonly string[]
  /** Gives the request up when the answer is wanted no more. */
  readonly signal?: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** Takes what the request said in confidence out of a text of the answer that is quoted in a message. */
  readonly quotable: (text: string) => string
}

export interface EndpointLimits {
  /** Milliseconds for one request. */
  readonly timeout: number
  /** Bytes that an answer may have. */
  readonly maxResponseBytes?: number
  /** Makes the https connections; Node's own where absent. */
  readonly agent?: Agent
}

/** No answer came. */
export class UnreachableError extends UnavailableError {
  /** Node's code of what went wrong on the way, for example ECONNREFUSED or CERT_HAS_EXPIRED. */
  readonly reason: string | undefined

  constructor(message: string, reason: string | undefined) {
    super('ENDPOINT_UNREACHABLE', message)
    this.reason = reason
  }
}

const MAX_RESPONSE_BYTES = 256 * 1024 * 1024
/** Of an answer's body, what is looked at for an excerpt: what is cut in the middle could not be recognised. */
const MAX_QUOTED_BYTES = 64 * 1024

/** One endpoint. Credentials in its URL are sent as Basic authorization and never shown. */
export class HttpEndpoint {
  /** The URL without credentials and query, for logs and errors. */
  readonly shown: string
  readonly #base: URL
  /** As given, with credentials. */
  readonly #given: URL
  readonly #authorization: string | undefined
  readonly #limits: EndpointLimits

  constructor(url: string, limits: EndpointLimits) {
    const parsed = new URL(url)
    this.#authorization =
      parsed.username === '' && parsed.password === ''
        ? undefined
        : `Basic ${Buffer.from(`${unescaped(parsed.username)}:${unescaped(parsed.password)}`).toString('base64')}`
    this.#given = new URL(url)
    parsed.username = ''
    parsed.password = ''
    parsed.pathname = parsed.pathname.replace(/\/+$/, '')
    this.#base = parsed
    // Hosted nodes carry their key in the path or query, so neither is shown.
    this.shown = parsed.origin
    this.#limits = limits
  }

  /**
   * Sends one request and returns whatever status comes back.
   * @throws UnreachableError ENDPOINT_UNREACHABLE where no answer came, UnavailableError ENDPOINT_FAILED for 429
   *   and 5xx
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const what = `${this.shown} ${request.method} ${request.path.split('?')[0]}`.trimEnd()
    let response: HttpResponse
    try {
      response = await this.#send(request)
    } catch (error) {
      const code = axios.isAxiosError(error) ? error.code : undefined
      throw new UnreachableError(`${what}: ${reasonOf(error)}`, code)
    }
    if (response.status === 429 || response.status >= 500) {
      throw new UnavailableError('ENDPOINT_FAILED', `${what}: HTTP ${response.status} ${excerpt(response)}`)
    }
    return response
  }

  /** A key in the endpoint's own query stays behind the path that is added. */
  #urlOf(added: string): string {
    const { origin, pathname, search } = this.#base
    const [path = '', ...query] = added.split('?')
    const queries = [search.slice(1), query.join('?')].filter((part) => part !== '')
    const whole = path === '' ? pathname : pathname.replace(/\/$/, '') + path
    return `${origin}${whole}${queries.length === 0 ? '' : `?${queries.join('&')}`}`
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const timeout = request.timeout ?? this.#limits.timeout
    const response = await axios.request<Buffer>({
      method: request.method,
      url: this.#urlOf(request.path),
      ...(request.body === undefined ? {} : { data: Buffer.from(request.body, 'utf8') }),
      headers: {
        Accept: 'application/json',
        ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(this.#authorization === undefined ? {} : { Authorization: this.#authorization }),
        ...request.headers,
      },
      timeout,
      signal: AbortSignal.any([
        AbortSignal.timeout(timeout),
        ...(request.signal === undefined ? [] : [request.signal]),
      ]),
      responseType: 'arraybuffer',
      validateStatus: () => true,
      maxRedirects: 0,
      // HTTP_PROXY would see what goes to loopback; the peers ignore it too.
      proxy: false,
      ...(this.#limits.agent === undefined ? {} : { httpsAgent: this.#limits.agent }),
      maxContentLength: this.#limits.maxResponseBytes ?? MAX_RESPONSE_BYTES,
    })
    return {
      status: response.status,
      body: response.data,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      ),
      quotable: (text) => leaveOut(text, this.#confidencesOf(request)),
    }
  }

  #confidencesOf({ headers = {}, shares = [] }: HttpRequest): Confidences {
    const authorizations = [this.#authorization, headers['Authorization']].filter(
      (value) => value !== undefined,
    )
    return { url: this.#given, authorizations, shares }
  }
}

/** A percent sign that escapes nothing stands for itself. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What went wrong, without the request that axios hangs on its errors. */
function reasonOf(error: unknown): string {
  if (!axios.isAxiosError(error)) return describeError(error)
  if (error.code === 'ERR_CANCELED' || error.code === 'ECONNABORTED') return 'no answer in time'
  return error.code === undefined
    ? error.message
    : `${error.code}${error.message === '' ? '' : ` (${error.message})`}`
}

/** The start of an answer's body, one line, for messages, without what the request said in confidence. */
export function excerpt({ body, quotable }: Pick<HttpResponse, 'body' | 'quotable'>): string {
  return quotable(body.subarray(0, MAX_QUOTED_BYTES).toString('utf8'))
    .slice(0, 200)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}

export interface RetryOptions {
  /** How often all endpoints are tried before giving up. */
  readonly rounds: number
  /** Milliseconds before the second round; doubled for each further one, ±50 % jitter. */
  readonly delay: number
  readonly sleep?: (milliseconds: number) => Promise<void>
  readonly random?: () => number
}

export const DEFAULT_RETRY: RetryOptions = { rounds: 3, delay: 500 }

/**
 * Runs an operation against each endpoint in turn until one serves it, for several rounds with growing
 * pauses. Only UnavailableError moves on to the next endpoint; any other error is thrown as it is.
 * @param what the operation, for the error's message
 * @throws UnavailableError ALL_ENDPOINTS_FAILED, whose cause is an AggregateError with each one's error
 */
export async function tryInTurn<E, T>(
  what: string,
  endpoints: readonly E[],
  operation: (endpoint: E) => Promise<T>,
  retry: RetryOptions = DEFAULT_RETRY,
): Promise<T> {
  const errors: UnavailableError[] = []
  for (let round = 0; round < retry.rounds; round++) {
    if (round > 0) await (retry.sleep ?? pause)(jitter(retry.delay * 2 ** (round - 1), retry.random))
    errors.length = 0
    for (const endpoint of endpoints) {
      try {
        return await operation(endpoint)
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        errors.push(error)
      }
    }
  }
  throw new UnavailableError(
    'ALL_ENDPOINTS_FAILED',
    `${what}: ${errors.map((error) => error.message).join('; ')}`,
    {
      cause: new AggregateError(errors, `${what}: no endpoint served it`),
    },
  )
}

/** A duration between half and one and a half of the given one. */
export function jitter(milliseconds: number, random: () => number = Math.random): number {
  return milliseconds * (0.5 + random())
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
