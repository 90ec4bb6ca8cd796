/** The lists that sidecars poll: made once for each change, answered 304 where the caller has it already. */
import { z } from 'zod'
import { CachedBody } from './cached-body.js'
import type { App } from './fastify.js'

export interface WantedList {
  readonly path: '/exits' | '/validators'
  readonly summary: string
  readonly answer: z.ZodType
  /** Grows with each change of the content. */
  readonly version: () => number
  readonly make: () => Promise<unknown>
}

/** The times of an item, as the Python relayer gives them. */
export const createdFields = {
  created_at_timestamp: z.int().describe('seconds since 1970'),
  created_at_string: z.string().describe('UTC, 2026-11-20 10:15:00+0000'),
}

/** @param seconds since 1970 */
export function createdAt(seconds: number) {
  const text = `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}+0000`
  return { created_at_timestamp: seconds, created_at_string: text }
}

export function addWantedList(app: App, { path, summary, answer, version, make }: WantedList): void {
  const body = new CachedBody(version, make)
  app.get(
    path,
    {
      config: { action: 'reading' },
      schema: {
        summary,
        description: 'Carries a strong ETag: with If-None-Match an unchanged list is answered 304.',
        response: { 200: answer, 304: z.void().describe('The list that the caller has') },
      },
    },
    async (request, reply) => {
      const { bytes, etag } = await body.current()
      reply.header('etag', etag).header('cache-control', 'no-cache')
      if (isSame(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('application/json').send(bytes)
    },
  )
}

/** If-None-Match compares weakly (RFC 9110, 13.1.2) and may list several. */
function isSame(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const candidates = ifNoneMatch.split(',').map((candidate) => candidate.trim().replace(/^W\//, ''))
  return candidates.includes(etag) || candidates.includes('*')
}
