/** What goes wrong in a request, as an answer: {detail}, with a status, and never a secret. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Conditions } from '../../core/conditions.js'
import { DvtExitError, describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { isDatabaseTrouble } from '../../core/storage/database-trouble.js'
import { RequestedKeyError } from '../exits/errors.js'
import { isRefusal, REFUSALS, type RefusalCode } from '../refusals.js'
import type { App } from './fastify.js'
import { invalidValue, ShapeError } from './shape-error.js'

/** Seconds after which a caller may ask again where something outside did not answer. */
const RETRY_AFTER = 5

/** The header of every refusal that holds its stable code: the bodies are those of the Python relayer. */
const CODE_HEADER = 'x-error-code'

/** A refusal of what a request asks for. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: RefusalCode

  constructor(code: RefusalCode, detail: string) {
    super(detail)
    this.code = code
  }
}

interface Answer {
  readonly status: number
  readonly code: string
  readonly detail: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export function answerFailures(app: App, logger: Logger): void {
  const lasting = new Conditions()
  app.addHook('onResponse', async (request, reply) => {
    const { url } = request.routeOptions
    if (url === undefined || reply.statusCode >= 400 || !lasting.ends(url)) return
    logger.info({ path: url }, 'answers again')
  })
  app.setErrorHandler((error: unknown, request, reply) => {
    // Said once: an operator asks every second. Of the database's troubles its watch tells.
    if (isDatabaseTrouble(error)) {
      logger.debug({ path: request.routeOptions.url, code: error.code }, 'cannot answer')
    } else if (error instanceof DvtExitError && answerToExpected(error).status === 503) {
      const path = request.routeOptions.url ?? ''
      const reason = describeError(error)
      const level = lasting.begins(path, reason) ? 'warn' : 'debug'
      logger[level]({ path, code: error.code }, `cannot answer: ${reason}`)
    }
    return sendFailure(error, request, reply, logger)
  })
  const methods = methodsByPath(app)
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = methods.get(request.url.split('?')[0] ?? '/') ?? []
    if (allowed.length === 0) return sendRefusal(reply, 'NO_SUCH_PATH', 'Not Found')
    return sendRefusal(reply.header('allow', allowed.join(', ')), 'NO_SUCH_METHOD', 'Method Not Allowed')
  }
  app.setNotFoundHandler(refuseUnknown)
  // Not even the type of a body is looked at where there is nobody to read it.
  app.addHook('preParsing', async (request, reply) => {
    if (request.is404) return refuseUnknown(request, reply)
  })
}

/** What may be asked of each path. (Fastify's own look-up fails on a path with an asterisk.) */
function methodsByPath(app: App): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    const shown = [method].flat().filter((one) => one === 'GET' || one === 'POST')
    methods.set(url, [...(methods.get(url) ?? []), ...shown])
  })
  return methods
}

/** Answers a request that failed; what nobody expected is logged with its stack. */
export function sendFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const answer = answerTo(error)
  if (answer === undefined) {
    logger.error({ method: request.method, path: shownPath(request), err: error }, 'unexpected failure')
  }
  return reply
    .code(answer?.status ?? 500)
    .headers({ [CODE_HEADER]: answer?.code ?? 'UNEXPECTED_FAILURE', ...answer?.headers })
    .send({ detail: answer?.detail ?? 'Internal Server Error' })
}

/** For the log: what callers write in a path of their own may be a secret that they mistook for something else. */
export function shownPath({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'none of ours'
}

/** Answers a request that is refused before anything could fail. */
export function sendRefusal(reply: FastifyReply, code: RefusalCode, detail: string): FastifyReply {
  return reply.code(REFUSALS[code]).header(CODE_HEADER, code).send({ detail })
}

function answerTo(error: unknown): Answer | undefined {
  if (error instanceof ShapeError) return refusal('MALFORMED_BODY', error.issues)
  if (error instanceof HttpError) return refusal(error.code, error.message)
  if (error instanceof DvtExitError) return answerToExpected(error)
  return answerToFramework(error)
}

function refusal(code: RefusalCode, detail: unknown): Answer {
  return { status: REFUSALS[code], code, detail }
}

function answerToExpected(error: DvtExitError): Answer {
  const { code } = error
  if (!isRefusal(code)) {
    // Something outside is away, or an endpoint refuses, or the index cannot be known: later, perhaps.
    const headers = { 'retry-after': String(RETRY_AFTER) }
    return { status: 503, code, detail: withoutAddresses(error), headers }
  }
  if (REFUSALS[code] === 422) return refusal(code, invalidValue(placeOf(error), error.message).issues)
  if (code === 'TOO_MANY_EXITS') {
    return { ...refusal(code, describeError(error)), headers: { 'retry-after': '60' } }
  }
  return refusal(code, error.message)
}

function placeOf(error: DvtExitError): readonly (string | number)[] {
  return error instanceof RequestedKeyError ? ['public_keys', error.position] : []
}

/** Fastify's own refusals of a request, by status: they name nothing of the request's content. */
function answerToFramework(error: unknown): Answer | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode: status, message: detail } = error
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined
  return { status, code: status === 413 ? 'BODY_TOO_LARGE' : 'MALFORMED_HTTP', detail }
}

/** What is unavailable, without the endpoints' addresses, which concern nobody outside. */
function withoutAddresses(error: DvtExitError): string {
  const [what = ''] = error.message.split(/\S*:\/\//)
  const shown = what.replace(/[\s:;,]+$/, '')
  return shown === '' ? 'Something that the relayer needs is unavailable' : `Unavailable now: ${shown}`
}

/** Answers who expects what nobody here knows of (RFC 9110, 10.1.1); Node would answer without a body. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({ detail: 'Expectation Failed' })
  response
    .writeHead(417, {
      connection: 'close',
      'content-length': body.length,
      'content-type': 'application/json',
      [CODE_HEADER]: 'MALFORMED_HTTP',
    })
    .end(body)
}

/** Answers what is not HTTP, which never becomes a request. */
export function answerMalformedHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request'
  const body = JSON.stringify({ detail: status.slice(4) })
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\n${CODE_HEADER}: MALFORMED_HTTP\r\n\r\n${body}`,
    )
  }
  socket.destroy()
}
