import { z } from 'zod'
import { fromHex } from '../../core/hex.js'
import { signaturesRequest } from '../../core/wire/dialect2.js'
import { publicKeyField } from '../../core/wire/fields.js'
import type { PostedSignatures, ValidatorService } from '../validators/service.js'
import { detailAnswer } from './detail.js'
import type { OnRejected } from './exit-signature.js'
import type { App } from './fastify.js'
import { limitItems } from './item-limit.js'
import { assertMayPostFor } from './posting.js'
import { shapeErrorAnswer } from './shape-error.js'

const signaturesAnswer = z.object({
  rejected: z
    .array(
      z.object({ public_key: publicKeyField, signature: z.enum(['exit', 'deposit']), reason: z.string() }),
    )
    .optional()
    .describe('the shares that were checked and found wrong; absent where there are none'),
})

/** `POST /signatures`: one node's shares of exits and deposits. */
export function addSignatures(
  app: App,
  service: ValidatorService,
  mostShares: number,
  onRejected: OnRejected,
): void {
  app.post(
    '/signatures',
    {
      config: { action: 'posting' },
      preValidation: limitItems(['shares'], mostShares),
      schema: {
        summary: 'Post the shares of one node, of exits and deposits',
        body: signaturesRequest,
        response: {
          200: signaturesAnswer,
          403: detailAnswer.describe('The token is bound to another share index'),
          413: detailAnswer,
          422: shapeErrorAnswer,
        },
      },
    },
    async (request): Promise<z.input<typeof signaturesAnswer>> => {
      const { share_index: shareIndex, shares } = request.body
      assertMayPostFor(shareIndex, request.identity)
      const { caller } = request
      const rejected = await service.postSignatures(shareIndex, shares.map(fromWire), caller)
      if (rejected.length === 0) return {}
      onRejected(shareIndex, rejected, caller)
      return {
        rejected: rejected.map(({ publicKey, signature, reason }) => ({
          public_key: publicKey,
          signature,
          reason,
        })),
      }
    },
  )
}

function fromWire(share: z.output<typeof signaturesRequest>['shares'][number]): PostedSignatures {
  const claimed = share.public_key_shares
  return {
    publicKey: share.public_key,
    exitSignature: fromHex(share.exit_signature, 96),
    depositSignature: fromHex(share.deposit_signature, 96),
    claimedShares: claimed
      ? new Map(claimed.map(({ share_index, public_key_share }) => [share_index, public_key_share]))
      : undefined,
  }
}
