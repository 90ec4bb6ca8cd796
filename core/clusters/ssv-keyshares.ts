/** The keyshares.json that ssv-keys and ssv-dkg write for registering validators with SSVNetwork. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigurationError, describeError } from '../errors.js'
import { normalizeHex, type PublicKeyHex, shorten } from '../hex.js'
import { parseJson } from '../json.js'
import { describeShapeIssues } from '../shape-issues.js'
import type { DistributedValidator } from '../signer.js'
import { sharesBelongTogether, splitShares, ssvThreshold } from './ssv-shares.js'
import { unreadableFile } from './unreadable-file.js'

const MAX_OPERATOR_ID = 2n ** 64n - 1n

const hex = (length?: number) =>
  z.string().transform((text, context) => {
    try {
      return normalizeHex(text, length)
    } catch (error) {
      context.addIssue({ code: 'custom', message: describeError(error) })
      return z.NEVER
    }
  })

const operatorId = z
  .union([z.int(), z.bigint()])
  .transform(BigInt)
  .refine((id) => id >= 1n && id <= MAX_OPERATOR_ID, 'expected an operator id from 1 to 2^64 - 1')

/** Versions v1.0 and later: ssv-keys up to 1.2, ssv-dkg. What else stands in the file is not needed. */
const keysharesSchema = z.object({
  shares: z
    .array(
      z.object({
        payload: z.object({
          publicKey: hex(48),
          operatorIds: z.array(operatorId),
          sharesData: hex(),
        }),
      }),
    )
    .min(1),
})

type Payload = z.infer<typeof keysharesSchema>['shares'][number]['payload']

/**
 * The validators of a keyshares.json with their public shares, each checked to be one sharing of the
 * validator's key. The threshold is SSV's for the number of operators.
 * @throws ConfigurationError UNREADABLE_FILE, INVALID_KEYSHARES: naming the file, and the validator
 */
export function loadKeyshares(file: string): DistributedValidator[] {
  const parsed = keysharesSchema.safeParse(readKeyshares(file))
  if (!parsed.success) {
    throw invalid(file, describeShapeIssues(parsed.error))
  }
  return parsed.data.shares.map(({ payload }) => validatorOf(payload, file))
}

function readKeyshares(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadableFile('keyshares file', file, cause)
  }
  try {
    return parseJson(text)
  } catch {
    throw invalid(file, 'it is not JSON')
  }
}

function validatorOf({ publicKey, operatorIds, sharesData }: Payload, file: string): DistributedValidator {
  const fail = (reason: string) => invalid(file, `validator ${shorten(publicKey)}: ${reason}`)
  const threshold = ssvThreshold(operatorIds.length)
  if (threshold === undefined) {
    throw fail(`SSV clusters have 4, 7, 10 or 13 operators, this one ${operatorIds.length}`)
  }
  if (new Set(operatorIds).size !== operatorIds.length) throw fail('an operator is named twice')
  const shares = splitShares(sharesData, operatorIds)
  if (shares === undefined) throw fail(`sharesData has not the length for ${operatorIds.length} operators`)
  if (!sharesBelongTogether(publicKey, shares.publicKeys, threshold)) {
    throw fail('its share public keys are not a sharing of its key')
  }
  const source = `${file} (operators ${operatorIds.join(', ')})`
  return { publicKey: publicKey satisfies PublicKeyHex, threshold, shares: shares.publicKeys, source }
}

function invalid(file: string, reason: string): ConfigurationError {
  return new ConfigurationError(
    'INVALID_KEYSHARES',
    `${file} is not a keyshares file that can be used: ${reason}`,
    {
      hint: 'Give the keyshares.json of ssv-keys or ssv-dkg, unchanged',
    },
  )
}
