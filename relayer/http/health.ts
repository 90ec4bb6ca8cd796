import { z } from 'zod'
import type { App } from './fastify.js'

/** What the health check asks: each check by name answers whether that part works. */
export type HealthChecks = Readonly<Record<string, () => Promise<boolean>>>

const healthAnswer = z.object({
  status: z.enum(['ok', 'failing']),
  checks: z.record(z.string(), z.enum(['ok', 'failing'])),
})

/**
 * `GET /health`: 200 while the relayer can do its work, 503 while it cannot.
 * @param needed without these nothing works
 * @param wanted what is told beside them, without making the answer 503
 */
export function addHealth(app: App, needed: HealthChecks, wanted: HealthChecks): void {
  app.get(
    '/health',
    {
      config: { action: 'public' },
      schema: {
        summary: 'Whether the relayer works',
        response: { 200: healthAnswer, 503: healthAnswer },
      },
    },
    async (_request, reply) => {
      const [essential, further] = await Promise.all([runChecks(needed), runChecks(wanted)])
      const ok = Object.values(essential).every((result) => result === 'ok')
      return reply
        .code(ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: ok ? 'ok' : 'failing', checks: { ...essential, ...further } })
    },
  )
}

async function runChecks(checks: HealthChecks): Promise<Record<string, 'ok' | 'failing'>> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const works = await check().catch(() => false)
      return [name, works ? 'ok' : 'failing'] as const
    }),
  )
  return Object.fromEntries(results)
}
