/** The API's description: /openapi.json, and a page at /docs that needs nothing from outside. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifySchema } from 'fastify'
import { z } from 'zod'
import type { App } from './fastify.js'
import { jsonSchemaOf } from './json-body.js'

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
  app.get('/openapi.json', { config: { action: 'reading' }, schema: { hide: true } }, async () =>
    app.swagger(),
  )
}

function withJsonSchemas(schema: FastifySchema): FastifySchema {
  const { body, response, ...rest } = schema
  return {
    ...rest,
    ...(body instanceof z.ZodType ? { body: jsonSchemaOf(body, 'input') } : {}),
    ...(typeof response === 'object' && response !== null
      ? { response: Object.fromEntries(Object.entries(response).map(describeResponse)) }
      : {}),
  }
}

function describeResponse([status, schema]: [string, unknown]): [string, unknown] {
  if (!(schema instanceof z.ZodType)) return [status, schema]
  if (schema instanceof z.ZodVoid) return [status, { description: schema.description, type: 'null' }]
  const description = schema.description ?? (status === '200' ? 'Done' : 'Refused')
  return [status, { description, content: { 'application/json': { schema: jsonSchemaOf(schema, 'input') } } }]
}
