/** Dialect 2: what sidecars of v2 ask of a relayer: the shares of exit and deposit together. Unknown fields are ignored. */
import { z } from 'zod'
import {
  amountField,
  hexBytes,
  listOf,
  publicKeyField,
  shareIndexField,
  signatureField,
  validatorIndexField,
} from './fields.js'

/** `GET /info` */
export const infoAnswer = z.object({
  network: z.string(),
  validators_manager_address: hexBytes(20, 'address').nullish(),
})

export const validatorTypeField = z.enum(['0x01', '0x02'])

/** `GET /validators`, as a sidecar reads it. */
export const wantedValidator = z.object({
  public_key: publicKeyField,
  vault: hexBytes(20, 'address'),
  amount: amountField,
  validator_type: validatorTypeField,
  validator_index: validatorIndexField,
  is_signatures_ready: z.boolean().nullish(),
  share_indexes_ready: z.array(shareIndexField),
})
export type WantedValidator = z.infer<typeof wantedValidator>

/** `POST /signatures` */
export const signaturesRequest = z.object({
  share_index: shareIndexField,
  shares: listOf(
    z.object({
      public_key: publicKeyField,
      /** Those of all nodes of the cluster; sidecars of v2.0 do not send them. */
      public_key_shares: listOf(
        z.object({ share_index: shareIndexField, public_key_share: publicKeyField }),
        0,
      ).nullish(),
      exit_signature: signatureField,
      deposit_signature: signatureField,
    }),
  ),
})

/** The answer to `POST /signatures`: nothing is agreed about another relayer's; ours names the shares it refused. */
export const signaturesAnswer = z.object({
  rejected: z
    .array(z.object({ public_key: publicKeyField, signature: z.string().nullish(), reason: z.string() }))
    .nullish(),
})
