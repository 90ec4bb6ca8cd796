import { infoAnswer } from '../../core/wire/dialect1.js'
import type { App } from './fastify.js'

/** `GET /info`: the network that the relayer works for. */
export function addInfo(app: App, network: string): void {
  app.get(
    '/info',
    {
      config: { action: 'public' },
      schema: { summary: 'The network of this relayer', response: { 200: infoAnswer } },
    },
    async () => ({ network }),
  )
}
