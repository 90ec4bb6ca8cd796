/** `POST /fund`, `POST /withdraw`, `POST /consolidate`: the validators manager's signature, for an operator. */
import { z } from 'zod'
import type { Hex } from '../../core/hex.js'
import { amountsRequest, consolidateRequest } from '../../core/wire/dialect4.js'
import { hexBytes } from '../../core/wire/fields.js'
import type { ManagerSignatures } from '../registrations/manager-signatures.js'
import { detailAnswer } from './detail.js'
import type { App } from './fastify.js'
import { limitItems } from './item-limit.js'
import { shapeErrorAnswer } from './shape-error.js'

const signatureAnswer = z.object({ validators_manager_signature: hexBytes(65, 'signature') })
const response = {
  200: signatureAnswer,
  403: detailAnswer.describe(
    'The vault is not one of VAULTS, there is no manager’s key, or the token is no operator’s',
  ),
  409: detailAnswer.describe('A key is no validator of the vault, or another manager’s'),
  413: detailAnswer,
  422: shapeErrorAnswer,
  503: detailAnswer.describe('The chain cannot be asked now'),
}
const config = { action: 'managing' } as const

export function addManagerSignatures(
  app: App,
  signatures: Pick<ManagerSignatures, 'fund' | 'withdraw' | 'consolidate'>,
  mostKeys: number,
): void {
  const preValidation = limitItems(['public_keys', 'amounts'], mostKeys)
  app.post(
    '/fund',
    { config, preValidation, schema: { summary: 'Sign top-ups', body: amountsRequest, response } },
    async ({ body, identity, ip }) => {
      return toWire(await signatures.fund(body.vault, amountsOf(body), identity?.name ?? ip))
    },
  )
  app.post(
    '/withdraw',
    { config, preValidation, schema: { summary: 'Sign withdrawals', body: amountsRequest, response } },
    async ({ body, identity, ip }) => {
      return toWire(await signatures.withdraw(body.vault, amountsOf(body), identity?.name ?? ip))
    },
  )
  app.post(
    '/consolidate',
    {
      config,
      preValidation: limitItems(['source_public_keys', 'target_public_keys'], mostKeys),
      schema: { summary: 'Sign consolidations', body: consolidateRequest, response },
    },
    async ({ body, identity, ip }) => {
      const pairs = body.source_public_keys.map((source, i) => ({
        source,
        target: body.target_public_keys[i] ?? source,
      }))
      return toWire(await signatures.consolidate(body.vault, pairs, identity?.name ?? ip))
    },
  )
}

function amountsOf({ public_keys, amounts }: z.output<typeof amountsRequest>) {
  return public_keys.map((publicKey, i) => ({ publicKey, amount: amounts[i] ?? 0n }))
}

function toWire(signature: Hex): z.input<typeof signatureAnswer> {
  return { validators_manager_signature: signature }
}
