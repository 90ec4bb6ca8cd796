import { z } from 'zod'
import { validatorTypeField } from '../../core/wire/dialect2.js'
import {
  amountField,
  hexBytes,
  publicKeyField,
  shareIndexField,
  validatorIndexField,
} from '../../core/wire/fields.js'
import type { ListedValidator, ValidatorService } from '../validators/service.js'
import type { App } from './fastify.js'
import { addWantedList, createdAt, createdFields } from './wanted-list.js'

const wantedAnswer = z.object({
  validators: z.array(
    z.object({
      public_key: publicKeyField,
      vault: hexBytes(20, 'address'),
      amount: amountField.describe('Gwei'),
      validator_type: validatorTypeField,
      validator_index: validatorIndexField,
      is_signatures_ready: z.boolean(),
      ...createdFields,
      share_indexes_ready: z
        .array(shareIndexField)
        .describe('nodes whose shares of exit and deposit are both there'),
    }),
  ),
})

/** `GET /validators`: the validators whose exits and deposits sidecars of dialect 2 are to sign. */
export function addWantedValidators(app: App, service: ValidatorService): void {
  addWantedList(app, {
    path: '/validators',
    summary: 'The validators whose exit and deposit are to be signed',
    answer: wantedAnswer,
    version: () => service.listVersion,
    make: async () => ({ validators: (await service.listValidators()).map(toWire) }),
  })
}

function toWire(validator: ListedValidator) {
  const { vault, amount, type } = validator.deposit
  return {
    public_key: validator.publicKey,
    vault,
    amount,
    validator_type: type,
    validator_index: validator.validatorIndex,
    is_signatures_ready: validator.isReady,
    ...createdAt(validator.createdAt),
    share_indexes_ready: [...validator.shareIndexesReady],
  }
}
