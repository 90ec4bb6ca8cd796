/** Which pages of other sites a browser lets read the answers: none but those that are named (Fetch standard, CORS). */
import type { App } from './fastify.js'

const METHODS = 'GET, POST'
/** What a page may send beside what every page may. */
const REQUEST_HEADERS = 'authorization, content-type, if-none-match, prefer'
/** What a page may read beside what every page may. */
const ANSWER_HEADERS = 'etag, retry-after, x-error-code'
/** Seconds that a browser may remember the answer to its question. */
const MAX_AGE = '600'

/**
 * Lets these pages call. A page sends its token itself; what the browser keeps (cookies, passwords) stays out of
 * it, since no answer allows credentials. To be called before the guard, so that refusals can be read too.
 * @param origins exact ones; with none, nothing is added to any answer
 */
export function allowPages(app: App, origins: readonly string[]): void {
  if (origins.length === 0) return
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !origins.includes(origin)) return
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-expose-headers', ANSWER_HEADERS)
  })
  app.options('*', { config: { action: 'public' }, schema: { hide: true } }, (request, reply) => {
    const { origin, 'access-control-request-method': method } = request.headers
    if (origin === undefined || method === undefined || !origins.includes(origin)) {
      reply.callNotFound()
      return
    }
    reply
      .code(204)
      .header('access-control-allow-methods', METHODS)
      .header('access-control-allow-headers', REQUEST_HEADERS)
      .header('access-control-max-age', MAX_AGE)
      .send()
  })
}
