import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { validatorsRequest } from '../../core/wire/dialect1.js'
import type { ExitService } from '../exits/service.js'
import { detailAnswer } from './detail.js'
import type { App } from './fastify.js'
import { limitItems } from './item-limit.js'
import { oracleSharesAnswer, oracleSharesToWire } from './oracle-shares.js'
import { ShapeError, shapeErrorAnswer } from './shape-error.js'

const validatorsAnswer = z.object({
  ready: z.boolean().describe('whether every one of them has its exit signature'),
  validators: z.array(
    z.object({
      public_key: z.string().describe('as it was asked'),
      oracles_exit_signature_shares: oracleSharesAnswer,
    }),
  ),
})

/** `POST /validators`: asks for the exit signatures of the next validators; asking again is how to poll. */
export function addValidators(app: App, service: ExitService, mostKeys: number): void {
  app.post(
    '/validators',
    {
      config: { action: 'requesting' },
      preValidation: [refuseOtherDialect, limitItems(['public_keys'], mostKeys)],
      schema: {
        summary: 'Ask for the exit signatures of the next validators, in deposit order',
        body: validatorsRequest,
        response: {
          200: validatorsAnswer,
          409: detailAnswer.describe('A key is a validator, or has a deposit, already'),
          413: detailAnswer,
          422: shapeErrorAnswer,
          429: detailAnswer,
          503: detailAnswer.describe('The chain or the oracles cannot be asked now'),
        },
      },
    },
    async (request): Promise<z.input<typeof validatorsAnswer>> => {
      const asked = request.body.public_keys
      const exits = await service.requestExits(asked.map(({ publicKey }) => publicKey))
      return {
        ready: exits.every((exit) => exit.oracleShares !== null),
        validators: asked.map((key, i) => ({
          public_key: key.asked,
          oracles_exit_signature_shares: oracleSharesToWire(exits[i]?.oracleShares ?? null),
        })),
      }
    },
  )
}

/** The Python operator with --relayer-type DEFAULT names no keys: the relayer there chooses them. */
async function refuseOtherDialect({ body }: FastifyRequest): Promise<void> {
  if (typeof body !== 'object' || body === null || Object.hasOwn(body, 'public_keys')) return
  if (!Object.hasOwn(body, 'validators_start_index')) return
  throw new ShapeError([
    {
      type: 'missing',
      loc: ['body', 'public_keys'],
      msg: 'Field required: an operator with --relayer-type DEFAULT is not supported, use --relayer-type DVT',
    },
  ])
}
