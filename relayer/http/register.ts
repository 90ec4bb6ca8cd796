import { z } from 'zod'
import { registerRequest } from '../../core/wire/dialect4.js'
import { amountField, hexBytes, publicKeyField, signatureField } from '../../core/wire/fields.js'
import type { Registrations } from '../registrations/registrations.js'
import type { CollectedValidator } from '../validators/service.js'
import { detailAnswer } from './detail.js'
import type { App } from './fastify.js'
import { limitItems } from './item-limit.js'
import { oracleSharesAnswer, oracleSharesToWire } from './oracle-shares.js'
import { shapeErrorAnswer } from './shape-error.js'

const registerAnswer = z.object({
  validators: z.array(
    z.object({
      public_key: publicKeyField,
      amount: amountField.describe('Gwei, what was asked for or less'),
      deposit_signature: signatureField.nullable(),
      exit_signature: z.null().describe('never given: the oracles’ shares are'),
      oracles_exit_signature_shares: oracleSharesAnswer,
    }),
  ),
  validators_manager_signature: hexBytes(65, 'signature')
    .nullable()
    .describe('null until every validator has both signatures'),
  detail: z.string().optional().describe('what a person should know'),
})

/** `POST /register`: the next validators of a vault; asking again is how to poll. */
export function addRegister(
  app: App,
  registrations: Pick<Registrations, 'register'>,
  mostAmounts: number,
): void {
  app.post(
    '/register',
    {
      config: { action: 'managing' },
      preValidation: limitItems(['amounts'], mostAmounts),
      schema: {
        summary: 'The next validators of a vault, with the validators manager’s signature when all is there',
        body: registerRequest,
        response: {
          200: registerAnswer,
          403: detailAnswer.describe('The vault is not one of VAULTS, or the token is no operator’s'),
          409: detailAnswer.describe('Another start index, or another manager'),
          413: detailAnswer,
          422: shapeErrorAnswer,
          503: detailAnswer.describe('The chain or the oracles cannot be asked now'),
        },
      },
    },
    async (request): Promise<z.input<typeof registerAnswer>> => {
      const { vault, validators_start_index, amounts, validator_type } = request.body
      const { validators, managerSignature, detail } = await registrations.register(
        { vault, startIndex: validators_start_index, amounts, type: validator_type },
        request.identity?.name ?? request.ip,
      )
      return {
        validators: validators.map(toWire),
        validators_manager_signature: managerSignature ?? null,
        ...(detail === undefined ? {} : { detail }),
      }
    },
  )
}

function toWire({ publicKey, deposit, depositSignature, oracleShares }: CollectedValidator) {
  return {
    public_key: publicKey,
    // As a JSON integer: Gwei are far below 2^53.
    amount: Number(deposit.amount),
    deposit_signature: depositSignature,
    exit_signature: null,
    oracles_exit_signature_shares: oracleSharesToWire(oracleShares),
  }
}
