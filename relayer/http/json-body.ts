/** Bodies: lossless JSON in, checked by zod, lossless JSON out. */
import { z } from 'zod'
import { parseJson, stringifyJson } from '../../core/json.js'
import { itemOf } from '../../core/wire/fields.js'
import type { App } from './fastify.js'
import { invalidJson, MISSING_BODY, ShapeError, shapeErrorOf } from './shape-error.js'

/**
 * Takes bodies of application/json only. Any other is a shape error, as with the peer; that also keeps out
 * pages of other sites, which can send any other type without asking first.
 */
export function useLosslessJson(app: App): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/([\w.-]+\+)?json\b/,
    { parseAs: 'string' },
    (_request, body, done) => {
      try {
        done(null, parseBody(body as string))
      } catch (error) {
        done(error as Error)
      }
    },
  )
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(body.length === 0 ? MISSING_BODY : NOT_AN_OBJECT)
  })
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (body: unknown) => {
    if (body === undefined || body === null) return { error: body === null ? NOT_AN_OBJECT : MISSING_BODY }
    const parsed = schema.safeParse(body)
    return parsed.success ? { value: parsed.data } : { error: shapeErrorOf(parsed.error, body) }
  })
  app.setSerializerCompiler(() => (value: unknown) => stringifyJson(value))
  // Fastify passes the status as second argument, which would become the indentation.
  app.setReplySerializer((value) => stringifyJson(value))
}

const NOT_AN_OBJECT = new ShapeError([
  {
    type: 'model_attributes_type',
    loc: ['body'],
    msg: 'Input should be a valid dictionary or object to extract fields from',
  },
])

function parseBody(text: string): unknown {
  if (text === '') throw MISSING_BODY
  try {
    return parseJson(text, mostValues(text))
  } catch (error) {
    // The parser's message quotes the body, which may hold a share.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    throw invalidJson(Number(position ?? 0))
  }
}

/** Bodies of ours have a value for every forty characters; one of `0,0,0,…` only costs time. */
function mostValues(text: string): number {
  return 1000 + text.length / 10
}

/** The JSON schema of a zod schema, as OpenAPI 3.1 shows it. @param io what comes in or what goes out */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // What is a number or a bigint to us is one integer in JSON.
      if (jsonSchema.format === 'uint64') delete jsonSchema.anyOf
      const item = itemOf(zodSchema)
      if (item !== undefined) jsonSchema.items = jsonSchemaOf(item, io)
    },
  })
  return jsonSchema
}
