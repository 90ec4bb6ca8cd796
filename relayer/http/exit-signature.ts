import { z } from 'zod'
import { fromHex } from '../../core/hex.js'
import { exitSignatureRequest } from '../../core/wire/dialect1.js'
import { publicKeyField } from '../../core/wire/fields.js'
import type { ExitService, RejectedShare } from '../exits/service.js'
import { detailAnswer } from './detail.js'
import type { App } from './fastify.js'
import { limitItems } from './item-limit.js'
import { assertMayPostFor } from './posting.js'
import { shapeErrorAnswer } from './shape-error.js'

const exitSignatureAnswer = z.object({
  rejected: z
    .array(z.object({ public_key: publicKeyField, reason: z.string() }))
    .optional()
    .describe('the shares that were checked and found wrong; absent where there are none'),
})

/** Told of the shares of one post that were found wrong. @param caller a token's name or an address */
export type OnRejected = (shareIndex: bigint, rejected: readonly RejectedShare[], caller: string) => void

/** `POST /exit-signature`: one node's shares. */
export function addExitSignature(
  app: App,
  service: ExitService,
  mostShares: number,
  onRejected: OnRejected,
): void {
  app.post(
    '/exit-signature',
    {
      config: { action: 'posting' },
      preValidation: limitItems(['shares'], mostShares),
      schema: {
        summary: 'Post the shares of one node',
        body: exitSignatureRequest,
        response: {
          200: exitSignatureAnswer,
          403: detailAnswer.describe('The token is bound to another share index'),
          413: detailAnswer,
          422: shapeErrorAnswer,
        },
      },
    },
    async (request): Promise<z.input<typeof exitSignatureAnswer>> => {
      const { share_index: shareIndex, shares } = request.body
      assertMayPostFor(shareIndex, request.identity)
      const rejected = await service.postShares(
        shareIndex,
        shares.map((share) => ({
          publicKey: share.public_key,
          signature: fromHex(share.exit_signature, 96),
        })),
        request.caller,
      )
      if (rejected.length === 0) return {}
      onRejected(shareIndex, rejected, request.caller)
      return { rejected: rejected.map(({ publicKey, reason }) => ({ public_key: publicKey, reason })) }
    },
  )
}
