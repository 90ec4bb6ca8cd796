/** Dialect 1: the public relayer's protocol (stakewise/dvt-relayer v0.3.1). Unknown fields are ignored. */
import { z } from 'zod'
import { listOf, publicKeyField, shareIndexField, signatureField, validatorIndexField } from './fields.js'

/** `GET /info` */
export const infoAnswer = z.object({ network: z.string() })

const publicKeyText = z.string().meta({ pattern: '^(?:0[xX])?[0-9a-fA-F]{96}$' })

/** `POST /validators`: the keys exactly as they were asked, beside their canonical form. */
export const validatorsRequest = z.object({
  public_keys: listOf(
    publicKeyText.transform((asked, context) => {
      const parsed = publicKeyField.safeParse(asked)
      if (parsed.success) return { asked, publicKey: parsed.data }
      context.addIssue({ code: 'custom', message: 'invalid BLS public key' })
      return z.NEVER
    }),
  ),
})

export const oracleSharesField = z.object({
  public_keys: z.array(publicKeyField),
  encrypted_exit_signatures: z.array(z.string().transform((text) => text.toLowerCase())),
})

/** The answer to `POST /validators`, as a client reads it. */
export const validatorsAnswer = z.object({
  ready: z.boolean(),
  validators: z.array(
    z.object({ public_key: z.string(), oracles_exit_signature_shares: oracleSharesField.nullish() }),
  ),
})

/** `GET /exits`, as a sidecar reads it. */
export const exitsAnswer = z.object({
  exits: z.array(
    z.object({
      public_key: publicKeyField,
      validator_index: validatorIndexField,
      is_exit_signature_ready: z.boolean(),
      share_indexes_ready: z.array(shareIndexField),
    }),
  ),
})
export type WantedExit = z.infer<typeof exitsAnswer>['exits'][number]

/** `POST /exit-signature` */
export const exitSignatureRequest = z.object({
  share_index: shareIndexField,
  shares: listOf(z.object({ public_key: publicKeyField, exit_signature: signatureField })),
})

/** The answer to `POST /exit-signature`: `{}` from the Python relayer, with the shares it refused from ours. */
export const exitSignatureAnswer = z.object({
  rejected: z.array(z.object({ public_key: publicKeyField, reason: z.string() })).optional(),
})
