/** The gate in front of every route: who asks, how often, and may they. */
import { TLSSocket } from 'node:tls'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Conditions } from '../../core/conditions.js'
import type { Logger } from '../../core/log.js'
import { parseCredentials } from '../access/credentials.js'
import { type AccessSettings, decideAccess } from '../access/decision.js'
import { isForwarded, type RequestOrigin } from '../access/locality.js'
import { callerOf, type RateLimit } from '../access/rate-limit.js'
import type { TokenIdentity } from '../access/tokens.js'
import { REFUSALS, type RefusalCode } from '../refusals.js'
import { weightOf } from './body-budget.js'
import { sendRefusal, shownPath } from './failures.js'
import type { App } from './fastify.js'
import { LogBudget } from './log-budget.js'

export interface Access {
  readonly settings: AccessSettings
  /** Whom a token stands for; undefined where it is unknown or revoked. */
  readonly identify: (token: string) => Promise<TokenIdentity | undefined>
  readonly rateLimit: RateLimit
  /** The proxy on this machine says whom it passes on, last in X-Forwarded-For: for limits and logs, never for rights. */
  readonly trustProxy?: boolean
}

/** Lets no request pass, not even its body, before it was decided on. */
export function guard(app: App, { settings, identify, rateLimit }: Access, logger: Logger): void {
  const told = { conditions: new Conditions(1000), budget: new LogBudget() }
  app.decorateRequest('identity', undefined)
  app.decorateRequest('caller', '')
  app.addHook('onRequest', async (request, reply) => {
    // RFC 9112, 3.2. Node would answer without a body.
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      return refuse(reply, 'MALFORMED_HTTP', 'The Host header is missing')
    }
    const credentials = parseCredentials(request.headers.authorization)
    const identity = credentials.kind === 'token' ? await identify(credentials.token) : undefined
    request.identity = identity
    const origin: RequestOrigin = {
      peer: request.raw.socket.remoteAddress,
      headers: request.headers,
      httpVersion: request.raw.httpVersion,
    }
    request.caller = callerOf(identity?.name, request.ip, isForwarded(origin))
    const wait = rateLimit.take(request.caller, weightOf(request))
    if (wait > 0) {
      reply.header('retry-after', String(wait))
      return refuse(reply, 'TOO_MANY_REQUESTS', 'Too many requests, slow down')
    }
    const decision = decideAccess(
      request.routeOptions.config.action ?? 'reading',
      {
        ...origin,
        method: request.method,
        encrypted: request.raw.socket instanceof TLSSocket,
        credentials,
        identity,
      },
      settings,
    )
    if (decision.allowed) return
    log(logger, told, request, decision.code, decision.detail)
    if (REFUSALS[decision.code] === 401) {
      reply.header('www-authenticate', 'Basic realm="dvt-exit relayer", charset="UTF-8"')
    }
    return refuse(reply, decision.code, decision.detail)
  })
}

/** What follows may be a long body that nobody is going to read, so the connection ends. */
function refuse(reply: FastifyReply, code: RefusalCode, detail: string): FastifyReply {
  return sendRefusal(reply.header('connection', 'close'), code, detail)
}

function log(
  logger: Logger,
  told: { readonly conditions: Conditions; readonly budget: LogBudget },
  request: FastifyRequest,
  code: RefusalCode,
  detail: string,
): void {
  const fields = { method: request.method, path: shownPath(request), peer: request.ip, code }
  // Someone who gives a token means to get in: whoever runs the relayer should see, once, why that failed.
  const isNews =
    request.headers.authorization !== undefined &&
    !told.conditions.lasts(`${request.caller} ${code}`) &&
    told.budget.take() !== undefined
  if (isNews) told.conditions.begins(`${request.caller} ${code}`)
  logger[isNews ? 'warn' : 'debug']({ ...fields, token: request.identity?.name ?? 'none' }, detail)
}
