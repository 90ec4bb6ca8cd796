import { z } from 'zod'
import type { Hex } from '../../core/hex.js'
import { hexBytes } from '../../core/wire/fields.js'
import type { App } from './fastify.js'

const infoAnswer = z.object({
  network: z.string(),
  validators_manager_address: hexBytes(20, 'address').optional().describe('whom /register signs as'),
})

/** `GET /info`: the network that the relayer works for, and whom it signs as where it has a manager's key. */
export function addInfo(app: App, network: string, manager: Hex | undefined): void {
  app.get(
    '/info',
    {
      config: { action: 'public' },
      schema: { summary: 'The network of this relayer', response: { 200: infoAnswer } },
    },
    async () => ({
      network,
      ...(manager === undefined ? {} : { validators_manager_address: manager.toLowerCase() }),
    }),
  )
}
