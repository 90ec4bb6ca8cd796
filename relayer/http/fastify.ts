/** Fastify as this project uses it: zod schemas, lossless JSON, and what access has found out. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type { z } from 'zod'
import type { Action } from '../access/roles.js'
import type { TokenIdentity } from '../access/tokens.js'

/** A route's zod schemas give the types of what its handler gets. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  readonly serializer: unknown
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the request's token stands for; undefined without a token. */
    identity: TokenIdentity | undefined
    /** Whom limits count this request for, see callerOf. */
    caller: string
  }
  interface FastifyContextConfig {
    /** The row of the table of rights that holds for this route; `reading` where absent. */
    action?: Action
  }
}
