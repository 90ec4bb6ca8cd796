import type { FastifyRequest } from 'fastify'
import { HttpError } from './failures.js'

/** Refuses a body one of whose lists is longer than allowed, before anything in them is looked at. */
export function limitItems(fields: readonly string[], most: number) {
  return async ({ body }: FastifyRequest): Promise<void> => {
    if (typeof body !== 'object' || body === null) return
    for (const field of fields) {
      const items = Object.hasOwn(body, field) ? (body as Record<string, unknown>)[field] : undefined
      if (Array.isArray(items) && items.length > most) {
        throw new HttpError(
          'TOO_MANY_ITEMS',
          `${field} holds ${items.length} items, ${most} are allowed in one request`,
        )
      }
    }
  }
}
