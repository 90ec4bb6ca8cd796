/** Dialect 4: what operators of v4 ask of a relayer that chooses the validators. Unknown fields are ignored. */
import { z } from 'zod'
import { oracleSharesField } from './dialect1.js'
import { validatorTypeField } from './dialect2.js'
import {
  amountField,
  hexBytes,
  listOf,
  publicKeyField,
  signatureField,
  validatorIndexField,
} from './fields.js'

const vaultField = hexBytes(20, 'address')
const managerSignatureField = hexBytes(65, 'validators manager signature')

/** `POST /register`: `amounts[i]` and `validators_start_index + i` are the i-th validator's. */
export const registerRequest = z.object({
  vault: vaultField,
  validators_start_index: validatorIndexField,
  amounts: listOf(amountField),
  validator_type: validatorTypeField,
})

export const registerAnswer = z.object({
  validators: z.array(
    z.object({
      public_key: publicKeyField,
      amount: amountField,
      deposit_signature: signatureField.nullish(),
      oracles_exit_signature_shares: oracleSharesField.nullish(),
    }),
  ),
  validators_manager_signature: managerSignatureField.nullish(),
  /** What a person should know; only our relayer says it. */
  detail: z.string().nullish(),
})

/** `POST /fund` and `POST /withdraw` */
export const amountsRequest = z
  .object({
    vault: vaultField,
    public_keys: listOf(publicKeyField),
    amounts: listOf(amountField, 0),
  })
  .refine(({ public_keys, amounts }) => public_keys.length === amounts.length, {
    message: 'expected as many amounts as public keys',
    path: ['amounts'],
  })

/** `POST /consolidate` */
export const consolidateRequest = z
  .object({
    vault: vaultField,
    source_public_keys: listOf(publicKeyField),
    target_public_keys: listOf(publicKeyField, 0),
  })
  .refine(
    ({ source_public_keys, target_public_keys }) => source_public_keys.length === target_public_keys.length,
    {
      message: 'expected as many targets as sources',
      path: ['target_public_keys'],
    },
  )

/** The answer to `/fund`, `/withdraw` and `/consolidate`. */
export const managerSignatureAnswer = z.object({
  validators_manager_signature: managerSignatureField.nullish(),
})
