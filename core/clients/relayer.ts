/** The client of a relayer that speaks dialect 1, as sidecars and operators use it. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigurationError } from '../errors.js'
import { type Hex, type PublicKeyHex, toHex } from '../hex.js'
import { stringifyJson } from '../json.js'
import { Secret } from '../secret.js'
import { describeUnreadableSecret } from '../secret-file.js'
import {
  exitSignatureAnswer,
  exitsAnswer,
  infoAnswer,
  type oracleSharesField,
  validatorsAnswer,
} from '../wire/dialect1.js'
import { publicKeyField, shareIndexField } from '../wire/fields.js'
import { RelayerConnection, type RelayerConnectionOptions } from './relayer-connection.js'
import { oneLine } from './relayer-errors.js'
import { RelayerList } from './relayer-list.js'

export interface RelayerClientOptions extends RelayerConnectionOptions {
  /** Most shares in one post; more are sent in several. */
  readonly batchSize?: number
}

/** One exit of `GET /exits`. */
export interface PublishedExit {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  readonly isExitSignatureReady: boolean
  readonly shareIndexesReady: readonly bigint[]
}

/** One node's share of an exit signature, 96 bytes. */
export interface ExitShare {
  readonly publicKey: PublicKeyHex
  readonly signature: Uint8Array
}

/** A share that the relayer found wrong. */
export interface RejectedShare {
  readonly publicKey: PublicKeyHex
  readonly reason: string
}

/** The oracles' parts of one exit signature, in the order of the protocol config. */
export interface OracleParts {
  /** 48 bytes each: what the i-th oracle's part verifies under. */
  readonly publicKeys: readonly PublicKeyHex[]
  /** The i-th oracle's part, encrypted to it. */
  readonly encryptedExitSignatures: readonly Hex[]
}

/** One key of `POST /validators`; null until its exit signature is there. */
export interface RequestedValidator {
  readonly publicKey: PublicKeyHex
  readonly oracleParts: OracleParts | null
}

const DEFAULT_BATCH_SIZE = 200
const HEX = /^0x(?:[0-9a-f]{2})*$/

const listedExit = exitsAnswer.shape.exits.element.extend({
  share_indexes_ready: z.array(z.unknown()).transform((items) => items.flatMap(validShareIndex)),
})
const exitsEnvelope = z.object({ exits: z.array(z.unknown()) })

export class RelayerClient {
  readonly #connection: RelayerConnection
  readonly #batchSize: number
  readonly #exits: RelayerList<typeof exitsEnvelope, PublishedExit>

