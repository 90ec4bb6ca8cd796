/** The API's description: /openapi.json, and a page at /docs that needs nothing from outside. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifySchema } from 'fastify'
import { z } from 'zod'
import { stringifyJson } from '../../core/json.js'
import { detailAnswer } from './detail.js'
import type { App } from './fastify.js'
import { jsonSchemaOf } from './json-body.js'
import { shapeErrorAnswer } from './shape-error.js'

/** Nothing from outside; the plugin's own policy also turns http into https, where there may be none. */
const CONTENT_POLICY =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

/** Registered before the routes, which it collects. */
export async function describeApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'dvt-exit relayer',
        version,
        description:
          'Publishes the exits that sidecars are to sign, takes their shares, serves the oracles’ parts.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic' },
        },
      },
      security: [{}, { bearer: [] }, { basic: [] }],
    },
    transform: ({ schema, url }) => ({ schema: withJsonSchemas(schema), url }),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // The validator's badge would send the page's address to swagger.io.
    uiConfig: { validatorUrl: null },
    staticCSP: true,
    transformStaticCSP: () => CONTENT_POLICY,
  })
  let text: string | undefined
  app.get(
    '/openapi.json',
    { config: { action: 'reading' }, schema: { hide: true } },
    async (_request, reply) => {
      text ??= stringifyJson(app.swagger())
      return reply.type('application/json').send(text)
    },
  )
}

/** What every request may be answered, whatever it asks for. */
const ALWAYS = {
  400: detailAnswer.describe('Not HTTP as it should be'),
  401: detailAnswer.describe('A token is needed, or the one that came is wrong'),
  403: detailAnswer.describe('The token’s role may not do this, or it came over plain HTTP'),
  421: detailAnswer.describe('The Host name is not served here'),
  429: detailAnswer.describe('Too many requests of this caller: see Retry-After'),
}
const WITH_BODY = {
  413: detailAnswer.describe('The body, or a list in it, is too long'),
  422: shapeErrorAnswer,
}

function withJsonSchemas(schema: FastifySchema): FastifySchema {
  const { body, response, ...rest } = schema
  const responses = {
    ...ALWAYS,
    ...(body === undefined ? {} : WITH_BODY),
    ...(response as object | undefined),
  }
  return {
    ...rest,
    ...(body instanceof z.ZodType ? { body: jsonSchemaOf(body, 'input') } : {}),
    response: Object.fromEntries(Object.entries(responses).map(describeResponse)),
  }
}

function describeResponse([status, schema]: [string, unknown]): [string, unknown] {
  if (!(schema instanceof z.ZodType)) return [status, schema]
  if (schema instanceof z.ZodVoid) return [status, { description: schema.description, type: 'null' }]
  const description = schema.description ?? (status === '200' ? 'Done' : 'Refused')
  return [status, { description, content: { 'application/json': { schema: jsonSchemaOf(schema, 'input') } } }]
}
