/** How much of bodies may be on its way at once: each is kept in memory until it is whole. */
import type { FastifyRequest } from 'fastify'
import { sendRefusal } from './failures.js'
import type { App } from './fastify.js'

/** Of the greatest length: all callers together, and one. Sixteen sidecars behind one address fit. */
const BODIES = 64
const BODIES_OF_ONE = 16

/** Bytes of a body that cost as much as one request more. */
const BYTES_OF_A_REQUEST = 131_072

/** For how many requests one counts: reading a long body is as much work as answering many short ones. */
export function weightOf(request: FastifyRequest): number {
  return 1 + Math.floor(announcedBytes(request) / BYTES_OF_A_REQUEST)
}

/** The bytes that a request's body has, as far as its head says; the most that it may have where it does not. */
function announcedBytes({ headers, server }: FastifyRequest): number {
  const { bodyLimit = 0 } = server.initialConfig
  if (headers['transfer-encoding'] !== undefined) return bodyLimit
  const length = Number(headers['content-length'] ?? 0)
  return Number.isSafeInteger(length) ? Math.min(length, bodyLimit) : bodyLimit
}

/** Refuses bodies beyond the budget. To be called after the gate, which says whose a request is. */
export function limitBodies(app: App): void {
  const { bodyLimit = 0 } = app.initialConfig
  const byCaller = new Map<string, number>()
  let all = 0
  app.addHook('onRequest', async (request, reply) => {
    const { caller } = request
    const bytes = announcedBytes(request)
    if (bytes === 0) return
    const ofCaller = (byCaller.get(caller) ?? 0) + bytes
    if (all + bytes > BODIES * bodyLimit || ofCaller > BODIES_OF_ONE * bodyLimit) {
      reply.header('retry-after', '1').header('connection', 'close')
      return sendRefusal(reply, 'TOO_MANY_REQUESTS', 'Too much is on its way at once, slow down')
    }
    all += bytes
    byCaller.set(caller, ofCaller)
    reply.raw.once('close', () => {
      all -= bytes
      const left = (byCaller.get(caller) ?? bytes) - bytes
      if (left === 0) byCaller.delete(caller)
      else byCaller.set(caller, left)
    })
  })
}
