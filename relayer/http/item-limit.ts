import type { FastifyRequest } from 'fastify'
import { HttpError } from './failures.js'

/** Refuses a body whose list is longer than allowed, before anything in it is looked at. */
export function limitItems(field: string, most: number) {
  return async ({ body }: FastifyRequest): Promise<void> => {
    if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return
    const items = (body as Record<string, unknown>)[field]
    if (Array.isArray(items) && items.length > most) {
      throw new HttpError(
        'TOO_MANY_ITEMS',
        `${field} holds ${items.length} items, ${most} are allowed in one request`,
      )
    }
  }
}
