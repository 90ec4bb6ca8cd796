/** What a sidecar asks of a relayer that speaks dialect 2: exits and deposits to sign, together. */
import { z } from 'zod'
import { type Hex, type PublicKeyHex, toHex } from '../hex.js'
import { parseJson, stringifyJson } from '../json.js'
import type { ValidatorType } from '../messages/deposit.js'
import { signaturesAnswer, wantedValidator } from '../wire/dialect2.js'
import { type RejectedShare, validShareIndex } from './relayer.js'
import type { RelayerConnection } from './relayer-connection.js'
import { isCallNotThere, oneLine } from './relayer-errors.js'
import { RelayerList } from './relayer-list.js'

/** One validator of `GET /validators`. */
export interface PublishedValidator {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** In lower case. */
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei. */
  readonly amount: bigint
  readonly isReady: boolean
  readonly shareIndexesReady: readonly bigint[]
}

/** One node's shares of both signatures, 96 bytes each. */
export interface ValidatorShares {
  readonly publicKey: PublicKeyHex
  readonly exitSignature: Uint8Array
  readonly depositSignature: Uint8Array
  /** The public shares of all nodes of the cluster. */
  readonly publicShares: ReadonlyMap<bigint, PublicKeyHex>
}

const listedValidator = wantedValidator.extend({
  share_indexes_ready: z.array(z.unknown()).transform((items) => items.flatMap(validShareIndex)),
})
const envelope = z.object({ validators: z.array(z.unknown()) })
/** Fewer than of exits: each carries the public shares of the whole cluster. */
const DEFAULT_BATCH_SIZE = 100

export class RelayerValidators {
  readonly #connection: RelayerConnection
  readonly #batchSize: number
  readonly #list: RelayerList<typeof envelope, PublishedValidator>
  #isThere: boolean | undefined

  constructor(connection: RelayerConnection, batchSize = DEFAULT_BATCH_SIZE) {
    this.#connection = connection
    this.#batchSize = batchSize
    this.#list = new RelayerList(connection, '/validators', envelope, ({ validators }) =>
      validators.flatMap(validValidator),
    )
  }

  /**
   * Every wanted validator; undefined where the relayer does not speak dialect 2, which is remembered. One that did
   * speak it is asked once more before that is believed. Items that no sidecar could use are left out, so that
   * they do not stop the others.
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async wanted(): Promise<readonly PublishedValidator[] | undefined> {
    if (this.#isThere === false) return undefined
    try {
      const validators = await this.#list.read()
      this.#isThere = true
      return validators
    } catch (error) {
      if (!isCallNotThere(error)) throw error
      this.#isThere = this.#isThere === true ? undefined : false
      return undefined
    }
  }

  /** The relayer was away and may be another one now: asks it again at the next call which dialect it speaks. */
  askAgain(): void {
    this.#isThere = undefined
  }

  /**
   * Posts one node's shares, in several requests where there are many.
   * @returns the shares that the relayer found wrong
   * @throws RelayerError where it refuses, UnavailableError where it does not answer; batches before were taken
   */
  async post(shareIndex: bigint, shares: readonly ValidatorShares[]): Promise<RejectedShare[]> {
    const rejected: RejectedShare[] = []
    for (let start = 0; start < shares.length; start += this.#batchSize) {
      const batch = shares.slice(start, start + this.#batchSize)
      rejected.push(...(await this.#postBatch(shareIndex, batch)))
    }
    return rejected
  }

  async #postBatch(shareIndex: bigint, shares: readonly ValidatorShares[]): Promise<RejectedShare[]> {
    const body = {
      share_index: shareIndex,
      shares: shares.map(({ publicKey, exitSignature, depositSignature, publicShares }) => ({
        public_key: publicKey,
        public_key_shares: [...publicShares].map(([index, publicShare]) => ({
          share_index: index,
          public_key_share: publicShare,
        })),
        exit_signature: toHex(exitSignature),
        deposit_signature: toHex(depositSignature),
      })),
    }
    const text = stringifyJson(body)
    const response = await this.#connection.send({
      method: 'POST',
      path: '/signatures',
      body: text,
      shares: body.shares.flatMap((item) => [item.exit_signature, item.deposit_signature]),
    })
    const answer = signaturesAnswer.safeParse(jsonOrNothing(response.body)).data
    return (answer?.rejected ?? []).map(({ public_key, signature, reason }) => ({
      publicKey: public_key,
      reason: oneLine(response.quotable(signature ? `${signature}: ${reason}` : reason)),
    }))
  }
}

function jsonOrNothing(body: Buffer): unknown {
  try {
    return parseJson(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function validValidator(item: unknown): PublishedValidator[] {
  const validator = listedValidator.safeParse(item).data
  if (validator === undefined) return []
  return [
    {
      publicKey: validator.public_key,
      validatorIndex: validator.validator_index,
      vault: validator.vault,
      type: validator.validator_type,
      amount: validator.amount,
      isReady: validator.is_signatures_ready ?? false,
      shareIndexesReady: validator.share_indexes_ready,
    },
  ]
}