  /**
   * @throws ConfigurationError INVALID_RELAYER_ENDPOINT, PLAIN_HTTP_RELAYER, TWO_RELAYER_CREDENTIALS
   */
  constructor(url: string, options: RelayerClientOptions = {}) {
    this.#connection = new RelayerConnection(url, options)
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE
    this.#exits = new RelayerList(this.#connection, '/exits', exitsEnvelope, ({ exits }) =>
      exits.flatMap(validExit),
    )
  }

  /** The same relayer for the calls of other dialects. */
  get connection(): RelayerConnection {
    return this.#connection
  }

  /** The relayer's origin, for logs: never its credentials. */
  get shown(): string {
    return this.#connection.shown
  }

  /**
   * The name of the network that the relayer works for.
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async info(): Promise<{ readonly network: string }> {
    return this.#connection.call(infoAnswer, { method: 'GET', path: '/info' })
  }

  /**
   * Every wanted exit. A list that did not change since the last call is not sent again. Items that no
   * sidecar could use (a malformed key or index) are left out, so that they do not stop the others.
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async exits(): Promise<readonly PublishedExit[]> {
    return this.#exits.read()
  }

  /**
   * Posts one node's shares, in several requests where there are many.
   * @param shareIndex 1 … 2^64 − 1
   * @returns the shares that the relayer found wrong (a Python relayer names none)
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does;
   *   the batches before that were taken
   */
  async postExitSignatures(shareIndex: bigint, shares: readonly ExitShare[]): Promise<RejectedShare[]> {
    const rejected: RejectedShare[] = []
    for (let start = 0; start < shares.length; start += this.#batchSize) {
      const batch = shares.slice(start, start + this.#batchSize)
      rejected.push(...(await this.#postBatch(shareIndex, batch)))
    }
    return rejected
  }

  async #postBatch(shareIndex: bigint, shares: readonly ExitShare[]): Promise<RejectedShare[]> {
    const items = shares.map(({ publicKey, signature }) => ({
      public_key: publicKey,
      exit_signature: toHex(signature),
    }))
    const path = '/exit-signature'
    const response = await this.#connection.send({
      method: 'POST',
      path,
      body: stringifyJson({ share_index: shareIndex, shares: items }),
      shares: items.map((item) => item.exit_signature),
    })
    const { rejected = [] } = this.#connection.read(exitSignatureAnswer, response, `POST ${path}`)
    return rejected.map(({ public_key, reason }) => ({
      publicKey: public_key,
      reason: oneLine(response.quotable(reason)),
    }))
  }

  /**
   * Asks for the exit signatures of the next validators; asking again is how to poll.
   * @param publicKeys in deposit order: the i-th gets the i-th next validator index
   * @returns one item for each key, in the same order
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async requestValidators(publicKeys: readonly PublicKeyHex[]): Promise<RequestedValidator[]> {
    const call = 'POST /validators'
    const { validators } = await this.#connection.call(validatorsAnswer, {
      method: 'POST',
      path: '/validators',
      body: stringifyJson({ public_keys: publicKeys }),
    })
    if (validators.length !== publicKeys.length) {
      throw this.#connection.invalid(call, `${validators.length} validators for ${publicKeys.length} keys`)
    }
    return validators.map((validator, i) => {
      const publicKey = publicKeyField.safeParse(validator.public_key).data
      if (publicKey === undefined || publicKey !== publicKeys[i]) {
        throw this.#connection.invalid(call, `validator ${i} is not the ${i}-th key that was asked for`)
      }
      return {
        publicKey,
        oracleParts: readOracleParts(this.#connection, call, validator.oracles_exit_signature_shares),
      }
    })
  }
}

/**
 * The oracles' parts in an answer.
 * @param call for messages
 * @throws UnavailableError INVALID_RELAYER_ANSWER
 */
export function readOracleParts(
  connection: RelayerConnection,
  call: string,
  shares: z.infer<typeof oracleSharesField> | null | undefined,
): OracleParts | null {
  if (shares === null || shares === undefined) return null
  const encrypted = shares.encrypted_exit_signatures.map((text) => `0x${text.replace(/^0x/, '')}` as Hex)
  if (!encrypted.every((text) => HEX.test(text))) {
    throw connection.invalid(call, 'an encrypted exit signature is not hex')
  }
  return { publicKeys: shares.public_keys, encryptedExitSignatures: encrypted }
}

function validExit(item: unknown): PublishedExit[] {
  const exit = listedExit.safeParse(item).data
  if (exit === undefined) return []
  return [
    {
      publicKey: exit.public_key,
      validatorIndex: exit.validator_index,
      isExitSignatureReady: exit.is_exit_signature_ready,
      shareIndexesReady: exit.share_indexes_ready,
    },
  ]
}

/** A Python relayer takes and lists an index of 0 from anyone: that must not hide the exit. */
export function validShareIndex(item: unknown): bigint[] {
  const index = shareIndexField.safeParse(item).data
  return index === undefined ? [] : [index]
}

/**
 * The token in a file, without the line break at its end.
 * @throws ConfigurationError INVALID_TOKEN_FILE
 */
export async function readTokenFile(file: string): Promise<Secret<string>> {
  let token: string
  try {
    token = (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new ConfigurationError(
      'INVALID_TOKEN_FILE',
      `cannot read the token: ${describeUnreadableSecret(file, cause)}`,
      { hint: 'Point RELAYER_TOKEN_FILE to a file that this user may read' },
    )
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigurationError('INVALID_TOKEN_FILE', `${file} does not hold a token of one line`, {
      hint: 'Write into it what the relayer printed when the token was made, and nothing else',
    })
  }
  return new Secret(token)
}
