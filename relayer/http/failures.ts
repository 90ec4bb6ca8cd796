/** What goes wrong in a request, as an answer: {detail}, with a status, and never a secret. */
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Conditions } from '../../core/conditions.js'
import { DvtExitError, describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { RequestedKeyError } from '../exits/errors.js'
import { RegistrationRefusal } from '../registrations/refusal.js'
import type { App } from './fastify.js'
import { invalidValue, ShapeError } from './shape-error.js'

/** Seconds after which a caller may ask again where something outside did not answer. */
const RETRY_AFTER = 5

/** A refusal with a status of its own. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.status = status
    this.headers = headers
  }
}

interface Answer {
  readonly status: number
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
    // Said once: an operator asks every second.
    if (error instanceof DvtExitError && answerToExpected(error).status === 503) {
      const path = request.routeOptions.url ?? ''
      const reason = describeError(error)
      const level = lasting.begins(path, reason) ? 'warn' : 'debug'
      logger[level]({ path, code: error.code }, `cannot answer: ${reason}`)
    }
    return sendFailure(error, request, reply, logger)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '/'
    const allowed = (['GET', 'POST'] as const).filter((method) => app.hasRoute({ method, url: path }))
    if (allowed.length === 0) return reply.code(404).send({ detail: 'Not Found' })
    return reply.code(405).header('allow', allowed.join(', ')).send({ detail: 'Method Not Allowed' })
  })
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
    logger.error(
      { method: request.method, path: request.url.split('?')[0], err: error },
      'unexpected failure',
    )
  }
  return reply
    .code(answer?.status ?? 500)
    .headers(answer?.headers ?? {})
    .send({ detail: answer?.detail ?? 'Internal Server Error' })
}

function answerTo(error: unknown): Answer | undefined {
  if (error instanceof ShapeError) return { status: 422, detail: error.issues }
  if (error instanceof HttpError)
    return { status: error.status, detail: error.message, headers: error.headers }
  if (error instanceof DvtExitError) return answerToExpected(error)
  return answerToFramework(error)
}

function answerToRefusal({ status, message }: RegistrationRefusal): Answer {
  return { status, detail: status === 422 ? invalidValue([], message).issues : message }
}

/** The codes of ExitService and ValidatorService. */
function answerToExpected(error: DvtExitError): Answer {
  if (error instanceof RegistrationRefusal) return answerToRefusal(error)
  switch (error.code) {
    case 'INVALID_PUBLIC_KEY':
    case 'DUPLICATE_PUBLIC_KEY':
      return { status: 422, detail: invalidValue(placeOf(error), error.message).issues }
    case 'KNOWN_VALIDATOR':
      return { status: 409, detail: error.message }
    case 'TOO_MANY_EXITS':
      return { status: 429, detail: describeError(error), headers: { 'retry-after': '60' } }
    default:
      // Something outside is away, or an endpoint refuses, or the index cannot be known: later, perhaps.
      return { status: 503, detail: withoutAddresses(error), headers: { 'retry-after': String(RETRY_AFTER) } }
  }
}

function placeOf(error: DvtExitError): readonly (string | number)[] {
  return error instanceof RequestedKeyError ? ['public_keys', error.position] : ['public_keys']
}

/** Fastify's own refusals of a request, by status: they name nothing of the request's content. */
function answerToFramework(error: unknown): Answer | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode } = error
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? { status: statusCode, detail: error.message }
    : undefined
}

/** What is unavailable, without the endpoints' addresses, which concern nobody outside. */
function withoutAddresses(error: DvtExitError): string {
  const [what = ''] = error.message.split(/\S*:\/\//)
  const shown = what.replace(/[\s:;,]+$/, '')
  return shown === '' ? 'Something that the relayer needs is unavailable' : `Unavailable now: ${shown}`
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
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\n\r\n${body}`,
    )
  }
  socket.destroy()
}
