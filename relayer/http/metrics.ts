import { Counter, Histogram, type Registry } from 'prom-client'
import type { App } from './fastify.js'

/** What the HTTP side counts. */
export class HttpMetrics {
  readonly registry: Registry
  readonly rejectedShares: Counter<'reason'>
  readonly #seconds: Histogram<'method' | 'route' | 'status'>

  constructor(registry: Registry) {
    this.registry = registry
    this.rejectedShares = new Counter({
      name: 'dvt_exit_relayer_rejected_shares_total',
      help: 'Shares that were checked and found wrong',
      labelNames: ['reason'],
      registers: [registry],
    })
    this.#seconds = new Histogram({
      name: 'dvt_exit_relayer_http_request_seconds',
      help: 'Time from the head of a request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers: [registry],
    })
  }

  /** Counts every request by its route, never by what a stranger wrote as path. */
  observe(app: App): void {
    app.addHook('onResponse', async (request, reply) => {
      this.#seconds.observe(
        {
          method: request.method,
          route: request.routeOptions.url ?? 'unknown',
          status: String(reply.statusCode),
        },
        reply.elapsedTime / 1000,
      )
    })
  }
}

/** `GET /metrics`, in Prometheus' text format. */
export function addMetrics(app: App, registry: Registry): void {
  app.get('/metrics', { config: { action: 'metrics' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
}
